/*
 * vmm/bus.c - a sorted table of ranges.
 *
 * A device's callback runs without the lock, because it may move ranges of
 * this very bus (a BAR, PCIEXBAR). Devices outlive every vCPU thread, so an
 * access that is on its way to a range just removed still finds its device.
 */
#include "vmm/bus.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/checked.h"
#include "vmm/base/err.h"

struct bus_range {
	uint64_t base;
	uint64_t len;
	struct bus_dev *dev;
};

struct bus {
	struct bus_space space;
	uint64_t size;
	pthread_rwlock_t lock; /* n and r[] */
	size_t n;
	struct bus_range r[BUS_MAX_RANGES]; /* sorted by base, disjoint */
};

/* Index of the first range that ends after @addr. Lock held. */
static size_t lower_bound(const struct bus *b, uint64_t addr)
{
	size_t lo = 0, hi = b->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (b->r[mid].base + (b->r[mid].len - 1) < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int bus_add(struct bus *b, uint64_t base, uint64_t len, struct bus_dev *dev)
{
	int r = 0;
	size_t i;

	if (!len || !range_within(base, len, b->size))
		return -EINVAL;
	pthread_rwlock_wrlock(&b->lock);
	i = lower_bound(b, base);
	if (i < b->n && b->r[i].base <= base + (len - 1)) {
		r = -EEXIST;
	} else if (b->n == BUS_MAX_RANGES) {
		r = -ENOSPC;
	} else {
		memmove(&b->r[i + 1], &b->r[i], (b->n - i) * sizeof(b->r[0]));
		b->r[i] = (struct bus_range){base, len, dev};
		b->n++;
	}
	pthread_rwlock_unlock(&b->lock);
	return r;
}

void bus_remove(struct bus *b, uint64_t base, struct bus_dev *dev)
{
	size_t i;

	pthread_rwlock_wrlock(&b->lock);
	i = lower_bound(b, base);
	if (i < b->n && b->r[i].base == base && b->r[i].dev == dev) {
		b->n--;
		memmove(&b->r[i], &b->r[i + 1], (b->n - i) * sizeof(b->r[0]));
	}
	pthread_rwlock_unlock(&b->lock);
}

/* The device that has all of [addr, addr + width), and the offset in it. */
static struct bus_dev *find(struct bus *b, uint64_t addr, unsigned int width,
			    uint64_t *ret_off)
{
	struct bus_dev *dev = NULL;
	size_t i;

	pthread_rwlock_rdlock(&b->lock);
	i = lower_bound(b, addr);
	if (i < b->n && addr >= b->r[i].base &&
	    range_within(addr - b->r[i].base, width, b->r[i].len)) {
		dev = b->r[i].dev;
		*ret_off = addr - b->r[i].base;
	}
	pthread_rwlock_unlock(&b->lock);
	return dev;
}

uint64_t bus_read(struct bus *b, uint64_t addr, unsigned int width)
{
	uint64_t ones =
		width >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * width)) - 1;
	struct bus_dev *dev;
	uint64_t off = 0;

	dev = find(b, addr, width, &off);
	return dev ? dev->ops->read(dev, off, width) & ones : ones;
}

void bus_write(struct bus *b, uint64_t addr, unsigned int width, uint64_t val)
{
	struct bus_dev *dev;
	uint64_t off = 0;

	dev = find(b, addr, width, &off);
	if (dev)
		dev->ops->write(dev, off, width, val);
}

static int space_add(struct bus_space *s, uint64_t base, uint64_t len,
		     struct bus_dev *dev)
{
	return bus_add(container_of(s, struct bus, space), base, len, dev);
}

static void space_remove(struct bus_space *s, uint64_t base,
			 struct bus_dev *dev)
{
	bus_remove(container_of(s, struct bus, space), base, dev);
}

static const struct bus_space_ops space_ops = {
	.add = space_add,
	.remove = space_remove,
};

struct bus_space *bus_as_space(struct bus *b)
{
	return &b->space;
}

int bus_create(uint64_t size, struct bus **ret, struct err *err)
{
	struct bus *b = calloc(1, sizeof(*b));

	if (!b)
		return err_set(err, -ENOMEM, "out of memory");
	b->space.ops = &space_ops;
	b->size = size;
	pthread_rwlock_init(&b->lock, NULL);
	*ret = b;
	return 0;
}

void bus_destroy(struct bus *b)
{
	if (!b)
		return;
	pthread_rwlock_destroy(&b->lock);
	free(b);
}
