/*
 * tests/unit/pci_bus_fixture.h - a bus over fake port and memory spaces, and
 * functions that remember what was done to them.
 */
#ifndef TESTS_UNIT_PCI_BUS_FIXTURE_H
#define TESTS_UNIT_PCI_BUS_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdlib.h>

#include "devices/pci/pci_bus.h"
#include "mem/mem_map.h"
#include "tests/fake/fake_bus_space.h"

enum { N_FUNCS = 4 };

/* A function whose registers remember the last access. */
struct dev {
	struct pci_func func;
	struct bus_dev bar;
	uint64_t last_off, last_val;
	unsigned int n_written, n_reading, last_cfg_off, last_width;
	unsigned int n_remapped;
	uint64_t mapped_at;
};

struct fixture {
	struct fake_bus_space *pio, *mmio;
	struct pci_bus *bus;
	struct dev dev[N_FUNCS];
	struct bus_dev reset;
	unsigned int n_resets;
	uint64_t reset_val;
};

static inline uint64_t bar_read(struct bus_dev *b, uint64_t off,
				unsigned int width)
{
	struct dev *d = container_of(b, struct dev, bar);

	(void)width;
	d->last_off = off;
	return d->func.cfg.data[PCI_DEVICE_ID];
}

static inline void bar_write(struct bus_dev *b, uint64_t off,
			     unsigned int width, uint64_t val)
{
	struct dev *d = container_of(b, struct dev, bar);

	(void)width;
	d->last_off = off;
	d->last_val = val;
}

static const struct bus_dev_ops bar_ops = {bar_read, bar_write};

static inline void cfg_written(struct pci_func *f, unsigned int off,
			       unsigned int width)
{
	struct dev *d = container_of(f, struct dev, func);

	d->n_written++;
	d->last_cfg_off = off;
	d->last_width = width;
}

static inline void cfg_reading(struct pci_func *f, unsigned int off,
			       unsigned int width)
{
	struct dev *d = container_of(f, struct dev, func);

	d->n_reading++;
	if (off <= 0x80 && off + width > 0x80)
		pci_cfg_set8(&f->cfg, 0x80, (uint8_t)d->n_reading);
}

static inline void remapped(struct pci_func *f)
{
	struct dev *d = container_of(f, struct dev, func);
	const struct pci_window *w = &f->window[0];

	d->n_remapped++;
	d->mapped_at = w->mapped_len ? w->mapped_at : 0;
}

static const struct pci_func_ops func_ops = {
	.cfg_written = cfg_written,
	.cfg_reading = cfg_reading,
	.remapped = remapped,
};

static inline uint64_t reset_read(struct bus_dev *b, uint64_t off,
				  unsigned int width)
{
	(void)b;
	assert_int_equal(off, 0);
	assert_int_equal(width, 1);
	return 0x5a;
}

static inline void reset_write(struct bus_dev *b, uint64_t off,
			       unsigned int width, uint64_t val)
{
	struct fixture *f = container_of(b, struct fixture, reset);

	assert_int_equal(off, 0);
	assert_int_equal(width, 1);
	f->n_resets++;
	f->reset_val = val;
}

static const struct bus_dev_ops reset_ops = {reset_read, reset_write};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->pio = fake_bus_space_create();
	f->mmio = fake_bus_space_create();
	f->reset.ops = &reset_ops;
	assert_int_equal(pci_bus_create(fake_bus_space(f->pio),
					fake_bus_space(f->mmio), &f->reset,
					&f->bus, NULL),
			 0);
	for (unsigned int i = 0; i < N_FUNCS; i++) {
		struct pci_ids ids = {
			.vendor = 0x1af4,
			.device = (uint16_t)(0x10a0 + i),
		};

		f->dev[i].bar.ops = &bar_ops;
		f->dev[i].func.ops = &func_ops;
		pci_cfg_init(&f->dev[i].func.cfg, &ids);
	}
	/* an ECAM window, as the host bridge would place it */
	assert_int_equal(fake_bus_space(f->mmio)->ops->add(
				 fake_bus_space(f->mmio), MEM_ECAM_BASE,
				 MEM_ECAM_SIZE, pci_bus_ecam(f->bus)),
			 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	fake_bus_space(f->mmio)->ops->remove(
		fake_bus_space(f->mmio), MEM_ECAM_BASE, pci_bus_ecam(f->bus));
	pci_bus_destroy(f->bus);
	/* both assert that the bus took everything with it */
	fake_bus_space_destroy(f->pio);
	fake_bus_space_destroy(f->mmio);
	free(f);
	return 0;
}

static inline void add_dev(struct fixture *f, unsigned int i,
			   unsigned int devfn)
{
	assert_int_equal(pci_bus_add(f->bus, &f->dev[i].func, devfn, NULL), 0);
}

static inline uint64_t ecam(unsigned int devfn, unsigned int off)
{
	return MEM_ECAM_BASE + (devfn << 12) + off;
}

static inline uint64_t cfg_rd(struct fixture *f, unsigned int devfn,
			      unsigned int off, unsigned int width)
{
	return fake_bus_read(f->mmio, ecam(devfn, off), width);
}

static inline void cfg_wr(struct fixture *f, unsigned int devfn,
			  unsigned int off, unsigned int width, uint64_t val)
{
	fake_bus_write(f->mmio, ecam(devfn, off), width, val);
}

static inline void outl(struct fixture *f, uint16_t port, uint32_t val)
{
	fake_bus_write(f->pio, port, 4, val);
}

#endif
