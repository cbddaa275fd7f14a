/* tests/fake/fake_driver.c - see fake_driver.h. */
#include "tests/fake/fake_driver.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/io_thread.h"
#include "vmm/base/loop.h"
#include "vmm/base/own.h"

enum { STEP_MS = 20 };

struct queue {
	struct virtq_irq irq;
	struct fake_ring *ring;
	bool skip;
	bool in_kernel;
	int kick_fd, call_fd; /* -1 until the device wants them */
	unsigned int interrupts;
};

struct fake_driver {
	struct virtio_dev *dev; /* borrowed */
	struct fake_driver_opts o;
	struct fake_virtio_host host;
	struct fake_ram *ram;
	struct queue q[VIRTIO_DEV_QUEUES_MAX];
	struct virtq *virtq[VIRTIO_DEV_QUEUES_MAX];
	uint64_t accepted;
	bool active;
	int broken;
	unsigned int resets_before;
};

/* --- the transport's part ----------------------------------------------- */

static void reset_done(struct virtio_host *h)
{
	container_of(h, struct fake_virtio_host, host)->resets_done++;
}

static void queue_reset_done(struct virtio_host *h, unsigned int queue)
{
	assert(queue < VIRTIO_DEV_QUEUES_MAX);
	container_of(h, struct fake_virtio_host, host)
		->queue_resets_done[queue]++;
}

static void config_changed(struct virtio_host *h)
{
	container_of(h, struct fake_virtio_host, host)->config_changes++;
}

static void needs_reset(struct virtio_host *h)
{
	container_of(h, struct fake_virtio_host, host)->needs_reset++;
}

static int make_eventfd(int fd)
{
	if (fd < 0)
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(fd >= 0);
	return fd;
}

static int queue_to_kernel(struct virtio_host *h, unsigned int queue,
			   struct virtio_kernel_queue *ret)
{
	struct fake_virtio_host *host =
		container_of(h, struct fake_virtio_host, host);
	struct fake_driver *f = container_of(host, struct fake_driver, host);
	struct queue *q = &f->q[queue];

	if (queue >= f->dev->n_queues || !virtq_enabled(f->virtq[queue]))
		return -EINVAL;
	q->in_kernel = true;
	ret->layout = *virtq_layout(f->virtq[queue]);
	virtq_disable(f->virtq[queue]);
	ret->kick_fd = q->kick_fd = make_eventfd(q->kick_fd);
	ret->call_fd = q->call_fd = make_eventfd(q->call_fd);
	return 0;
}

static const struct virtio_host_ops host_ops = {
	.reset_done = reset_done,
	.queue_reset_done = queue_reset_done,
	.config_changed = config_changed,
	.needs_reset = needs_reset,
	.queue_to_kernel = queue_to_kernel,
};

static void interrupt(struct virtq_irq *irq)
{
	container_of(irq, struct queue, irq)->interrupts++;
}

static const struct virtq_irq_ops irq_ops = {.interrupt = interrupt};

/* --- life --------------------------------------------------------------- */

static void make_rings(struct fake_driver *f)
{
	for (unsigned int i = 0; i < f->dev->n_queues; i++) {
		uint16_t size = f->dev->queue_max[i];

		if (f->o.queue_size && size > f->o.queue_size)
			size = f->o.queue_size;
		f->q[i].ring = fake_ring_create(
			f->ram, size,
			f->accepted & BIT64(VIRTIO_F_INDIRECT_DESC),
			f->accepted & BIT64(VIRTIO_F_EVENT_IDX));
	}
}

struct fake_driver *fake_driver_create(struct virtio_dev *dev,
				       const struct fake_driver_opts *o)
{
	struct fake_driver *f = calloc(1, sizeof(*f));

	assert(f && dev->n_queues <= VIRTIO_DEV_QUEUES_MAX);
	f->dev = dev;
	if (o)
		f->o = *o;
	f->host.host.ops = &host_ops;
	f->ram = fake_ram_create(f->o.ram_bytes, f->o.confidential);
	f->accepted = dev->offered | BIT64(VIRTIO_F_VERSION_1) |
		      BIT64(VIRTIO_F_ACCESS_PLATFORM) |
		      BIT64(VIRTIO_F_INDIRECT_DESC) | BIT64(VIRTIO_F_EVENT_IDX);
	if (dev->ops->queue_reset)
		f->accepted |= BIT64(VIRTIO_F_RING_RESET);
	f->accepted &= ~f->o.refuse;
	for (unsigned int i = 0; i < dev->n_queues; i++) {
		int r;

		f->q[i].irq.ops = &irq_ops;
		f->q[i].kick_fd = f->q[i].call_fd = -1;
		r = virtq_create(fake_ram_view(f->ram), dev->queue_max[i],
				 &f->q[i].irq, &f->virtq[i], NULL);
		assert(!r);
	}
	make_rings(f);
	dev->host = &f->host.host;
	dev->q = f->virtq;
	return f;
}

void fake_driver_destroy(struct fake_driver *f)
{
	if (!f)
		return;
	if (f->active) {
		bool done = fake_driver_reset(f);

		assert(done);
	}
	for (unsigned int i = 0; i < f->dev->n_queues; i++) {
		fake_ring_destroy(f->q[i].ring);
		virtq_destroy(f->virtq[i]);
		fd_closep(&f->q[i].kick_fd);
		fd_closep(&f->q[i].call_fd);
	}
	f->dev->host = NULL;
	f->dev->q = NULL;
	fake_ram_destroy(f->ram);
	free(f);
}

/* --- states of the device ----------------------------------------------- */

void fake_driver_skip_queue(struct fake_driver *f, unsigned int q)
{
	assert(q < f->dev->n_queues);
	f->q[q].skip = true;
}

static void enable(struct fake_driver *f, unsigned int q)
{
	int r = virtq_enable(f->virtq[q], fake_ring_layout(f->q[q].ring));

	assert(!r);
}

void fake_driver_activate(struct fake_driver *f)
{
	assert(!f->active);
	f->active = true;
	f->dev->features = f->accepted;
	for (unsigned int i = 0; i < f->dev->n_queues; i++) {
		f->q[i].interrupts = 0;
		if (!f->q[i].skip)
			enable(f, i);
	}
	f->dev->ops->activate(f->dev);
	for (unsigned int i = 0; i < f->dev->n_queues; i++)
		if (!f->q[i].skip)
			fake_driver_kick(f, i);
}

void fake_driver_reset_begin(struct fake_driver *f)
{
	f->resets_before = f->host.resets_done;
	for (unsigned int i = 0; i < f->dev->n_queues; i++)
		virtq_disable(f->virtq[i]);
	f->dev->ops->reset(f->dev);
}

static bool is_reset(void *arg)
{
	struct fake_driver *f = arg;

	return f->host.resets_done != f->resets_before;
}

bool fake_driver_reset_wait(struct fake_driver *f)
{
	if (!fake_driver_pump(f, is_reset, f))
		return false;
	assert(f->host.resets_done == f->resets_before + 1);
	f->active = false;
	f->broken = 0;
	f->dev->features = 0;
	for (unsigned int i = 0; i < f->dev->n_queues; i++) {
		fake_ring_reset(f->q[i].ring);
		f->q[i].in_kernel = false;
	}
	return true;
}

bool fake_driver_reset(struct fake_driver *f)
{
	fake_driver_reset_begin(f);
	return fake_driver_reset_wait(f);
}

static bool was_called(void *arg)
{
	unsigned int *p = arg;

	return *p;
}

bool fake_driver_queue_reset(struct fake_driver *f, unsigned int q)
{
	unsigned int *done = &f->host.queue_resets_done[q], before = *done;
	bool r;

	assert(f->active && virtio_has(f->dev, VIRTIO_F_RING_RESET));
	*done = 0;
	virtq_disable(f->virtq[q]);
	f->dev->ops->queue_reset(f->dev, q);
	r = fake_driver_pump(f, was_called, done);
	*done += before;
	if (r)
		fake_ring_reset(f->q[q].ring);
	return r;
}

void fake_driver_queue_enable(struct fake_driver *f, unsigned int q)
{
	enable(f, q);
	fake_driver_kick(f, q);
}

/* --- access ------------------------------------------------------------- */

struct fake_virtio_host *fake_driver_host(struct fake_driver *f)
{
	return &f->host;
}

struct fake_ram *fake_driver_ram(struct fake_driver *f)
{
	return f->ram;
}

struct fake_ring *fake_driver_ring(struct fake_driver *f, unsigned int q)
{
	assert(q < f->dev->n_queues);
	return f->q[q].ring;
}

unsigned int fake_driver_interrupts(struct fake_driver *f, unsigned int q)
{
	assert(q < f->dev->n_queues);
	return f->q[q].interrupts;
}

int fake_driver_add(struct fake_driver *f, unsigned int q,
		    const struct fake_buf *buf, size_t n, bool indirect)
{
	return fake_ring_offer(fake_driver_ring(f, q), buf, n, indirect);
}

int fake_driver_offer(struct fake_driver *f, unsigned int q, const void *out,
		      size_t out_len, size_t in_len)
{
	struct fake_buf buf[2];
	size_t n = 0;

	if (out_len)
		buf[n++] = FAKE_OUT(out, out_len);
	if (in_len)
		buf[n++] = FAKE_IN(in_len);
	return fake_driver_add(f, q, buf, n, false);
}

int fake_driver_kick(struct fake_driver *f, unsigned int q)
{
	assert(q < f->dev->n_queues);
	if (f->broken)
		return f->broken;
	if (f->q[q].in_kernel) {
		uint64_t one = 1;
		ssize_t n = write(f->q[q].kick_fd, &one, sizeof(one));

		assert(n == sizeof(one));
		return 0;
	}
	f->broken = f->dev->ops->kick(f->dev, q);
	assert(f->broken <= 0);
	if (f->broken)
		f->host.needs_reset++;
	return f->broken;
}

bool fake_driver_take(struct fake_driver *f, unsigned int q,
		      struct fake_used *ret, void *in, size_t cap)
{
	return fake_ring_take(fake_driver_ring(f, q), ret, in, cap);
}

/* --- time --------------------------------------------------------------- */

void fake_driver_settle(struct fake_driver *f)
{
	if (!f->dev->thread)
		return;
	while (loop_step(io_thread_loop(f->dev->thread), 0) > 0)
		;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool fake_driver_pump(struct fake_driver *f, bool (*cond)(void *arg), void *arg)
{
	uint64_t end = now_ms() + FAKE_DRIVER_WAIT_MS;

	while (!cond(arg)) {
		if (!f->dev->thread || now_ms() > end)
			return false;
		loop_step(io_thread_loop(f->dev->thread), STEP_MS);
	}
	return true;
}

struct used_cond {
	struct fake_ring *ring;
	unsigned int n;
};

static bool has_used(void *arg)
{
	struct used_cond *c = arg;

	return fake_ring_n_used(c->ring) >= c->n;
}

bool fake_driver_wait_n(struct fake_driver *f, unsigned int q, unsigned int n)
{
	struct used_cond c = {fake_driver_ring(f, q), n};

	return fake_driver_pump(f, has_used, &c);
}

bool fake_driver_wait(struct fake_driver *f, unsigned int q)
{
	return fake_driver_wait_n(f, q, 1);
}
