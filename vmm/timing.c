/* vmm/timing.c - time stamps of a run. */
#include "vmm/timing.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "vmm/base/now.h"

void timing_mark(struct timing *t, enum timing_mark mark)
{
	uint64_t none = 0;

	if (!atomic_load(&t->at[mark]))
		atomic_compare_exchange_strong(&t->at[mark], &none, now_ns());
}

void timing_merge(struct timing *t, const uint64_t *at, size_t n)
{
	uint64_t now = now_ns();

	for (size_t i = TIMING_MONITOR; i < TIMING_COUNT && i < n; i++)
		if (at[i] >= t->at[TIMING_MAIN] && at[i] <= now)
			t->at[i] = at[i];
}

/* Two processes work at the same time: in the order in which it happened. */
static size_t sort(const struct timing *t, uint8_t order[static TIMING_COUNT])
{
	size_t n = 0;

	for (size_t i = TIMING_CONFIGURED; i < TIMING_COUNT; i++) {
		size_t at = n;

		if (!t->at[i])
			continue;
		for (; at && t->at[order[at - 1]] > t->at[i]; at--)
			order[at] = order[at - 1];
		order[at] = (uint8_t)i;
		n++;
	}
	return n;
}

void timing_print(const struct timing *t, FILE *f)
{
	static const char *const names[TIMING_COUNT] = {
		[TIMING_MAIN] = "main",
		[TIMING_CONFIGURED] = "configured",
		[TIMING_HASHED] = "hashed",
		[TIMING_SPAWNED] = "spawned",
		[TIMING_OPENED] = "opened",
		[TIMING_HANDED] = "handed",
		[TIMING_MONITOR] = "monitor",
		[TIMING_JAILED] = "jailed",
		[TIMING_TAKEN] = "taken",
		[TIMING_KVM] = "kvm",
		[TIMING_MEMORY] = "memory",
		[TIMING_LOADED] = "loaded",
		[TIMING_VCPUS] = "vcpus",
		[TIMING_ENTRY] = "entry",
		[TIMING_MARK] = "mark",
		[TIMING_END] = "end",
	};
	uint64_t start = t->at[TIMING_MAIN], last = start;
	uint8_t order[TIMING_COUNT];
	size_t n = sort(t, order);

	fprintf(f, "timing: main at %" PRIu64 ".%09" PRIu64 " s (monotonic)\n",
		start / 1000000000, start % 1000000000);
	fprintf(f, "timing: %-12s %-10s %12s %12s\n", "step", "process",
		"since main", "since step");
	for (size_t i = 0; i < n; i++) {
		uint64_t at = t->at[order[i]];

		fprintf(f, "timing: %-12s %-10s %9.3f ms %9.3f ms\n",
			names[order[i]],
			order[i] < TIMING_MONITOR ? "supervisor" : "monitor",
			(double)(at - start) / 1e6, (double)(at - last) / 1e6);
		last = at;
	}
}
