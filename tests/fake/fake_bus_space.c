/* tests/fake/fake_bus_space.c - see fake_bus_space.h. */
#include "tests/fake/fake_bus_space.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/own.h"

struct range {
	uint64_t base, len;
	struct bus_dev *dev;
};

struct fake_bus_space {
	struct bus_space space;
	pthread_mutex_t lock; /* not held while a device is called */
	struct range r[FAKE_BUS_MAX_RANGES];
	size_t n;
};

static int add(struct bus_space *s, uint64_t base, uint64_t len,
	       struct bus_dev *dev)
{
	struct fake_bus_space *f =
		container_of(s, struct fake_bus_space, space);
	uint64_t end;
	int r = 0;

	assert(len && dev && checked_add(base, len - 1, &end));
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->n; i++)
		if (range_overlaps(base, len, f->r[i].base, f->r[i].len))
			r = -EEXIST;
	if (!r && f->n == FAKE_BUS_MAX_RANGES)
		r = -ENOSPC;
	if (!r)
		f->r[f->n++] = (struct range){base, len, dev};
	pthread_mutex_unlock(&f->lock);
	return r;
}

static void remove_range(struct bus_space *s, uint64_t base,
			 struct bus_dev *dev)
{
	struct fake_bus_space *f =
		container_of(s, struct fake_bus_space, space);
	size_t i = 0;

	pthread_mutex_lock(&f->lock);
	while (i < f->n && (f->r[i].base != base || f->r[i].dev != dev))
		i++;
	/* nobody may remove what it has not added */
	assert(i < f->n);
	f->r[i] = f->r[--f->n];
	pthread_mutex_unlock(&f->lock);
}

static const struct bus_space_ops ops = {add, remove_range};

struct fake_bus_space *fake_bus_space_create(void)
{
	struct fake_bus_space *f = calloc(1, sizeof(*f));

	assert(f);
	f->space.ops = &ops;
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void fake_bus_space_destroy(struct fake_bus_space *f)
{
	if (!f)
		return;
	assert(!f->n);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

struct bus_space *fake_bus_space(struct fake_bus_space *f)
{
	return &f->space;
}

/* The range in which all of [addr, addr + width) lies. */
static struct bus_dev *find(struct fake_bus_space *f, uint64_t addr,
			    unsigned int width, uint64_t *ret_base)
{
	struct bus_dev *dev = NULL;

	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < f->n; i++)
		if (addr >= f->r[i].base &&
		    range_within(addr - f->r[i].base, width, f->r[i].len)) {
			dev = f->r[i].dev;
			*ret_base = f->r[i].base;
		}
	pthread_mutex_unlock(&f->lock);
	return dev;
}

uint64_t fake_bus_read(struct fake_bus_space *f, uint64_t addr,
		       unsigned int width)
{
	uint64_t base, mask = width >= 8 ? UINT64_MAX : BIT64(8 * width) - 1;
	struct bus_dev *dev = find(f, addr, width, &base);

	if (!dev)
		return mask;
	return dev->ops->read(dev, addr - base, width) & mask;
}

void fake_bus_write(struct fake_bus_space *f, uint64_t addr, unsigned int width,
		    uint64_t val)
{
	uint64_t base;
	struct bus_dev *dev = find(f, addr, width, &base);

	if (dev)
		dev->ops->write(dev, addr - base, width, val);
}

struct bus_dev *fake_bus_find(struct fake_bus_space *f, uint64_t addr,
			      uint64_t *ret_base)
{
	return find(f, addr, 1, ret_base);
}

size_t fake_bus_n_ranges(struct fake_bus_space *f)
{
	return f->n;
}
