/* vmm/counters.h - what a run's devices counted, by device and name. */
#ifndef VMM_COUNTERS_H
#define VMM_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

enum { COUNTERS_MAX = 1024, COUNTER_NAME_MAX = 24 };

struct counter {
	char device[16]; /* "scsi0.lun1", "net0", "dma" */
	char name[COUNTER_NAME_MAX];
	uint64_t value;
};

/* Zero-initialised: empty. Freed by counters_free(). */
struct counters {
	size_t n, cap;
	struct counter *v; /* counters of a device stand together */
};

/* Dropped when there is no memory or COUNTERS_MAX are there. */
void counters_add(struct counters *c, const char *device, const char *name,
		  uint64_t value);
/* Empty again, so that it can be filled anew. */
void counters_clear(struct counters *c);
void counters_free(struct counters *c);

#endif
