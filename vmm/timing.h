/* vmm/timing.h - when a run reached which step (--print-timing). */
#ifndef VMM_TIMING_H
#define VMM_TIMING_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum timing_mark {
	TIMING_MAIN,	   /* main() was entered */
	TIMING_CONFIGURED, /* options parsed, files open */
	TIMING_HASHED,	   /* kernel and initrd, where none was known */
	TIMING_SPAWNED,	   /* the monitor's process exists */
	TIMING_OPENED,	   /* devices and console are open */
	TIMING_HANDED,	   /* and handed over */
	/* The marks from here on are the monitor's. */
	TIMING_MONITOR, /* main() of the monitor */
	TIMING_JAILED,	/* it has no privileges any more */
	TIMING_TAKEN,	/* it has everything it needs */
	TIMING_KVM,	/* the VM exists */
	TIMING_MEMORY,	/* RAM is mapped and known to KVM */
	TIMING_LOADED,	/* and the chips; kernel, initrd, tables are in place */
	TIMING_VCPUS,	/* vCPUs exist and have their state */
	TIMING_ENTRY,	/* just before the guest's first instruction */
	TIMING_MARK,	/* first byte the guest wrote to the debug port */
	TIMING_END,	/* the guest ended */
	TIMING_COUNT,
};

/* CLOCK_MONOTONIC in nanoseconds; 0: not reached. */
struct timing {
	_Atomic uint64_t at[TIMING_COUNT];
};

/* Record the first time; later calls for the same mark change nothing. */
void timing_mark(struct timing *t, enum timing_mark mark);
/*
 * Take the monitor's marks from an array of @n, by enum timing_mark. What
 * cannot be true is left out.
 */
void timing_merge(struct timing *t, const uint64_t *at, size_t n);
/* A table of what was reached: in the order of time: since
 * main, and since the step before. */
void timing_print(const struct timing *t, FILE *f);

#endif
