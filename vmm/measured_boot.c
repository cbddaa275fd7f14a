/* vmm/measured_boot.c - makes the launch plan of a direct boot. */
#include "vmm/measured_boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/acpi_tables.h"
#include "firmware/e820.h"
#include "firmware/kernel_image.h"
#include "firmware/linux_boot.h"
#include "firmware/smbios.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/measured_firmware.h"

enum { PAGE = 4096 };

/* The page that holds the end of the base memory, and where ROMs would be. */
#define EBDA_PAGE (MEM_EBDA_BASE & ~UINT64_C(0xfff))
#define ROMS_BASE UINT64_C(0xc0000)
#define ROMS_SIZE (MEM_BIOS_BASE - ROMS_BASE)

/* Debian 12 does not start in 128 MiB of which half are bounce buffers. */
#define SWIOTLB_ROOM MIB(192)

enum { SLAB = 2048, SEGMENT = 128 * SLAB }; /* Linux, IO_TLB_SIZE, _SEGSIZE */

static uint64_t floor_power_of_two(uint64_t v)
{
	return v ? BIT64(63 - __builtin_clzll(v)) : 0;
}

uint64_t measured_boot_swiotlb(uint64_t ram_bytes, unsigned int n_cpus)
{
	uint64_t bytes = floor_power_of_two(ram_bytes / 16);
	uint64_t most = floor_power_of_two(ram_bytes / 8);
	uint64_t areas = 1;

	while (areas < n_cpus) /* Linux: one for each CPU, a power of two */
		areas *= 2;
	if (bytes < MIB(16))
		bytes = most < MIB(16) ? most : MIB(16);
	if (bytes > MIB(512))
		bytes = MIB(512);
	if (bytes < areas * 2 * SEGMENT)
		bytes = areas * 2 * SEGMENT;
	return bytes / SLAB;
}

/* Has the command line that parameter, outside quotes and before "--"? */
static bool has_parameter(const char *line, const char *name)
{
	size_t len = strlen(name);
	bool quoted = false, at_start = true;

	for (const char *p = line; *p; p++) {
		if (at_start && !strncmp(p, "--", 2) && (!p[2] || p[2] == ' '))
			return false; /* the rest is for init */
		if (at_start && !strncmp(p, name, len) &&
		    (!p[len] || p[len] == '=' || p[len] == ' '))
			return true;
		if (*p == '"')
			quoted = !quoted;
		at_start = !quoted && (*p == ' ' || *p == '\t' || *p == '\n');
	}
	return false;
}

bool measured_boot_lacks_swiotlb(const struct measured_boot_args *a)
{
	return a->firmware && a->kernel && a->ram_bytes > MIB(64) &&
	       a->ram_bytes < SWIOTLB_ROOM &&
	       !has_parameter(kernel_image_cmdline(a->kernel, a->cmdline),
			      "swiotlb");
}

static int make_cmdline(const struct measured_boot_args *a,
			struct measured_boot *b, struct err *err)
{
	const char *line = kernel_image_cmdline(a->kernel, a->cmdline);
	int n;

	if (has_parameter(line, "swiotlb")) {
		b->cmdline = strdup(line);
		return b->cmdline ? 0 : err_set(err, -ENOMEM, "out of memory");
	}
	b->swiotlb_slabs = measured_boot_swiotlb(a->ram_bytes, a->n_cpus);
	/* In front: behind, it could be init's. */
	n = asprintf(&b->cmdline, "swiotlb=%llu%s%s",
		     (unsigned long long)b->swiotlb_slabs, *line ? " " : "",
		     line);
	if (n >= 0)
		return 0;
	b->cmdline = NULL; /* undefined after a failure */
	return err_set(err, -ENOMEM, "out of memory");
}

int measured_boot_check(const struct measured_boot_args *a, struct err *err)
{
	const struct kernel_image *k = a->kernel;

	if (a->firmware)
		return measured_firmware_check(a, err);
	if (k->kind != KERNEL_IMAGE_BZIMAGE)
		return err_set_kind(err, ERR_INPUT, -ENOTSUP,
				    "kernel '%s' is an ELF image; a protected "
				    "guest boots a bzImage, whose 32-bit entry "
				    "knows how to start encrypted",
				    k->file.name);
	if (a->is_es && a->n_cpus > 1)
		return err_set_kind(err, ERR_USAGE, -ENOTSUP,
				    "--cpus %u: Linux starts one CPU under "
				    "SEV-ES without firmware; use --cpus 1, or "
				    "--protect sev",
				    a->n_cpus);
	return 0;
}

static int plan_kernel(const struct measured_boot_args *a,
		       const struct measured_boot *b,
		       struct linux_boot_plan **ret, struct err *err)
{
	struct e820_map e820;
	struct linux_boot_args la = {
		.kernel = a->kernel,
		.e820 = &e820,
		.rsdp = MEM_RSDP,
		.initrd = a->initrd.len ? &a->initrd : NULL,
		.cmdline = b->cmdline,
		.entry32 = true,
		.secret_len = PAGE,
	};
	int r;

	e820_machine(a->ram_bytes, &e820);
	r = linux_boot_plan_create(&la, ret, err);
	if (r == -E2BIG && b->swiotlb_slabs)
		err_prefix(err, "with swiotlb=%llu, which is added",
			   (unsigned long long)b->swiotlb_slabs);
	return r;
}

static const struct linux_boot_piece *find(const struct linux_boot_plan *lp,
					   enum linux_boot_what what)
{
	for (size_t i = 0; i < lp->n; i++)
		if (lp->piece[i].what == what)
			return &lp->piece[i];
	return NULL;
}

/* The piece @what, if there is one, in @room bytes or in whole pages (0). */
static int add_piece(struct launch_plan *p, const struct linux_boot_plan *lp,
		     const char *name, enum linux_boot_what what, uint64_t room,
		     struct err *err)
{
	const struct linux_boot_piece *b = find(lp, what);
	const struct image_file *f;

	if (!b)
		return 0;
	if (!room)
		room = align_up(b->len, PAGE);
	if (!is_aligned(b->gpa, PAGE)) /* what a kernel may ask for */
		return err_set_kind(err, ERR_INPUT, -ENOTSUP,
				    "%s wants to be at 0x%llx, which is no "
				    "page: it cannot be measured",
				    name, (unsigned long long)b->gpa);
	if (b->data)
		return launch_plan_add(p, name, b->gpa, room, b->data, b->len,
				       err);
	f = &b->file;
	return launch_plan_add_file(p, name, b->gpa, room, f->fd, f->off,
				    b->len, f->name, err);
}

static int add_zeros(struct launch_plan *p, const char *name, gpa_t gpa,
		     uint64_t len, struct err *err)
{
	return launch_plan_add(p, name, gpa, len, NULL, 0, err);
}

static int add_tables(const struct measured_boot_args *a, struct launch_plan *p,
		      struct err *err)
{
	AUTO(freep) uint8_t *acpi = NULL;
	AUTO(freep) uint8_t *smbios = NULL;
	struct smbios_config sc = {
		.oem = a->oem_strings,
		.n_oem = a->n_oem_strings,
	};
	size_t acpi_len = 0, smbios_len = 0;
	int r;

	memcpy(sc.uuid, a->uuid, sizeof(sc.uuid));
	r = acpi_tables_build(a->n_cpus, &acpi, &acpi_len, err);
	if (!r)
		r = smbios_build(&sc, &smbios, &smbios_len, err);
	if (!r)
		r = launch_plan_add(p, "acpi", MEM_RSDP, MEM_ACPI_SIZE, acpi,
				    acpi_len, err);
	if (!r)
		r = launch_plan_add(p, "smbios", MEM_SMBIOS, MEM_SMBIOS_SIZE,
				    smbios, smbios_len, err);
	return r;
}

static int add_low(const struct measured_boot_args *a,
		   const struct linux_boot_plan *lp, struct launch_plan *p,
		   struct err *err)
{
	int r = add_zeros(p, "bda", 0, PAGE, err);

	if (!r)
		r = add_piece(p, lp, "gdt", LINUX_BOOT_PIECE_GDT, 0, err);
	if (!r)
		r = add_piece(p, lp, "boot_params",
			      LINUX_BOOT_PIECE_BOOT_PARAMS, 0, err);
	if (!r)
		r = add_piece(p, lp, "cmdline", LINUX_BOOT_PIECE_CMDLINE,
			      LINUX_BOOT_CMDLINE_SIZE, err);
	if (!r)
		r = add_zeros(p, "ebda", EBDA_PAGE, PAGE, err);
	if (!r)
		r = add_zeros(p, "roms", ROMS_BASE, ROMS_SIZE, err);
	return r < 0 ? r : add_tables(a, p, err);
}

static int add_images(const struct linux_boot_plan *lp, struct launch_plan *p,
		      struct err *err)
{
	const struct linux_boot_piece *secret =
		find(lp, LINUX_BOOT_PIECE_SECRET);
	int r = add_piece(p, lp, "kernel", LINUX_BOOT_PIECE_KERNEL, 0, err);

	if (!r)
		r = add_piece(p, lp, "initrd", LINUX_BOOT_PIECE_INITRD, 0, err);
	if (!r)
		r = add_zeros(p, "secret", secret->gpa, secret->len, err);
	p->secret_format = SEV_SECRET_CPIO;
	p->secret_gpa = secret->gpa;
	p->secret_len = secret->len;
	return r;
}

/*
 * What kvm_vcpu_set_entry() makes of @e, over a vCPU after its reset (whose
 * LDTR stays). boot_entry.h has the state.
 */
static struct sev_vmsa_regs registers(const struct boot_entry *e)
{
	/* type, S, P, D, G */
	const struct sev_vmsa_segment data = {BOOT_DS, 0xc93, 0xffffffff, 0};

	return (struct sev_vmsa_regs){
		.cs = {BOOT_CS, 0xc9b, 0xffffffff, 0},
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.ss = data,
		.tr = {BOOT_TR, 0x8b, BOOT_TR_LIMIT, 0},
		.ldtr = {0, 0x82, 0xffff, 0},
		.gdtr = {0, 0, e->gdt_limit, e->gdt_base},
		.cr0 = BOOT_CR0,
		.rip = e->rip,
		.rsp = e->rsp,
		.rbx = e->rbx,
		.rsi = e->rsi,
		.rflags = 2,
	};
}

static int add_vmsa(const struct measured_boot_args *a,
		    const struct boot_entry *e, struct launch_plan *p,
		    struct err *err)
{
	struct sev_vmsa_regs r = registers(e);
	uint8_t page[SEV_VMSA_LEN];

	if (!a->is_es)
		return 0;
	sev_vmsa_build(&r, a->vmsa_profile, page);
	return launch_plan_add_vmsa(p, page, err);
}

static int fill_plan(const struct measured_boot_args *a,
		     const struct linux_boot_plan *lp, struct launch_plan *p,
		     struct err *err)
{
	int r = add_low(a, lp, p, err);

	if (!r)
		r = add_images(lp, p, err);
	if (!r)
		r = add_vmsa(a, &lp->entry, p, err);
	p->covered = launch_facts_direct(a->is_es);
	return r;
}

static int fill_direct(const struct measured_boot_args *a,
		       struct measured_boot *b, struct err *err)
{
	AUTO(linux_boot_plan_destroyp) struct linux_boot_plan *lp = NULL;
	int r = make_cmdline(a, b, err);

	if (!r)
		r = plan_kernel(a, b, &lp, err);
	if (!r)
		r = fill_plan(a, lp, b->plan, err);
	if (!r)
		b->entry = lp->entry;
	return r;
}

int measured_boot_create(const struct measured_boot_args *a,
			 struct measured_boot **ret, struct err *err)
{
	AUTO(measured_boot_destroyp) struct measured_boot *b = NULL;
	int r = measured_boot_check(a, err);

	if (r < 0)
		return r;
	b = calloc(1, sizeof(*b));
	if (!b)
		return err_set(err, -ENOMEM, "out of memory");
	r = launch_plan_create(&b->plan, err);
	if (!r)
		r = a->firmware ? measured_firmware_fill(a, b, err)
				: fill_direct(a, b, err);
	if (r != 0)
		return r;
	b->plan->machine = "q35-coffer-1";
	b->plan->is_es = a->is_es;
	b->plan->vmsa_profile = a->vmsa_profile;
	*ret = TAKE(b);
	return 0;
}

void measured_boot_destroy(struct measured_boot *b)
{
	if (!b)
		return;
	launch_plan_destroy(b->plan);
	free(b->cmdline);
	free(b);
}
