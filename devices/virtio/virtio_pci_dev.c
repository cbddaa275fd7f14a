/* devices/virtio/virtio_pci_dev.c - what happens in the device's thread. */
#include "devices/virtio/virtio_pci_impl.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "devices/pci/msix.h"
#include "vmm/base/loop.h"

/* --- interrupts --------------------------------------------------------- */

/*
 * True when it was sent. A driver without MSI-X gets no interrupt and polls;
 * what it would have been is in the ISR status.
 */
static bool notify(struct virtio_pci *v, uint16_t vector)
{
	return vector != VIRTIO_MSI_NO_VECTOR && !msix_notify(v->msix, vector);
}

static void queue_interrupt(struct virtq_irq *irq)
{
	struct vpci_queue *q = container_of(irq, struct vpci_queue, irq);

	atomic_fetch_add_explicit(&q->v->n_interrupts, 1, memory_order_relaxed);
	if (!notify(q->v, atomic_load(&q->vector)))
		atomic_fetch_or(&q->v->isr, VIRTIO_ISR_QUEUE);
}

const struct virtq_irq_ops vpci_irq_ops = {.interrupt = queue_interrupt};

/* Under the lock. A driver that is not ready has nothing to be told. */
static void config_interrupt(struct virtio_pci *v)
{
	if (v->resetting || !(v->status & VIRTIO_STATUS_DRIVER_OK))
		return;
	atomic_fetch_or(&v->isr, VIRTIO_ISR_CONFIG);
	(void)notify(v, v->config_vector);
}

static void config_changed(struct virtio_host *h)
{
	struct virtio_pci *v = container_of(h, struct virtio_pci, host);

	pthread_mutex_lock(&v->lock);
	v->generation++;
	config_interrupt(v);
	pthread_mutex_unlock(&v->lock);
}

/* Once; the device is not kicked again before it was reset. */
static void needs_reset(struct virtio_host *h)
{
	struct virtio_pci *v = container_of(h, struct virtio_pci, host);

	if (v->stopped)
		return;
	v->stopped = true;
	atomic_fetch_add_explicit(&v->n_broken, 1, memory_order_relaxed);
	pthread_mutex_lock(&v->lock);
	if (!v->resetting) {
		v->status |= VIRTIO_STATUS_NEEDS_RESET;
		config_interrupt(v);
	}
	pthread_mutex_unlock(&v->lock);
	if (v->p.broken)
		v->p.broken(v->p.broken_arg);
}

/* --- kicks -------------------------------------------------------------- */

static void kick(struct vpci_queue *q)
{
	struct virtio_pci *v = q->v;

	if (q->live && !v->stopped && v->dev->ops->kick(v->dev, q->index) < 0)
		needs_reset(&v->host);
}

void vpci_on_kick(void *arg, int fd, uint32_t events)
{
	struct vpci_queue *q = arg;
	uint64_t count;

	(void)events;
	/* one that comes before activation is made up for then */
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		return;
	atomic_fetch_add_explicit(&q->v->n_kicks, 1, memory_order_relaxed);
	kick(q);
}

/* --- starting ----------------------------------------------------------- */

/* Has the driver enabled @q since we looked? Then *ret is what it chose. */
static bool take_start(struct vpci_queue *q, struct virtq_layout *ret)
{
	bool start;

	pthread_mutex_lock(&q->v->lock);
	start = q->want_start;
	q->want_start = false;
	*ret = q->l;
	pthread_mutex_unlock(&q->v->lock);
	return start;
}

/* Make @q live if it is to be; false: its rings are unusable. */
static bool start_queue(struct vpci_queue *q, bool *ret_started)
{
	struct virtq_layout l;

	*ret_started = false;
	if (!take_start(q, &l))
		return true;
	if (virtq_enable(q->q, &l) < 0)
		return false;
	q->live = *ret_started = true;
	return true;
}

static void activate(struct virtio_pci *v, uint64_t features)
{
	bool ok = true, started;

	v->dev->features = features;
	for (unsigned int i = 0; i < v->dev->n_queues; i++)
		ok &= start_queue(&v->q[i], &started);
	if (!ok) {
		needs_reset(&v->host);
		return;
	}
	v->active = true;
	v->dev->ops->activate(v->dev);
	for (unsigned int i = 0; i < v->dev->n_queues; i++)
		kick(&v->q[i]);
}

/* Queues that were enabled after activation. */
static void start_late(struct virtio_pci *v)
{
	for (unsigned int i = 0; i < v->dev->n_queues; i++) {
		bool started;

		if (!start_queue(&v->q[i], &started))
			needs_reset(&v->host);
		else if (started)
			kick(&v->q[i]);
	}
}

static int queue_to_kernel(struct virtio_host *h, unsigned int queue,
			   struct virtio_kernel_queue *ret)
{
	struct virtio_pci *v = container_of(h, struct virtio_pci, host);
	struct vpci_queue *q;
	uint16_t vector;
	uint64_t one = 1;
	ssize_t n;
	int r;

	if (queue >= v->dev->n_queues || !v->q[queue].live)
		return -EINVAL;
	q = &v->q[queue];
	r = loop_set_events(q->source, 0);
	if (r < 0)
		return r;
	q->live = false;
	q->in_kernel = true;
	ret->layout = *virtq_layout(q->q);
	virtq_disable(q->q);
	vector = atomic_load(&q->vector);
	ret->kick_fd = q->kick_fd;
	ret->call_fd = vector == VIRTIO_MSI_NO_VECTOR
			       ? -1
			       : msix_eventfd(v->msix, vector);
	/* we may have taken a kick that was meant for it */
	n = write(q->kick_fd, &one, sizeof(one));
	(void)n;
	return 0;
}

/* --- resets ------------------------------------------------------------- */

/* A device that says so unasked, or once too often, is not heard. */
static bool reset_is_due(struct virtio_pci *v)
{
	bool due;

	pthread_mutex_lock(&v->lock);
	due = v->resetting && !v->want_reset;
	pthread_mutex_unlock(&v->lock);
	return due;
}

static void reset_done(struct virtio_host *h)
{
	struct virtio_pci *v = container_of(h, struct virtio_pci, host);

	if (!reset_is_due(v))
		return;
	for (unsigned int i = 0; i < v->dev->n_queues; i++) {
		if (v->q[i].in_kernel)
			loop_set_events(v->q[i].source, EPOLLIN);
		v->q[i].in_kernel = false;
	}
	v->dev->features = 0;
	v->active = v->stopped = false;
	pthread_mutex_lock(&v->lock);
	vpci_reset_registers(v);
	pthread_mutex_unlock(&v->lock);
}

static void disable_queues(struct virtio_pci *v)
{
	for (unsigned int i = 0; i < v->dev->n_queues; i++) {
		v->q[i].live = false;
		virtq_disable(v->q[i].q);
	}
}

static void reset(struct virtio_pci *v)
{
	atomic_fetch_add_explicit(&v->n_resets, 1, memory_order_relaxed);
	disable_queues(v);
	v->dev->ops->reset(v->dev);
}

/* Let go of the guest's memory. Nobody waits for the end of this reset. */
static void halt(struct virtio_pci *v)
{
	disable_queues(v);
	if (v->active)
		v->dev->ops->reset(v->dev);
	v->active = false;
	v->stopped = true;
}

static void queue_reset_done(struct virtio_host *h, unsigned int queue)
{
	struct virtio_pci *v = container_of(h, struct virtio_pci, host);

	pthread_mutex_lock(&v->lock);
	/* it may come after the reset of the device that overtook it */
	if (queue < v->dev->n_queues && v->q[queue].resetting &&
	    !v->q[queue].want_stop && !v->resetting)
		vpci_reset_queue_registers(&v->q[queue]);
	pthread_mutex_unlock(&v->lock);
}

static void stop_queues(struct virtio_pci *v)
{
	for (unsigned int i = 0; i < v->dev->n_queues; i++) {
		struct vpci_queue *q = &v->q[i];
		bool stop;

		pthread_mutex_lock(&v->lock);
		stop = q->want_stop;
		q->want_stop = false;
		pthread_mutex_unlock(&v->lock);
		if (!stop)
			continue;
		q->live = false;
		virtq_disable(q->q);
		if (v->active)
			v->dev->ops->queue_reset(v->dev, i);
		else
			queue_reset_done(&v->host, i);
	}
}

const struct virtio_host_ops vpci_host_ops = {
	.reset_done = reset_done,
	.queue_reset_done = queue_reset_done,
	.config_changed = config_changed,
	.needs_reset = needs_reset,
	.queue_to_kernel = queue_to_kernel,
};

void vpci_work(void *arg)
{
	struct virtio_pci *v = arg;
	bool want_reset, want_halt, want_activate;
	uint64_t features;

	pthread_mutex_lock(&v->lock);
	want_reset = v->want_reset;
	want_halt = v->want_halt;
	want_activate = v->want_activate;
	v->want_reset = v->want_halt = v->want_activate = false;
	features = v->driver_features;
	pthread_mutex_unlock(&v->lock);
	if (want_reset) {
		reset(v);
		return; /* all that was asked before it is void */
	}
	if (want_halt)
		halt(v);
	else if (want_activate)
		activate(v, features);
	if (v->active)
		start_late(v);
	stop_queues(v);
}
