/*
 * vmm/vm_load.h - puts into guest memory what is there at the first
 * instruction: kernel, initrd, command line, tables.
 */
#ifndef VMM_VM_LOAD_H
#define VMM_VM_LOAD_H

#include <stdbool.h>

#include "crypto/sev_vmsa.h"
#include "firmware/boot_entry.h"

struct err;
struct guest_mem;
struct measured_boot;
struct vm_params;

/*
 * A guest that is not protected: for the kernel's fastest entry, with a random
 * seed, and nothing is listed or measured. @mem is fresh.
 * Errors are those of linux_boot.h, acpi_tables.h and smbios.h.
 */
int vm_load_plain(const struct vm_params *p, struct guest_mem *mem,
		  struct boot_entry *ret, struct err *err);

/*
 * The plan of a protected guest; *ret is owned by the caller. @profile counts
 * with @is_es only, as does @signature, CPUID 1 EAX. Errors of
 * measured_boot_create().
 */
int vm_load_plan(const struct vm_params *p, bool is_es,
		 enum sev_vmsa_profile profile, uint32_t signature,
		 struct measured_boot **ret, struct err *err);

/*
 * Load the plan over noise, as all RAM that is not launched looks to a guest
 * whose memory is encrypted.
 */
int vm_load_emulated(const struct vm_params *p, struct guest_mem *mem,
		     struct boot_entry *ret, struct err *err);

#endif
