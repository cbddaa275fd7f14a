/* vmm/timing.c - time stamps of a run. */
#include "vmm/timing.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void timing_mark(struct timing *t, enum timing_mark mark)
{
	uint64_t none = 0;

	if (!atomic_load(&t->at[mark]))
		atomic_compare_exchange_strong(&t->at[mark], &none, now_ns());
}

void timing_print(const struct timing *t, FILE *f)
{
	static const char *const names[TIMING_COUNT] = {
		[TIMING_MAIN] = "main",	    [TIMING_CONFIGURED] = "configured",
		[TIMING_KVM] = "kvm",	    [TIMING_MEMORY] = "memory",
		[TIMING_LOADED] = "loaded", [TIMING_VCPUS] = "vcpus",
		[TIMING_ENTRY] = "entry",   [TIMING_MARK] = "mark",
		[TIMING_END] = "end",
	};
	uint64_t start = t->at[TIMING_MAIN], last = start;

	fprintf(f, "timing: main at %" PRIu64 ".%09" PRIu64 " s (monotonic)\n",
		start / 1000000000, start % 1000000000);
	fprintf(f, "timing: %-12s %12s %12s\n", "step", "since main",
		"since step");
	for (int i = TIMING_CONFIGURED; i < TIMING_COUNT; i++) {
		uint64_t at = t->at[i];

		if (!at)
			continue;
		fprintf(f, "timing: %-12s %9.3f ms %9.3f ms\n", names[i],
			(double)(at - start) / 1e6, (double)(at - last) / 1e6);
		last = at;
	}
}
