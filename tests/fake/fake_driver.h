/*
 * tests/fake/fake_driver.h - plays driver and transport for a virtio device,
 * over ordinary memory and without PCI.
 *
 * The device's io_thread is never started: the test is the thread, and calls
 * the device directly. What the device does later (a completion, a posted
 * call) happens in fake_driver_wait(), fake_driver_pump(), and
 * fake_driver_settle(), which run the loop of that thread.
 *
 *   f = fake_driver_create(&dev, NULL);
 *   fake_driver_activate(f);
 *   fake_driver_offer(f, 0, "ping", 4, 16);
 *   fake_driver_kick(f, 0);
 *   fake_driver_wait(f, 0);
 *   fake_driver_take(f, 0, &used, in, sizeof(in));
 *   fake_driver_destroy(f);
 */
#ifndef TESTS_FAKE_FAKE_DRIVER_H
#define TESTS_FAKE_FAKE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/virtio_dev.h"
#include "tests/fake/fake_ram.h"
#include "tests/fake/fake_ring.h"

struct fake_driver; /* opaque */

enum { FAKE_DRIVER_WAIT_MS = 10000 }; /* then a wait has failed */

struct fake_driver_opts {
	uint64_t ram_bytes;  /* 0: FAKE_RAM_BYTES */
	bool confidential;   /* rings and buffers are shared, no other page */
	uint64_t refuse;     /* feature bits not to be negotiated */
	uint16_t queue_size; /* at most so many entries; 0: no limit */
};

/* What the device asked of its transport, so far. */
struct fake_virtio_host {
	struct virtio_host host;
	unsigned int resets_done;
	unsigned int queue_resets_done[VIRTIO_DEV_QUEUES_MAX];
	unsigned int config_changes;
	unsigned int needs_reset; /* by the device, and by failed kicks */
};

/*
 * Builds memory, view and queues for @dev (borrowed), whose first part is
 * filled in. @o NULL: defaults. Queues are not enabled. Aborts the test when
 * memory is gone.
 */
struct fake_driver *fake_driver_create(struct virtio_dev *dev,
				       const struct fake_driver_opts *o);
/*
 * Resets the device if it is active (and asserts that it obeys), then frees
 * rings and memory. Before the device is destroyed. NULL is fine.
 */
void fake_driver_destroy(struct fake_driver *f);

/* Do not enable queue @q when activating. */
void fake_driver_skip_queue(struct fake_driver *f, unsigned int q);
/*
 * Negotiate what is offered (with VERSION_1, ACCESS_PLATFORM, RING_RESET if
 * it has that, indirect descriptors and event index), enable the queues,
 * activate, and kick every enabled queue.
 */
void fake_driver_activate(struct fake_driver *f);
/*
 * Reset the device and wait for reset_done(); false when it does not come.
 * Rings are empty afterwards.
 */
bool fake_driver_reset(struct fake_driver *f);
/* The two halves, for a test that has something to do in between. */
void fake_driver_reset_begin(struct fake_driver *f);
bool fake_driver_reset_wait(struct fake_driver *f);
/* One queue: reset and wait; then enable it again. */
bool fake_driver_queue_reset(struct fake_driver *f, unsigned int q);
void fake_driver_queue_enable(struct fake_driver *f, unsigned int q);

struct fake_virtio_host *fake_driver_host(struct fake_driver *f);
struct fake_ram *fake_driver_ram(struct fake_driver *f);
/* The driver's side of a queue: raw access, interrupt suppression. */
struct fake_ring *fake_driver_ring(struct fake_driver *f, unsigned int q);
/* Interrupts the device sent for @q since activation. */
unsigned int fake_driver_interrupts(struct fake_driver *f, unsigned int q);

/*
 * Offer @out_len bytes at @out and room for @in_len bytes; no part when its
 * length is 0. Direct descriptors. Returns the head, or -ENOSPC.
 */
int fake_driver_offer(struct fake_driver *f, unsigned int q, const void *out,
		      size_t out_len, size_t in_len);
/* Any chain: fake_ring_offer(). */
int fake_driver_add(struct fake_driver *f, unsigned int q,
		    const struct fake_buf *buf, size_t n, bool indirect);

/*
 * ops->kick(), whatever the device's suppression says. A negative result is
 * counted in host->needs_reset as well, and from then on kicks do nothing
 * and return it. For a queue that the device gave to the kernel it is a write
 * to that queue's eventfd.
 */
int fake_driver_kick(struct fake_driver *f, unsigned int q);

/* fake_ring_take(). */
bool fake_driver_take(struct fake_driver *f, unsigned int q,
		      struct fake_used *ret, void *in, size_t cap);

/* Run what the loop has ready, without waiting. */
void fake_driver_settle(struct fake_driver *f);
/* Run the loop until cond(arg), FAKE_DRIVER_WAIT_MS at most: false then. */
bool fake_driver_pump(struct fake_driver *f, bool (*cond)(void *arg),
		      void *arg);
/* Until something can be taken from @q. */
bool fake_driver_wait(struct fake_driver *f, unsigned int q);
/* Until @n chains can be taken from @q. */
bool fake_driver_wait_n(struct fake_driver *f, unsigned int q, unsigned int n);

#endif
