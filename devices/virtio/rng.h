/*
 * devices/virtio/rng.h - virtio-rng (virtio 1.2, 5.4 "Entropy Device"): random
 * bytes of the host's kernel, by getrandom(2).
 *
 * A request gets at most RNG_REQUEST_MAX bytes, which the specification
 * allows. Together they get the rate, and after a pause up to the burst at
 * once; a request that comes too early waits in its queue for a timer.
 */
#ifndef DEVICES_VIRTIO_RNG_H
#define DEVICES_VIRTIO_RNG_H

#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct io_thread;
struct rng; /* opaque */
struct virtio_dev;

enum {
	RNG_QUEUE_SIZE = 64,
	RNG_REQUEST_MAX = 1024,	      /* bytes */
	RNG_RATE_DEFAULT = 1 << 20,   /* bytes per second */
	RNG_BURST_DEFAULT = 64 << 10, /* bytes */
};

/* Where time and bytes come from; a test has its own. */
struct rng_source_ops {
	uint64_t (*now_ns)(void *arg); /* monotonic */
	/* All of @len bytes, 1..RNG_REQUEST_MAX; negative: not now. */
	int (*fill)(void *arg, void *buf, size_t len);
};

struct rng_params {
	const char *name;	  /* borrowed; for messages: "rng0" */
	struct io_thread *thread; /* borrowed, not yet started */
	uint32_t rate;		  /* bytes per second; 0: RNG_RATE_DEFAULT */
	uint32_t burst;		  /* at least RNG_REQUEST_MAX; 0: default */
	const struct rng_source_ops *source; /* NULL: the kernel's */
	void *source_arg;
};

/* Since creation. */
struct rng_counters {
	uint64_t requests, bytes;
	uint64_t waits;	     /* for the rate, or for the source */
	uint64_t bad_chains; /* with nothing to write to, or something to read
			      */
};

/* -EINVAL: burst too small; -ENOMEM, or the errno of timerfd_create(2). */
int rng_create(const struct rng_params *p, struct rng **ret, struct err *err);
/* The thread has stopped. NULL is fine. */
void rng_destroy(struct rng *r);
DEFINE_CLEANUP(struct rng, rng_destroy)

/* To be plugged into a transport. */
struct virtio_dev *rng_virtio_dev(struct rng *r);

/* Any thread. */
void rng_counters(const struct rng *r, struct rng_counters *ret);

#endif
