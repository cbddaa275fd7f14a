/* devices/pci/msix.c - masks vectors by binding and unbinding their eventfds.
 */
#include "devices/pci/msix.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/irq_sink.h"
#include "devices/pci/pci_cfg.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

/* PCI Local Bus 3.0, 6.8.2 */
enum {
	CAP_CONTROL = 2, /* offsets in the capability */
	CAP_TABLE = 4,
	CAP_PBA = 8,
	CONTROL_MASKALL = 0x4000,
	CONTROL_ENABLE = 0x8000,
	ENTRY_LEN = 16, /* and offsets in a table entry */
	ENTRY_ADDRESS = 0,
	ENTRY_DATA = 8,
	ENTRY_CONTROL = 12,
	ENTRY_MASKED = 1,
	PBA_WORD_BITS = 64,
};

struct vector {
	uint8_t entry[ENTRY_LEN]; /* as the guest reads it */
	int fd;
	/*
	 * Written under the lock. msix_notify() looks at it without: whoever
	 * sees an old true leaves an event in the eventfd, where it is
	 * pending, which is right for a vector that was just masked.
	 */
	atomic_bool bound;
	unsigned int route;
	struct msi_msg msg; /* while bound */
};

struct msix {
	struct bus_dev dev;
	struct pci_cfg *cfg;   /* borrowed */
	struct irq_sink *sink; /* borrowed */
	unsigned int cap;      /* offset of the capability */
	unsigned int n;

	pthread_mutex_t lock; /* control and all vectors */
	uint16_t control;
	struct vector v[];
};

static uint32_t pba_off(unsigned int n)
{
	return n * ENTRY_LEN;
}

uint32_t msix_block_len(unsigned int n)
{
	return pba_off(n) + (n + PBA_WORD_BITS - 1) / PBA_WORD_BITS * 8;
}

/* --- vectors, under the lock -------------------------------------------- */

static bool enabled(const struct msix *m)
{
	return m->control & CONTROL_ENABLE;
}

static bool can_fire(const struct msix *m, const struct vector *v)
{
	return enabled(m) && !(m->control & CONTROL_MASKALL) &&
	       !(load_le32(v->entry + ENTRY_CONTROL) & ENTRY_MASKED);
}

static struct msi_msg message(const struct vector *v)
{
	return (struct msi_msg){
		.address = load_le64(v->entry + ENTRY_ADDRESS),
		.data = load_le32(v->entry + ENTRY_DATA),
	};
}

/* Take what is pending. The eventfd does not block. */
static bool drain(struct vector *v)
{
	uint64_t count;

	return read(v->fd, &count, sizeof(count)) == sizeof(count);
}

static void bind_vector(struct msix *m, struct vector *v)
{
	struct msi_msg msg = message(v);

	/* the sink sends what is pending, too */
	if (!m->sink->ops->bind(m->sink, v->fd, &msg, &v->route)) {
		v->msg = msg;
		atomic_store(&v->bound, true);
		return;
	}
	/* out of routes: it works all the same, with one more system call */
	if (drain(v))
		(void)m->sink->ops->send_msi(m->sink, &msg);
}

static void unbind_vector(struct msix *m, struct vector *v)
{
	atomic_store(&v->bound, false);
	m->sink->ops->unbind(m->sink, v->route);
}

static void update(struct msix *m, struct vector *v)
{
	bool bound = atomic_load(&v->bound);
	struct msi_msg msg;

	if (!can_fire(m, v)) {
		if (bound)
			unbind_vector(m, v);
		return;
	}
	if (!bound) {
		bind_vector(m, v);
		return;
	}
	/* changed while unmasked, which a driver should not do */
	msg = message(v);
	if (msg.address == v->msg.address && msg.data == v->msg.data)
		return;
	if (m->sink->ops->rebind(m->sink, v->route, &msg) < 0) {
		unbind_vector(m, v);
		return;
	}
	v->msg = msg;
}

/* --- the guest's side --------------------------------------------------- */

void msix_cfg_written(struct msix *m, unsigned int off, unsigned int width)
{
	uint16_t control;

	if (!range_overlaps(off, width, m->cap, MSIX_CAP_LEN))
		return;
	pthread_mutex_lock(&m->lock);
	control = pci_cfg_get16(m->cfg, m->cap + CAP_CONTROL);
	if (control != m->control) {
		bool enable = !enabled(m) && (control & CONTROL_ENABLE);

		m->control = control;
		for (unsigned int i = 0; i < m->n; i++) {
			/* nothing is pending from before it was enabled */
			if (enable)
				(void)drain(&m->v[i]);
			update(m, &m->v[i]);
		}
	}
	pthread_mutex_unlock(&m->lock);
}

/* Is vector @i masked with an event waiting? A bound one never waits. */
static bool pending(const struct msix *m, unsigned int i)
{
	struct pollfd p = {.fd = m->v[i].fd, .events = POLLIN};

	return enabled(m) && !atomic_load(&m->v[i].bound) &&
	       poll(&p, 1, 0) == 1;
}

static uint8_t read_byte(const struct msix *m, uint64_t off)
{
	uint64_t first;
	uint8_t val = 0;

	if (off < pba_off(m->n))
		return m->v[off / ENTRY_LEN].entry[off % ENTRY_LEN];
	first = (off - pba_off(m->n)) * 8;
	for (unsigned int i = 0; i < 8 && first + i < m->n; i++)
		if (pending(m, (unsigned int)first + i))
			val |= (uint8_t)(1u << i);
	return val;
}

static uint64_t block_read(struct bus_dev *dev, uint64_t off,
			   unsigned int width)
{
	struct msix *m = container_of(dev, struct msix, dev);
	uint64_t val = 0;

	pthread_mutex_lock(&m->lock);
	for (unsigned int i = 0; i < width; i++)
		val |= (uint64_t)read_byte(m, off + i) << (8 * i);
	pthread_mutex_unlock(&m->lock);
	return val;
}

static void write_dword(struct vector *v, uint64_t off, uint32_t val)
{
	switch (off) {
	case ENTRY_ADDRESS:
		val &= ~3u; /* a message is a dword write */
		break;
	case ENTRY_CONTROL:
		val &= ENTRY_MASKED; /* the others are reserved */
		break;
	}
	store_le32(v->entry + off, val);
}

static void block_write(struct bus_dev *dev, uint64_t off, unsigned int width,
			uint64_t val)
{
	struct msix *m = container_of(dev, struct msix, dev);
	struct vector *v;

	/* pending bits are read-only */
	if ((width != 4 && width != 8) || !is_aligned(off, width) ||
	    off >= pba_off(m->n))
		return;
	pthread_mutex_lock(&m->lock);
	v = &m->v[off / ENTRY_LEN];
	write_dword(v, off % ENTRY_LEN, (uint32_t)val);
	if (width == 8)
		write_dword(v, off % ENTRY_LEN + 4, (uint32_t)(val >> 32));
	update(m, v);
	pthread_mutex_unlock(&m->lock);
}

static const struct bus_dev_ops block_ops = {block_read, block_write};

struct bus_dev *msix_dev(struct msix *m)
{
	return &m->dev;
}

/* --- the device's side -------------------------------------------------- */

/*
 * Cannot fail but for a full counter, 2^64 - 2 events, where one more makes
 * no difference.
 */
static void signal_vector(struct vector *v)
{
	uint64_t one = 1;
	ssize_t n = write(v->fd, &one, sizeof(one));

	(void)n;
}

int msix_notify(struct msix *m, unsigned int vector)
{
	struct vector *v;
	int r = 0;

	if (vector >= m->n)
		return -EINVAL;
	v = &m->v[vector];
	if (atomic_load(&v->bound)) {
		signal_vector(v);
		return 0;
	}
	pthread_mutex_lock(&m->lock);
	if (!enabled(m)) {
		r = -ENXIO;
	} else if (atomic_load(&v->bound) || !can_fire(m, v)) {
		signal_vector(v);
	} else {
		struct msi_msg msg = message(v);

		r = m->sink->ops->send_msi(m->sink, &msg);
	}
	pthread_mutex_unlock(&m->lock);
	return r;
}

int msix_eventfd(const struct msix *m, unsigned int vector)
{
	return vector < m->n ? m->v[vector].fd : -EINVAL;
}

/* --- set-up ------------------------------------------------------------- */

static int add_capability(struct msix *m, unsigned int bar, uint32_t off)
{
	int cap = pci_cfg_add_cap(m->cfg, PCI_CAP_ID_MSIX, MSIX_CAP_LEN);

	if (cap < 0)
		return cap;
	m->cap = (unsigned int)cap;
	m->control = (uint16_t)(m->n - 1); /* table size, encoded */
	pci_cfg_set16(m->cfg, m->cap + CAP_CONTROL, m->control);
	pci_cfg_mask16(m->cfg, m->cap + CAP_CONTROL,
		       CONTROL_ENABLE | CONTROL_MASKALL);
	pci_cfg_set32(m->cfg, m->cap + CAP_TABLE, off | bar);
	pci_cfg_set32(m->cfg, m->cap + CAP_PBA, (off + pba_off(m->n)) | bar);
	return 0;
}

int msix_create(struct pci_cfg *cfg, struct irq_sink *sink, unsigned int n,
		unsigned int bar, uint32_t off, struct msix **ret,
		struct err *err)
{
	AUTO(msix_destroyp) struct msix *m = NULL;
	int r;

	assert(n >= 1 && n <= MSIX_MAX_VECTORS && bar < PCI_N_BARS &&
	       is_aligned(off, 8));
	m = calloc(1, sizeof(*m) + n * sizeof(m->v[0]));
	if (!m)
		return err_set(err, -ENOMEM, "out of memory");
	m->dev.ops = &block_ops;
	m->cfg = cfg;
	m->sink = sink;
	m->n = n;
	pthread_mutex_init(&m->lock, NULL);
	for (unsigned int i = 0; i < n; i++) {
		m->v[i].fd = -1;
		store_le32(m->v[i].entry + ENTRY_CONTROL, ENTRY_MASKED);
	}
	for (unsigned int i = 0; i < n; i++) {
		m->v[i].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (m->v[i].fd < 0)
			return err_set_kind(
				err, ERR_HOST, -errno,
				"cannot make interrupt eventfd %u of %u: %s; "
				"raise the limit of open files (ulimit -n)",
				i + 1, n, strerror(errno));
	}
	r = add_capability(m, bar, off);
	if (r < 0)
		return err_set(err, r,
			       "no room for MSI-X in configuration space");
	*ret = TAKE(m);
	return 0;
}

void msix_destroy(struct msix *m)
{
	if (!m)
		return;
	for (unsigned int i = 0; i < m->n; i++) {
		if (atomic_load(&m->v[i].bound))
			unbind_vector(m, &m->v[i]);
		if (m->v[i].fd >= 0)
			close(m->v[i].fd);
	}
	pthread_mutex_destroy(&m->lock);
	free(m);
}
