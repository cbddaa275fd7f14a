/* tests/fake/fake_queue.c - see fake_queue.h. */
#include "tests/fake/fake_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void on_interrupt(struct virtq_irq *irq)
{
	container_of(irq, struct fake_queue, irq)->interrupts++;
}

static const struct virtq_irq_ops irq_ops = {.interrupt = on_interrupt};

struct fake_queue *fake_queue_create(bool confidential, bool indirect,
				     bool event_idx)
{
	struct fake_queue *f = calloc(1, sizeof(*f));
	int r;

	assert(f);
	f->irq.ops = &irq_ops;
	f->ram = fake_ram_create(FAKE_QUEUE_RAM, confidential);
	f->ring =
		fake_ring_create(f->ram, FAKE_QUEUE_SIZE, indirect, event_idx);
	r = virtq_create(fake_ram_view(f->ram), 2 * FAKE_QUEUE_SIZE, &f->irq,
			 &f->q, NULL);
	assert(!r);
	r = virtq_enable(f->q, fake_ring_layout(f->ring));
	assert(!r);
	virtq_chain_init(&f->c);
	return f;
}

void fake_queue_destroy(struct fake_queue *f)
{
	if (!f)
		return;
	virtq_chain_free(&f->c);
	virtq_destroy(f->q);
	fake_ring_destroy(f->ring);
	fake_ram_destroy(f->ram);
	free(f);
}

int fake_queue_offer(struct fake_queue *f, const char *out, size_t in_len)
{
	struct fake_buf b[2];
	size_t n = 0;

	if (out)
		b[n++] = FAKE_OUT(out, strlen(out));
	if (in_len)
		b[n++] = FAKE_IN(in_len);
	return fake_ring_offer(f->ring, b, n, false);
}

void fake_queue_round_trip(struct fake_queue *f)
{
	struct fake_used u;
	char in[4] = "";
	int head = fake_queue_offer(f, "ping", 4);
	int r = virtq_pop(f->q, &f->c);
	bool back;

	assert(head >= 0 && r == 1);
	r = virtq_chain_write(&f->c, 0, "pong", 4);
	assert(!r);
	virtq_push(f->q, &f->c, 4);
	virtq_flush(f->q);
	back = fake_ring_take(f->ring, &u, in, sizeof(in));
	assert(back && u.written == 4 && !memcmp(in, "pong", 4));
}
