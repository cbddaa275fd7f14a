/* vmm/vm_firmware.c - hands kernel, tables and numbers to firmware. */
#include "vmm/vm_firmware.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/legacy/debug_exit.h"
#include "devices/legacy/fw_cfg.h"
#include "devices/legacy/pflash.h"
#include "devices/power_sink.h"
#include "firmware/acpi_loader.h"
#include "firmware/boot_entry.h"
#include "firmware/boot_order.h"
#include "firmware/e820.h"
#include "firmware/flash_image.h"
#include "firmware/kernel_image.h"
#include "firmware/smbios.h"
#include "firmware/stage0_reason.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/bus.h"
#include "vmm/counters.h"
#include "vmm/vm.h"
#include "vmm/vm_devices.h"

enum { E820_ENTRY = 20, E820_ENTRIES = 3 }; /* address, length, type */
/* What old firmware expects of itself right below 1 MiB. */
enum { SHADOW_MAX = 128 << 10 };

struct vm_firmware {
	struct vm_firmware_owner *owner;
	struct fw_cfg *fw_cfg;
	struct acpi_loader_ecam ecam;
	gpa_t vars_gpa;
	uint64_t vars_len;
	struct pflash *vars; /* NULL: none are kept */
	struct power_sink stop_sink;
	struct debug_exit *stop; /* stage0's port */
};

/* --- memory -------------------------------------------------------------- */

int vm_firmware_add_memory(const struct vm_params *p, struct guest_mem *mem,
			   struct err *err)
{
	int r;

	if (!p->firmware)
		return 0;
	r = guest_mem_add_rom(mem, p->firmware->base, p->firmware->file.len,
			      err);
	if (!r && p->nvram.len)
		r = guest_mem_add_rom(mem, p->firmware->base - p->nvram.len,
				      p->nvram.len, err);
	return r;
}

static int load_file(struct guest_mem *mem, gpa_t gpa,
		     const struct image_file *f, uint64_t off, uint64_t len,
		     struct err *err)
{
	int r = guest_mem_load_fd(mem, gpa, f->fd, f->off + off, len);

	if (r < 0)
		return err_set_kind(
			err, ERR_INPUT, r, "firmware '%s': %s", f->name,
			r == -ENODATA ? "it has become shorter" : strerror(-r));
	return 0;
}

int vm_firmware_load(const struct vm_params *p, struct guest_mem *mem,
		     struct boot_entry *ret, struct err *err)
{
	const struct flash_image *f = p->firmware;
	uint64_t shadow = f->file.len < SHADOW_MAX ? f->file.len : SHADOW_MAX;
	int r = load_file(mem, f->base, &f->file, 0, f->file.len, err);

	if (!r)
		r = load_file(mem, MIB(1) - shadow, &f->file,
			      f->file.len - shadow, shadow, err);
	if (!r)
		*ret = boot_entry_reset(BOOT_RESET_VECTOR);
	return r;
}

/* --- fw_cfg -------------------------------------------------------------- */

static uint8_t *put_e820(uint8_t *p, uint64_t base, uint64_t len, uint32_t type)
{
	store_le64(p, base);
	store_le64(p + 8, len);
	store_le32(p + 16, type);
	return p + E820_ENTRY;
}

/*
 * As QEMU has it: RAM without the hole below 1 MiB, which firmware knows, and
 * what nobody but the hypervisor can know.
 */
static int add_e820(struct fw_cfg *f, uint64_t ram_bytes, struct err *err)
{
	uint64_t low =
		ram_bytes < MEM_RAM_LOW_MAX ? ram_bytes : MEM_RAM_LOW_MAX;
	uint8_t map[E820_ENTRY * E820_ENTRIES], *p = map;

	p = put_e820(p, MEM_KVM_IDENT_MAP, UINT64_C(4) * GUEST_MEM_PAGE,
		     E820_RESERVED);
	p = put_e820(p, 0, low, E820_RAM);
	if (ram_bytes > low)
		p = put_e820(p, MEM_RAM_HIGH_BASE, ram_bytes - low, E820_RAM);
	return fw_cfg_add_file(f, "etc/e820", map, (size_t)(p - map), err);
}

/* OVMF moves ECAM, and then reads the tables, which say where it is. */
static void refresh_acpi(void *arg, uint8_t *data, size_t len)
{
	struct vm_firmware *f = arg;
	uint64_t base = f->owner->ecam(f->owner);

	(void)len; /* as it was added */
	if (base && base <= UINT32_MAX)
		acpi_loader_move_ecam(&f->ecam, data, (uint32_t)base);
}

static int add_acpi(struct vm_firmware *f, unsigned int n_cpus, struct err *err)
{
	AUTO(acpi_loader_destroyp) struct acpi_loader *l = NULL;
	struct fw_cfg *c = f->fw_cfg;
	int r = acpi_loader_create(n_cpus, &l, err);

	if (!r)
		r = fw_cfg_add_file(c, ACPI_LOADER_RSDP_FILE, l->rsdp,
				    sizeof(l->rsdp), err);
	if (!r)
		r = fw_cfg_add_file(c, ACPI_LOADER_SCRIPT_FILE, l->script,
				    l->script_len, err);
	if (!r)
		r = fw_cfg_add_file(c, ACPI_LOADER_TABLES_FILE, l->tables,
				    l->tables_len, err);
	if (r < 0)
		return r;
	f->ecam = l->ecam;
	fw_cfg_refresh_file(c, refresh_acpi, f);
	return 0;
}

static int add_smbios(struct fw_cfg *f, const struct vm_params *p,
		      struct err *err)
{
	AUTO(freep) uint8_t *t = NULL;
	struct smbios_config c = {
		.oem = p->oem_strings,
		.n_oem = p->n_oem_strings,
	};
	size_t len = 0;
	int r;

	memcpy(c.uuid, p->uuid, sizeof(c.uuid));
	r = smbios_build(&c, &t, &len, err);
	if (!r)
		r = fw_cfg_add_file(f, "etc/smbios/smbios-anchor", t,
				    SMBIOS_ANCHOR_LEN, err);
	if (!r)
		r = fw_cfg_add_file(f, "etc/smbios/smbios-tables",
				    t + SMBIOS_TABLES_OFF,
				    len - SMBIOS_TABLES_OFF, err);
	return r;
}

static int add_machine(struct vm_firmware *fw, const struct vm_params *p,
		       struct err *err)
{
	struct fw_cfg *f = fw->fw_cfg;
	int r = fw_cfg_add(f, FW_CFG_UUID, p->uuid, sizeof(p->uuid), err);

	if (!r)
		r = fw_cfg_add_le64(f, FW_CFG_RAM_SIZE, p->ram_bytes, err);
	if (!r)
		r = fw_cfg_add_le16(f, FW_CFG_NOGRAPHIC, 1, err);
	if (!r)
		r = fw_cfg_add_le16(f, FW_CFG_NB_CPUS, (uint16_t)p->n_cpus,
				    err);
	if (!r)
		r = fw_cfg_add_le16(f, FW_CFG_MAX_CPUS, (uint16_t)p->n_cpus,
				    err);
	if (!r)
		r = fw_cfg_add_le16(f, FW_CFG_BOOT_MENU, 0, err);
	if (!r)
		r = add_e820(f, p->ram_bytes, err);
	if (!r)
		r = add_acpi(fw, p->n_cpus, err);
	return r < 0 ? r : add_smbios(f, p, err);
}

/* As on QEMU, a kernel wins: OVMF has started it before it looks at disks. */
static int add_boot_order(struct fw_cfg *f, const struct vm_devices_config *c,
			  struct err *err)
{
	AUTO(freep) char *text = NULL;
	unsigned int luns[VM_DISKS_MAX];
	size_t len = 0, n = 0;
	int r;

	for (; n < c->n_disks && n < VM_DISKS_MAX; n++)
		luns[n] = c->disks[n].lun;
	if (!n)
		return 0;
	r = boot_order_build(VM_SCSI_DEVFN, luns, n, &text, &len, err);
	return r < 0 ? r : fw_cfg_add_file(f, BOOT_ORDER_FILE, text, len, err);
}

static int add_part(struct fw_cfg *f, enum fw_cfg_key size,
		    enum fw_cfg_key data, const struct image_file *i,
		    uint64_t off, uint64_t len, struct err *err)
{
	int r;

	if (len > UINT32_MAX)
		return err_set_kind(err, ERR_INPUT, -E2BIG,
				    "'%s' has %llu MiB; firmware takes less "
				    "than 4096",
				    i->name, (unsigned long long)(len >> 20));
	r = fw_cfg_add_le32(f, size, (uint32_t)len, err);
	if (!r && len)
		fw_cfg_add_fd(f, data, i->fd, i->off + off, (uint32_t)len);
	return r;
}

static int add_cmdline(struct fw_cfg *f, const struct vm_params *p,
		       struct err *err)
{
	const char *line = kernel_image_cmdline(p->kernel, p->cmdline);
	size_t len = strlen(line) + 1;
	int r;

	r = fw_cfg_add_le32(f, FW_CFG_CMDLINE_SIZE, (uint32_t)len, err);
	return r < 0 ? r : fw_cfg_add(f, FW_CFG_CMDLINE_DATA, line, len, err);
}

/* The file's own bytes, in two parts: hashes of them must come out right. */
static int add_kernel(struct fw_cfg *f, const struct vm_params *p,
		      struct err *err)
{
	const struct kernel_image *k = p->kernel;
	const struct image_file *initrd;
	int r;

	if (!k)
		return 0;
	if (k->kind != KERNEL_IMAGE_BZIMAGE)
		return err_set_kind(err, ERR_INPUT, -ENOTSUP,
				    "kernel '%s' is an ELF image; firmware "
				    "starts a bzImage",
				    k->file.name);
	initrd = kernel_image_initrd(k, &p->initrd);
	r = add_part(f, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA, &k->file, 0,
		     k->bz.code_off, err);
	if (!r)
		r = add_part(f, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA,
			     &k->file, k->bz.code_off,
			     k->file.len - k->bz.code_off, err);
	if (!r)
		r = add_part(f, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, initrd,
			     0, initrd->len, err);
	return r < 0 ? r : add_cmdline(f, p, err);
}

/* --- variables ------------------------------------------------------------ */

static int create_vars(struct vm_firmware *f, const struct vm_params *p,
		       struct guest_mem *mem, struct err *err)
{
	if (!p->nvram.len)
		return 0;
	f->vars_len = p->nvram.len;
	f->vars_gpa = p->firmware->base - f->vars_len;
	return pflash_create(p->nvram.fd,
			     guest_mem_ptr(mem, f->vars_gpa, f->vars_len),
			     (size_t)f->vars_len, &f->vars, err);
}

/* --- stage0 stops -------------------------------------------------------- */

static void on_stop(struct power_sink *s, uint32_t value)
{
	struct vm_firmware *f = container_of(s, struct vm_firmware, stop_sink);
	uint32_t reason;

	if (stage0_stop_parse(value, &reason))
		f->owner->stopped(f->owner, reason);
}

/* --- life ---------------------------------------------------------------- */

int vm_firmware_create(const struct vm_params *p, struct guest_mem *mem,
		       struct dma_view *view, struct vm_firmware_owner *owner,
		       struct vm_firmware **ret, struct err *err)
{
	static const struct power_sink_ops ops = {.debug_exit = on_stop};
	AUTO(vm_firmware_destroyp) struct vm_firmware *f = NULL;
	int r;

	if (!p->firmware)
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(err, -ENOMEM, "out of memory");
	f->owner = owner;
	f->stop_sink.ops = &ops;
	r = debug_exit_create(&f->stop_sink, &f->stop, err);
	if (!r)
		r = fw_cfg_create(view, &f->fw_cfg, err);
	if (!r)
		r = add_machine(f, p, err);
	if (!r)
		r = add_boot_order(f->fw_cfg, p->devices, err);
	if (!r)
		r = add_kernel(f->fw_cfg, p, err);
	if (!r)
		r = create_vars(f, p, mem, err);
	if (!r)
		*ret = TAKE(f);
	return r;
}

void vm_firmware_destroy(struct vm_firmware *f)
{
	if (!f)
		return;
	fw_cfg_destroy(f->fw_cfg);
	pflash_destroy(f->vars);
	debug_exit_destroy(f->stop);
	free(f);
}

int vm_firmware_plug(struct vm_firmware *f, struct bus *pio, struct bus *mmio,
		     struct err *err)
{
	int r;

	if (!f)
		return 0;
	r = bus_add(pio, PORT_FW_CFG, FW_CFG_PORTS, fw_cfg_bus_dev(f->fw_cfg));
	if (!r)
		r = bus_add(pio, PORT_STAGE0_STOP, DEBUG_EXIT_PORTS,
			    debug_exit_bus_dev(f->stop));
	if (!r && f->vars)
		r = bus_add(mmio, f->vars_gpa, f->vars_len,
			    pflash_bus_dev(f->vars));
	if (r < 0)
		return err_set_kind(err, ERR_INTERNAL, r,
				    "what firmware needs is taken");
	return 0;
}

void vm_firmware_counters(struct vm_firmware *f, struct counters *c)
{
	struct fw_cfg_counters n;
	struct pflash_counters v;

	if (!f)
		return;
	fw_cfg_counters(f->fw_cfg, &n);
	counters_add(c, "fw_cfg", "dma", n.dma);
	counters_add(c, "fw_cfg", "refused", n.refused);
	if (!f->vars)
		return;
	pflash_counters(f->vars, &v);
	counters_add(c, "nvram", "programs", v.programs);
	counters_add(c, "nvram", "erases", v.erases);
	counters_add(c, "nvram", "failed", v.failed);
}
