/*
 * tests/fake/fake_queue.h - a virtqueue with both of its ends: the driver's
 * (fake_ring) and the device's (virtq), over memory of its own.
 */
#ifndef TESTS_FAKE_FAKE_QUEUE_H
#define TESTS_FAKE_FAKE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "devices/virtio/virtq.h"
#include "tests/fake/fake_ram.h"
#include "tests/fake/fake_ring.h"

enum {
	FAKE_QUEUE_SIZE = 8, /* the device offers twice as many */
	FAKE_QUEUE_RAM = 4 << 20,
};

struct fake_queue {
	struct fake_ram *ram;
	struct fake_ring *ring;
	struct virtq *q;
	struct virtq_chain c; /* for the test to use */
	struct virtq_irq irq;
	unsigned int interrupts;
};

/* Enabled. Aborts the test when memory is gone. */
struct fake_queue *fake_queue_create(bool confidential, bool indirect,
				     bool event_idx);
void fake_queue_destroy(struct fake_queue *f);

/* A text to read (NULL: none) and room to write, in direct descriptors. */
int fake_queue_offer(struct fake_queue *f, const char *out, size_t in_len);
/* One chain there and back; asserts that it works. */
void fake_queue_round_trip(struct fake_queue *f);

#endif
