/* devices/virtio/rng.c - random bytes, at a rate. */
#include "devices/virtio/rng.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "devices/virtio/virtio_dev.h"
#include "vmm/base/err.h"
#include "vmm/base/io_thread.h"
#include "vmm/base/loop.h"

enum {
	PCI_CLASS_OTHER = 0xff0000, /* none of the defined ones */
	RETRY_MS = 100,		    /* when the source has nothing */
	BAD_MAX = 16, /* chains in a row, then others have a turn */
};
#define NS_PER_S UINT64_C(1000000000)

struct rng {
	struct virtio_dev dev;
	const struct rng_source_ops *source;
	void *source_arg;
	uint32_t rate, burst;
	uint64_t tokens;   /* bytes that may be given now, at most burst */
	uint64_t since_ns; /* when they were counted */
	struct loop_source *timer;
	bool waiting; /* for the timer, holding the chain */
	bool active;
	struct virtq_chain chain;
	_Atomic uint64_t requests, bytes, waits, bad_chains;
};

/* --- the kernel's source ------------------------------------------------ */

static uint64_t kernel_now_ns(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static int kernel_fill(void *arg, void *buf, size_t len)
{
	uint8_t *p = buf;

	(void)arg;
	while (len) {
		ssize_t n = getrandom(p, len, GRND_NONBLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static const struct rng_source_ops kernel_source = {
	.now_ns = kernel_now_ns,
	.fill = kernel_fill,
};

/* --- the rate ----------------------------------------------------------- */

static void count(_Atomic uint64_t *c, uint64_t n)
{
	/* the device's thread is the only writer */
	uint64_t v = atomic_load_explicit(c, memory_order_relaxed);

	atomic_store_explicit(c, v + n, memory_order_relaxed);
}

/* Add what the time since the last call was worth. */
static void refill(struct rng *r)
{
	uint64_t now = r->source->now_ns(r->source_arg);
	uint64_t passed = now - r->since_ns, earned;

	/* more than this fills any bucket, and less cannot overflow */
	if (passed >= ((uint64_t)r->burst / r->rate + 1) * NS_PER_S) {
		r->tokens = r->burst;
		r->since_ns = now;
		return;
	}
	earned = passed * r->rate / NS_PER_S;
	/* keep the fraction of a byte: count only the time that was used */
	r->since_ns += earned * NS_PER_S / r->rate;
	r->tokens += earned;
	if (r->tokens > r->burst)
		r->tokens = r->burst;
}

static void wait_ms(struct rng *r, uint64_t ms)
{
	r->waiting = true;
	count(&r->waits, 1);
	loop_set_timer(r->timer, ms ? ms : 1);
}

/* --- requests ----------------------------------------------------------- */

/* Answer the chain that is held; false: it has to wait for the timer. */
static bool answer(struct rng *r, struct virtq *q)
{
	uint8_t buf[RNG_REQUEST_MAX];
	size_t len = sizeof(buf);

	if (r->chain.in_len < len)
		len = (size_t)r->chain.in_len;
	refill(r);
	if (r->tokens < len) {
		wait_ms(r, (len - r->tokens) * 1000 / r->rate + 1);
		return false;
	}
	if (r->source->fill(r->source_arg, buf, len) < 0) {
		wait_ms(r, RETRY_MS);
		return false;
	}
	r->tokens -= len;
	virtq_chain_write(&r->chain, 0, buf, len);
	explicit_bzero(buf, len);
	count(&r->requests, 1);
	count(&r->bytes, len);
	virtq_push(q, &r->chain, (uint32_t)len);
	return true;
}

/* Until the queue is empty or the tokens are gone: both are bounded. */
static int run(struct rng *r)
{
	struct virtq *q = r->dev.q[0];
	unsigned int bad = 0;
	int n = 0;

	if (r->waiting)
		return 0;
	while (bad < BAD_MAX && (n = virtq_pop(q, &r->chain)) > 0) {
		if (r->chain.n_out || !r->chain.in_len) {
			count(&r->bad_chains, 1);
			virtq_push(q, &r->chain, 0);
			bad++;
		} else if (!answer(r, q)) {
			break;
		}
	}
	virtq_flush(q);
	if (n > 0 && !r->waiting)
		loop_set_timer(r->timer, 1);
	return n < 0 ? n : 0;
}

static void on_timer(void *arg)
{
	struct rng *r = arg;

	if (!r->active)
		return;
	if (r->waiting) {
		r->waiting = false;
		if (!answer(r, r->dev.q[0]))
			return;
	}
	if (run(r) < 0)
		r->dev.host->ops->needs_reset(r->dev.host);
}

/* --- the transport's calls ---------------------------------------------- */

static void forget(struct rng *r)
{
	loop_set_timer(r->timer, 0);
	r->waiting = false;
}

static void rng_activate(struct virtio_dev *dev)
{
	container_of(dev, struct rng, dev)->active = true;
}

static void rng_reset(struct virtio_dev *dev)
{
	struct rng *r = container_of(dev, struct rng, dev);

	r->active = false;
	forget(r);
	dev->host->ops->reset_done(dev->host);
}

static void rng_queue_reset(struct virtio_dev *dev, unsigned int queue)
{
	forget(container_of(dev, struct rng, dev));
	dev->host->ops->queue_reset_done(dev->host, queue);
}

static int rng_kick(struct virtio_dev *dev, unsigned int queue)
{
	struct rng *r = container_of(dev, struct rng, dev);

	(void)queue;
	return r->active ? run(r) : 0;
}

static const struct virtio_dev_ops ops = {
	.activate = rng_activate,
	.reset = rng_reset,
	.queue_reset = rng_queue_reset,
	.kick = rng_kick,
};

/* --- life --------------------------------------------------------------- */

int rng_create(const struct rng_params *p, struct rng **ret, struct err *err)
{
	AUTO(rng_destroyp) struct rng *r = NULL;
	int e;

	if (p->burst && p->burst < RNG_REQUEST_MAX)
		return err_set(err, -EINVAL,
			       "%s: a burst of %u bytes is less than one "
			       "request, %d",
			       p->name, p->burst, RNG_REQUEST_MAX);
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(err, -ENOMEM, "out of memory");
	r->source = p->source ? p->source : &kernel_source;
	r->source_arg = p->source_arg;
	r->rate = p->rate ? p->rate : RNG_RATE_DEFAULT;
	r->burst = p->burst ? p->burst : RNG_BURST_DEFAULT;
	r->tokens = r->burst;
	r->since_ns = r->source->now_ns(r->source_arg);
	r->dev = (struct virtio_dev){
		.ops = &ops,
		.name = p->name,
		.type = VIRTIO_ID_RNG,
		.pci_class = PCI_CLASS_OTHER,
		.n_queues = 1,
		.queue_max = {RNG_QUEUE_SIZE},
		.thread = p->thread,
	};
	e = loop_add_timer(io_thread_loop(p->thread), on_timer, r, &r->timer);
	if (e < 0)
		return err_set(err, e, "%s: timer: %s", p->name, strerror(-e));
	*ret = TAKE(r);
	return 0;
}

void rng_destroy(struct rng *r)
{
	if (!r)
		return;
	loop_remove(r->timer);
	virtq_chain_free(&r->chain);
	free(r);
}

struct virtio_dev *rng_virtio_dev(struct rng *r)
{
	return &r->dev;
}

void rng_counters(const struct rng *r, struct rng_counters *ret)
{
	*ret = (struct rng_counters){
		.requests = atomic_load(&r->requests),
		.bytes = atomic_load(&r->bytes),
		.waits = atomic_load(&r->waits),
		.bad_chains = atomic_load(&r->bad_chains),
	};
}
