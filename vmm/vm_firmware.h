/*
 * vmm/vm_firmware.h - what is different in a VM that starts with firmware: its
 * ROM, its store of variables, and what it is told through fw_cfg.
 */
#ifndef VMM_VM_FIRMWARE_H
#define VMM_VM_FIRMWARE_H

#include <stdint.h>

#include "vmm/base/own.h"

struct boot_entry;
struct bus;
struct counters;
struct dma_view;
struct err;
struct guest_mem;
struct vm_firmware; /* opaque */
struct vm_params;

/*
 * Room for the image, and for the store of variables below it. Before KVM is
 * given the memory. Nothing without p->firmware.
 */
int vm_firmware_add_memory(const struct vm_params *p, struct guest_mem *mem,
			   struct err *err);

/* Of the VM. */
struct vm_firmware_owner {
	/* stage0 stopped for a reason of stage0_reason.h. A vCPU's thread. */
	void (*stopped)(struct vm_firmware_owner *o, uint32_t reason);
	/* Where ECAM is now; 0: nowhere. A vCPU's thread. */
	uint64_t (*ecam)(struct vm_firmware_owner *o);
};

/*
 * fw_cfg with everything that @p names, and the store's flash, whose bytes it
 * loads. *ret stays NULL without p->firmware. All is borrowed.
 * -ENOTSUP     a kernel that firmware cannot start (ERR_INPUT)
 * -E2BIG       a kernel or initrd of 4 GiB or more (ERR_INPUT)
 * and the errors of acpi_tables.h and smbios.h.
 */
int vm_firmware_create(const struct vm_params *p, struct guest_mem *mem,
		       struct dma_view *view, struct vm_firmware_owner *owner,
		       struct vm_firmware **ret, struct err *err);
/* No vCPU runs. NULL is fine. */
void vm_firmware_destroy(struct vm_firmware *f);
DEFINE_CLEANUP(struct vm_firmware, vm_firmware_destroy)

/* Put its devices on the machine's buses. NULL is fine. */
int vm_firmware_plug(struct vm_firmware *f, struct bus *pio, struct bus *mmio,
		     struct err *err);

/*
 * The image into its ROM, for a guest that is not protected; and a copy of its
 * last 128 KiB below 1 MiB, where old firmware looks for itself.
 */
int vm_firmware_load(const struct vm_params *p, struct guest_mem *mem,
		     struct boot_entry *ret, struct err *err);

/* NULL is fine. */
void vm_firmware_counters(struct vm_firmware *f, struct counters *c);

#endif
