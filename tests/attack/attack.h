/*
 * tests/attack/attack.h - what somebody tries who has taken over the monitor:
 * code of their choice in one of its threads, once it is locked down.
 */
#ifndef TESTS_ATTACK_ATTACK_H
#define TESTS_ATTACK_ATTACK_H

#include <stddef.h>

struct io_uring;

struct attempt {
	const char *name; /* "openat of a file" */
	/*
	 * What the system call returned, or -errno. Nothing that is >= 0 may
	 * come back.
	 */
	long (*fn)(void);
};

/* System calls, for every kind of thread. */
extern const struct attempt attack_calls[];
extern const size_t attack_n_calls;

/* Operations of the disks' ring, for the thread that has one. */
extern const struct attempt attack_ring_ops[];
extern const size_t attack_n_ring_ops;
/* The ring, as soon as there is one. */
void attack_ring_found(struct io_uring *ring);

#endif
