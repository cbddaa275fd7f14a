/* tests/fake/fake_irq.c - see fake_irq.h. */
#include "tests/fake/fake_irq.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct binding {
	bool used;
	int fd;
	struct msi_msg msg;
};

struct fake_irq {
	struct irq_sink sink;
	pthread_mutex_t lock;
	struct binding b[FAKE_IRQ_MAX_BINDINGS];
	size_t n_bound, limit, changes;
	int error;
	struct msi_msg sent[FAKE_IRQ_MAX_SENT];
	size_t n_sent;
	bool level[IOAPIC_PINS];
	size_t raised[IOAPIC_PINS];
};

static void record(struct fake_irq *f, const struct msi_msg *msg)
{
	if (f->n_sent < FAKE_IRQ_MAX_SENT)
		f->sent[f->n_sent] = *msg;
	f->n_sent++;
}

/* A blocking eventfd must not be read when nothing is there. */
static void consume(struct fake_irq *f, struct binding *b)
{
	struct pollfd p = {.fd = b->fd, .events = POLLIN};
	uint64_t count;

	if (poll(&p, 1, 0) == 1 &&
	    read(b->fd, &count, sizeof(count)) == sizeof(count))
		record(f, &b->msg);
}

static void consume_all(struct fake_irq *f)
{
	for (size_t i = 0; i < FAKE_IRQ_MAX_BINDINGS; i++)
		if (f->b[i].used)
			consume(f, &f->b[i]);
}

static void set_line(struct irq_sink *s, unsigned int gsi, bool level)
{
	struct fake_irq *f = container_of(s, struct fake_irq, sink);

	assert(gsi < IOAPIC_PINS);
	pthread_mutex_lock(&f->lock);
	if (level && !f->level[gsi])
		f->raised[gsi]++;
	f->level[gsi] = level;
	pthread_mutex_unlock(&f->lock);
}

static int send_msi(struct irq_sink *s, const struct msi_msg *msg)
{
	struct fake_irq *f = container_of(s, struct fake_irq, sink);
	int r;

	pthread_mutex_lock(&f->lock);
	r = f->error;
	if (!r)
		record(f, msg);
	pthread_mutex_unlock(&f->lock);
	return r;
}

static int bind_fd(struct irq_sink *s, int fd, const struct msi_msg *msg,
		   unsigned int *ret_route)
{
	struct fake_irq *f = container_of(s, struct fake_irq, sink);
	unsigned int i = 0;
	int r = -ENOSPC;

	pthread_mutex_lock(&f->lock);
	if (f->n_bound < f->limit) {
		while (f->b[i].used)
			i++;
		f->b[i] = (struct binding){true, fd, *msg};
		f->n_bound++;
		f->changes++;
		consume(f, &f->b[i]);
		*ret_route = i;
		r = 0;
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

static int rebind(struct irq_sink *s, unsigned int route,
		  const struct msi_msg *msg)
{
	struct fake_irq *f = container_of(s, struct fake_irq, sink);
	int r;

	pthread_mutex_lock(&f->lock);
	assert(route < FAKE_IRQ_MAX_BINDINGS && f->b[route].used);
	r = f->error;
	if (!r) {
		consume(f, &f->b[route]);
		f->b[route].msg = *msg;
		f->changes++;
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

static void unbind(struct irq_sink *s, unsigned int route)
{
	struct fake_irq *f = container_of(s, struct fake_irq, sink);

	pthread_mutex_lock(&f->lock);
	assert(route < FAKE_IRQ_MAX_BINDINGS && f->b[route].used);
	consume(f, &f->b[route]);
	f->b[route].used = false;
	f->n_bound--;
	f->changes++;
	pthread_mutex_unlock(&f->lock);
}

static const struct irq_sink_ops ops = {
	.set_line = set_line,
	.send_msi = send_msi,
	.bind = bind_fd,
	.rebind = rebind,
	.unbind = unbind,
};

struct fake_irq *fake_irq_create(void)
{
	struct fake_irq *f = calloc(1, sizeof(*f));

	assert(f);
	f->sink.ops = &ops;
	f->limit = FAKE_IRQ_MAX_BINDINGS;
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void fake_irq_destroy(struct fake_irq *f)
{
	if (!f)
		return;
	assert(!f->n_bound);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

struct irq_sink *fake_irq_sink(struct fake_irq *f)
{
	return &f->sink;
}

void fake_irq_limit_bindings(struct fake_irq *f, size_t n)
{
	assert(n <= FAKE_IRQ_MAX_BINDINGS);
	f->limit = n;
}

void fake_irq_fail(struct fake_irq *f, int error)
{
	f->error = error;
}

size_t fake_irq_n_sent(struct fake_irq *f)
{
	size_t n;

	pthread_mutex_lock(&f->lock);
	consume_all(f);
	n = f->n_sent;
	pthread_mutex_unlock(&f->lock);
	return n;
}

struct msi_msg fake_irq_sent(struct fake_irq *f, size_t i)
{
	assert(i < f->n_sent && i < FAKE_IRQ_MAX_SENT);
	return f->sent[i];
}

size_t fake_irq_n_changes(struct fake_irq *f)
{
	return f->changes;
}

size_t fake_irq_n_bound(struct fake_irq *f)
{
	return f->n_bound;
}

bool fake_irq_level(struct fake_irq *f, unsigned int gsi)
{
	bool level;

	assert(gsi < IOAPIC_PINS);
	pthread_mutex_lock(&f->lock);
	level = f->level[gsi];
	pthread_mutex_unlock(&f->lock);
	return level;
}

size_t fake_irq_n_raised(struct fake_irq *f, unsigned int gsi)
{
	size_t n;

	assert(gsi < IOAPIC_PINS);
	pthread_mutex_lock(&f->lock);
	n = f->raised[gsi];
	pthread_mutex_unlock(&f->lock);
	return n;
}
