/* vmm/base/now.h - the time since some moment, which nobody sets back. */
#ifndef VMM_BASE_NOW_H
#define VMM_BASE_NOW_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC, in nanoseconds. Any thread. */
static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The same, in milliseconds. */
static inline uint64_t now_ms(void)
{
	return now_ns() / 1000000;
}

#endif
