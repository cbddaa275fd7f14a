/* vmm/measured_firmware.c - image, hashes, registers. */
#include "vmm/measured_firmware.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "crypto/sev_measure.h"
#include "firmware/flash_image.h"
#include "firmware/kernel_image.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/measured_boot.h"

enum { CHUNK = 1 << 18 }; /* bytes hashed at a time: fits the cache */

static int lacks(const struct measured_boot_args *a, const char *what,
		 const char *advice, struct err *err)
{
	return err_set_kind(err, ERR_INPUT, -ENOTSUP,
			    "firmware '%s' announces no %s in its table of "
			    "GUIDs; %s",
			    a->firmware->file.name, what, advice);
}

/* The host writes there what is measured: it must be the guest's RAM. */
static int check_area(const struct measured_boot_args *a,
		      const struct ovmf_area *area, const char *what,
		      struct err *err)
{
	uint64_t low =
		a->ram_bytes < MEM_RAM_LOW_MAX ? a->ram_bytes : MEM_RAM_LOW_MAX;

	if (!area->size || range_within(area->base, area->size, low))
		return 0;
	return err_set_kind(err, ERR_INPUT, -ERANGE,
			    "firmware '%s' wants %s at 0x%x, %u bytes, where "
			    "this guest has no RAM",
			    a->firmware->file.name, what, area->base,
			    area->size);
}

static int check_kernel(const struct measured_boot_args *a, struct err *err)
{
	const struct kernel_image *k = a->kernel;

	if (k->kind != KERNEL_IMAGE_BZIMAGE)
		return err_set_kind(err, ERR_INPUT, -ENOTSUP,
				    "kernel '%s' is an ELF image; firmware "
				    "starts a bzImage, and so does a protected "
				    "guest without",
				    k->file.name);
	if (!a->firmware->footer.hashes.size)
		return lacks(a, "area for hashes of a kernel",
			     "with --protect, leave out --kernel and boot a "
			     "disk, or use another build, or --firmware "
			     "stage0",
			     err);
	return 0;
}

int measured_firmware_check(const struct measured_boot_args *a, struct err *err)
{
	const struct ovmf_footer *f = &a->firmware->footer;
	int r = a->kernel ? check_kernel(a, err) : 0;

	if (!r && a->is_es && a->n_cpus > 1 && !f->has_reset)
		r = lacks(a, "reset block for SEV-ES",
			  "its second CPU has nowhere to start: use --cpus 1, "
			  "or --protect sev",
			  err);
	if (!r)
		r = check_area(a, &f->hashes, "hashes", err);
	return r < 0 ? r : check_area(a, &f->secret, "secrets", err);
}

static int hash_file(struct hash256 *h, const struct image_file *f,
		     uint8_t *buf, uint8_t digest[static HASH256_LEN],
		     struct err *err)
{
	uint64_t off = 0;
	int r = 0;

	while (off < f->len && !r) {
		size_t n =
			f->len - off < CHUNK ? (size_t)(f->len - off) : CHUNK;

		r = image_file_read(f, off, buf, n, err);
		if (!r)
			hash256_update(h, buf, n);
		off += n;
	}
	if (hash256_finish(h, digest) < 0 && !r)
		r = err_set_kind(err, ERR_HOST, -EIO, "cannot compute SHA-256");
	return r;
}

int measured_boot_hash(const struct image_file *f,
		       uint8_t ret[static HASH256_LEN], struct err *err)
{
	AUTO(hash256_destroyp) struct hash256 *h = hash256_nettle_create();
	AUTO(freep) uint8_t *buf = malloc(CHUNK);

	if (!h || !buf)
		return err_set(err, -ENOMEM, "out of memory");
	return hash_file(h, f, buf, ret, err);
}

/* The digest of @f, of which @known may be it already. */
static int find_hash(const struct image_file *f, const uint8_t *known,
		     uint8_t ret[static HASH256_LEN], struct err *err)
{
	if (!known)
		return measured_boot_hash(f, ret, err);
	memcpy(ret, known, HASH256_LEN);
	return 0;
}

static int add_hashes(const struct measured_boot_args *a,
		      struct measured_boot *b, struct err *err)
{
	AUTO(hash256_destroyp) struct hash256 *h = hash256_nettle_create();
	const struct ovmf_area *area = &a->firmware->footer.hashes;
	uint8_t table[SEV_KERNEL_HASHES_LEN];
	uint8_t kernel[HASH256_LEN], initrd[HASH256_LEN], cmdline[HASH256_LEN];
	int r;

	if (!a->kernel)
		return 0;
	if (!h)
		return err_set(err, -ENOMEM, "out of memory");
	r = find_hash(&a->kernel->file, a->kernel_sha256, kernel, err);
	if (!r)
		r = find_hash(kernel_image_initrd(a->kernel, &a->initrd),
			      a->initrd_sha256, initrd, err);
	if (!r && hash256_of(h, b->cmdline, strlen(b->cmdline) + 1, cmdline))
		r = err_set_kind(err, ERR_HOST, -EIO, "cannot compute SHA-256");
	if (r < 0)
		return r;
	sev_kernel_hashes(cmdline, initrd, kernel, table);
	return launch_plan_add(b->plan, "hashes", area->base, sizeof(table),
			       table, sizeof(table), err);
}

static int add_registers(const struct measured_boot_args *a,
			 struct measured_boot *b, struct err *err)
{
	uint8_t page[SEV_VMSA_LEN];
	int r = 0;

	for (unsigned int i = 0; a->is_es && i < a->n_cpus && !r; i++) {
		struct sev_vmsa_regs regs;

		sev_vmsa_reset_regs(i ? a->firmware->footer.reset
				      : BOOT_RESET_VECTOR,
				    a->cpu_signature, &regs);
		sev_vmsa_build(&regs, a->vmsa_profile, page);
		r = launch_plan_add_vmsa(b->plan, page, err);
	}
	return r;
}

int measured_firmware_fill(const struct measured_boot_args *a,
			   struct measured_boot *b, struct err *err)
{
	const struct image_file *f = &a->firmware->file;
	const struct ovmf_area *secret = &a->firmware->footer.secret;
	struct launch_plan *p = b->plan;
	int r;

	b->cmdline = strdup(
		a->kernel ? kernel_image_cmdline(a->kernel, a->cmdline) : "");
	if (!b->cmdline)
		return err_set(err, -ENOMEM, "out of memory");
	r = launch_plan_add_file(p, "firmware", a->firmware->base, f->len,
				 f->fd, f->off, f->len, f->name, err);
	if (!r)
		r = add_hashes(a, b, err);
	if (!r)
		r = add_registers(a, b, err);
	if (r < 0)
		return r;
	if (secret->size) {
		p->secret_format = SEV_SECRET_TABLE;
		p->secret_gpa = secret->base;
		p->secret_len = secret->size;
	}
	p->covered = launch_facts_firmware(a->is_es, a->kernel != NULL);
	b->entry = boot_entry_reset(BOOT_RESET_VECTOR);
	b->entry.rdx = a->cpu_signature;
	return 0;
}
