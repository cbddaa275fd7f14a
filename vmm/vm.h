/*
 * vmm/vm.h - one VM from creation to its end: the only place that knows every
 * component. It gets descriptors, parsed images and numbers; it opens nothing
 * and parses nothing.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/image_file.h"
#include "mem/guest_mem.h"
#include "vmm/base/own.h"
#include "vmm/exit_status.h"

struct console;
struct counters;
struct cpuid_table;
struct err;
struct flash_image;
struct kernel_image;
struct launch_info;
struct launch_params;
struct loop;
struct timing;
struct vm; /* opaque */
struct vm_devices_config;

/* What others may want to know of a guest that goes on. */
enum vm_event {
	VM_EVENT_CRASH_KERNEL, /* it panicked, and runs a crash kernel */
	VM_EVENT_NEEDS_RESET,  /* a driver broke its device */
	VM_EVENT_COUNT,
};

/* All pointers are borrowed and outlive the VM. */
struct vm_params {
	int kvm_fd;			     /* not used after vm_create() */
	struct cpuid_table *supported_cpuid; /* by KVM; is not changed */
	uint64_t ram_bytes;
	struct guest_mem_opts mem;
	unsigned int n_cpus;
	/* What runs first; NULL: the kernel, which there is then. */
	const struct flash_image *firmware;
	const struct kernel_image *kernel; /* with firmware NULL: none */
	struct image_file initrd;	   /* len 0: none */
	struct image_file nvram;	   /* of firmware; len 0: none */
	/* For firmware, as in struct measured_boot_args. */
	const uint8_t *kernel_sha256, *initrd_sha256;
	const char *cmdline; /* NULL: the kernel image's own, or none */
	uint8_t uuid[16];
	const char *const *oem_strings;
	size_t n_oem_strings;
	bool debug_exit;
	/*
	 * The guest believes that SEV is on, uses bounce buffers and reports
	 * what it shares. Nothing is encrypted.
	 */
	bool emulate_c_bit;
	unsigned int c_bit; /* its position; 0: two below the highest */
	unsigned int c_bit_reduction; /* checked when given; 0: not given */
	bool dma_strict; /* a guest that reports nothing shares nothing */
	/*
	 * The guest is protected: NULL, or how it is launched (its origin,
	 * init2 and emulated are filled in), and the open /dev/sev, which
	 * stays open under this number as long as the VM lives.
	 */
	const struct launch_params *launch;
	int sev_fd;
	bool sev_is_device; /* /dev/sev is the driver's: sev_dev.h */
	const struct vm_devices_config *devices;
	struct console *console;
	struct loop *loop; /* loop_quit() is called when the guest has ended */
	/* After vm_pause(): no guest code runs. Loop's thread. May be NULL. */
	void (*paused)(void *arg);
	/*
	 * Loop's thread. May be NULL. @device is its name, or NULL. A guest
	 * can make many: the first 100 are told, the counters have all.
	 */
	void (*event)(void *arg, enum vm_event e, const char *device);
	void *owner_arg; /* of both */
	struct timing *timing;
};

/* Everything up to the first instruction. Nothing is left behind on failure. */
int vm_create(const struct vm_params *p, struct vm **ret, struct err *err);
/* NULL is fine; stops the vCPUs if they run. */
void vm_destroy(struct vm *vm);
DEFINE_CLEANUP(struct vm, vm_destroy)

/*
 * Of a protected guest, which vm_create() leaves measured: what is known of
 * its launch (-ENOTSUP: not protected), a secret for it, the end of the
 * launch, which vm_resume() needs, and a report of it when it runs. See
 * vmm/launch.h.
 */
int vm_launch_info(const struct vm *vm, struct launch_info *ret);
int vm_launch_secret(struct vm *vm, uint64_t gpa, const uint8_t hdr[static 52],
		     const void *payload, size_t len, struct err *err);
int vm_launch_finish(struct vm *vm, struct err *err);
int vm_launch_attest(struct vm *vm, const uint8_t nonce[static 16],
		     uint8_t report[static 208], struct err *err);

/*
 * Start the devices' threads. Those of the vCPUs are there, and held:
 * vm_resume() lets them run.
 */
int vm_start(struct vm *vm, struct err *err);
/*
 * Stop running guest code, and let it go on. Loop's thread. Pausing is told by
 * vm_params.paused, unless vm_resume() comes first; devices finish what they
 * have begun, and packets that arrive meanwhile still reach the guest's memory.
 */
void vm_pause(struct vm *vm);
void vm_resume(struct vm *vm);
/* Stop and join them. Idempotent. */
void vm_stop(struct vm *vm);

/* The ACPI power button. Any thread. */
void vm_power_button(struct vm *vm);

/*
 * End the guest from outside, unless it has ended already. Any thread.
 * @why is one line.
 */
void vm_end(struct vm *vm, enum run_how how, const char *why);

/* The disk at @lun has @bytes now: the guest is told. Any thread. */
void vm_resize_disk(struct vm *vm, unsigned int lun, uint64_t bytes);

/* Add what the DMA view and the devices have counted. Any thread. */
void vm_counters(struct vm *vm, struct counters *c);

/* How it ended. After vm_stop(). */
void vm_result(const struct vm *vm, struct run_result *ret);

#endif
