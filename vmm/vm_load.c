/* vmm/vm_load.c - images and tables into guest memory, before it runs. */
#include "vmm/vm_load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/launch_plan.h"
#include "firmware/acpi_tables.h"
#include "firmware/e820.h"
#include "firmware/linux_boot.h"
#include "firmware/smbios.h"
#include "mem/guest_mem.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/measured_boot.h"
#include "vmm/vm.h"

static int load_tables(const struct vm_params *p, struct guest_mem *mem,
		       struct err *err)
{
	AUTO(freep) uint8_t *acpi = NULL;
	AUTO(freep) uint8_t *smbios = NULL;
	struct smbios_config sc = {
		.oem = p->oem_strings,
		.n_oem = p->n_oem_strings,
	};
	size_t acpi_len = 0, smbios_len = 0;
	int r;

	memcpy(sc.uuid, p->uuid, sizeof(sc.uuid));
	r = acpi_tables_build(p->n_cpus, &acpi, &acpi_len, err);
	if (!r)
		r = smbios_build(&sc, &smbios, &smbios_len, err);
	if (r < 0)
		return r;
	r = guest_mem_load(mem, MEM_RSDP, acpi, acpi_len);
	if (!r)
		r = guest_mem_load(mem, MEM_SMBIOS, smbios, smbios_len);
	if (r < 0)
		return err_set_kind(err, ERR_INTERNAL, r,
				    "tables do not fit into memory");
	return 0;
}

int vm_load_plain(const struct vm_params *p, struct guest_mem *mem,
		  struct boot_entry *ret, struct err *err)
{
	AUTO(linux_boot_plan_destroyp) struct linux_boot_plan *plan = NULL;
	uint8_t seed[LINUX_BOOT_RNG_SEED];
	struct e820_map e820;
	struct linux_boot_args a = {
		.kernel = p->kernel,
		.e820 = &e820,
		.rsdp = MEM_RSDP,
		.initrd = p->initrd.len ? &p->initrd : NULL,
		.cmdline = p->cmdline,
	};
	int r = load_tables(p, mem, err);

	if (r < 0)
		return r;
	e820_machine(p->ram_bytes, &e820);
	/* As a launch on real hardware would be done: see linux_boot.h. */
	a.entry32 = p->emulate_c_bit;
	if (!p->emulate_c_bit &&
	    getrandom(seed, sizeof(seed), 0) == sizeof(seed))
		a.rng_seed = seed;
	r = linux_boot_plan_create(&a, &plan, err);
	explicit_bzero(seed, sizeof(seed));
	if (!r)
		r = linux_boot_load(plan, mem, err);
	if (!r)
		*ret = plan->entry;
	return r;
}

int vm_load_plan(const struct vm_params *p, bool is_es,
		 enum sev_vmsa_profile profile, uint32_t signature,
		 struct measured_boot **ret, struct err *err)
{
	struct measured_boot_args a = {
		.firmware = p->firmware,
		.cpu_signature = signature,
		.kernel_sha256 = p->kernel_sha256,
		.initrd_sha256 = p->initrd_sha256,
		.kernel = p->kernel,
		.initrd = p->initrd,
		.cmdline = p->cmdline,
		.ram_bytes = p->ram_bytes,
		.n_cpus = p->n_cpus,
		.oem_strings = p->oem_strings,
		.n_oem_strings = p->n_oem_strings,
		.is_es = is_es,
		.vmsa_profile = profile,
	};

	memcpy(a.uuid, p->uuid, sizeof(a.uuid));
	return measured_boot_create(&a, ret, err);
}

/* A page of bytes that are no zeros and no text, all over RAM. */
static void fill_with_noise(struct guest_mem *mem)
{
	uint8_t page[GUEST_MEM_PAGE];

	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)(0x80 | (i * 37 + (i >> 8)));
	for (size_t i = 0; i < guest_mem_n_regions(mem); i++) {
		const struct guest_mem_region *r = guest_mem_region(mem, i);

		if (r->type != GUEST_MEM_RAM)
			continue;
		for (uint64_t off = 0; off < r->len; off += sizeof(page))
			memcpy((uint8_t *)r->hva + off, page, sizeof(page));
	}
}

/* Noise again becomes what the entry says, its zeros included. */
static int load_piece(void *arg, const struct launch_entry *e, uint64_t off,
		      const void *data, size_t len, struct err *err)
{
	int r = guest_mem_load(arg, e->gpa + off, data, len);

	if (r < 0)
		return err_set_kind(err, ERR_INTERNAL, r,
				    "%s is not in guest memory", e->name);
	return 0;
}

int vm_load_emulated(const struct vm_params *p, struct guest_mem *mem,
		     struct boot_entry *ret, struct err *err)
{
	AUTO(measured_boot_destroyp) struct measured_boot *b = NULL;
	int r = vm_load_plan(p, false, SEV_VMSA_LEGACY, 0, &b, err);

	if (r < 0)
		return r;
	log_debug("command line: %s", b->cmdline);
	fill_with_noise(mem);
	r = launch_plan_walk(b->plan, NULL, load_piece, mem, err);
	if (!r)
		*ret = b->entry;
	return r;
}
