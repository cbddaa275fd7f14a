/*
 * vmm/supervisor/handover.h - everything a monitor gets before it makes the
 * machine, as messages.
 */
#ifndef VMM_SUPERVISOR_HANDOVER_H
#define VMM_SUPERVISOR_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

struct cpuid_table;
struct err;
struct launch_host;
struct run_config;
struct vm_devices_config;

struct handover {
	int channel;				 /* borrowed, non-blocking */
	const struct run_config *config;	 /* borrowed */
	const struct vm_devices_config *devices; /* borrowed */
	int kvm_fd;				 /* borrowed */
	const struct cpuid_table *cpuid; /* borrowed; what KVM supports */
	int console_fd;			 /* borrowed; -1: none */
	bool console_input; /* it is a stream socket, to be read, too */
	bool paused;	    /* begin so; protected: wait for the owner */
	const struct launch_host *launch; /* borrowed; NULL: not protected */
	int32_t key_serial;		  /* MKTME: 0: none */
	uint32_t key_syscall;
};

/*
 * Send all of it, and START. A monitor that does not listen is given
 * HANDOVER_PATIENCE_MS: at this time no guest has run, so it can be waited for.
 * -EPIPE: it is gone; it may have said why.
 */
enum { HANDOVER_PATIENCE_MS = 10000 };
int handover_send(const struct handover *h, struct err *err);

#endif
