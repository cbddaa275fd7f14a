/* sim/sim_trace.h - every call that was answered, as a line of JSON. */
#ifndef SIM_SIM_TRACE_H
#define SIM_SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/base/own.h"

struct err;
struct sim_trace; /* opaque */

/*
 * Write to @path, which is replaced; "-" is standard error. NULL: nowhere,
 * sim_trace_event() does nothing then.
 * ERR_INPUT, ERR_PERM: it cannot be opened
 */
int sim_trace_open(const char *path, struct sim_trace **ret, struct err *err);
void sim_trace_close(struct sim_trace *t);
DEFINE_CLEANUP(struct sim_trace, sim_trace_close)

/* Fields that are 0 or NULL are left out, result and error are not. */
struct sim_event {
	pid_t tid;
	const char *call;    /* "openat", "KVM_MEMORY_ENCRYPT_OP" */
	const char *command; /* "LAUNCH_START" */
	const char *path;
	int result;	 /* negative errno, or 0 */
	bool continued;	 /* the kernel did it itself */
	bool has_status; /* the firmware answered */
	uint32_t status;
	uint32_t vm, handle, asid; /* vm: counted from 1 */
	bool has_vcpu;
	uint32_t vcpu;
	uint64_t addr, len, touched;
	int32_t serial;		    /* of a key */
	unsigned int keyid, in_use; /* in_use: KeyIDs, with a serial */
	const uint8_t *digest;	    /* of a launch, 32 bytes */
	const char *note;
};

void sim_trace_event(struct sim_trace *t, const struct sim_event *e);

#endif
