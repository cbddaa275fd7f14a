/* tests/unit/test_pci_bus.c - configuration accesses, BARs that move. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "devices/pci/pci_bus.h"
#include "mem/mem_map.h"
#include "tests/fake/fake_bus_space.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

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

static uint64_t bar_read(struct bus_dev *b, uint64_t off, unsigned int width)
{
	struct dev *d = container_of(b, struct dev, bar);

	(void)width;
	d->last_off = off;
	return d->func.cfg.data[PCI_DEVICE_ID];
}

static void bar_write(struct bus_dev *b, uint64_t off, unsigned int width,
		      uint64_t val)
{
	struct dev *d = container_of(b, struct dev, bar);

	(void)width;
	d->last_off = off;
	d->last_val = val;
}

static const struct bus_dev_ops bar_ops = {bar_read, bar_write};

static void cfg_written(struct pci_func *f, unsigned int off,
			unsigned int width)
{
	struct dev *d = container_of(f, struct dev, func);

	d->n_written++;
	d->last_cfg_off = off;
	d->last_width = width;
}

static void cfg_reading(struct pci_func *f, unsigned int off,
			unsigned int width)
{
	struct dev *d = container_of(f, struct dev, func);

	d->n_reading++;
	if (off <= 0x80 && off + width > 0x80)
		pci_cfg_set8(&f->cfg, 0x80, (uint8_t)d->n_reading);
}

static void remapped(struct pci_func *f)
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

static uint64_t reset_read(struct bus_dev *b, uint64_t off, unsigned int width)
{
	(void)b;
	assert_int_equal(off, 0);
	assert_int_equal(width, 1);
	return 0x5a;
}

static void reset_write(struct bus_dev *b, uint64_t off, unsigned int width,
			uint64_t val)
{
	struct fixture *f = container_of(b, struct fixture, reset);

	assert_int_equal(off, 0);
	assert_int_equal(width, 1);
	f->n_resets++;
	f->reset_val = val;
}

static const struct bus_dev_ops reset_ops = {reset_read, reset_write};

static int setup(void **state)
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

static int teardown(void **state)
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

static void add_dev(struct fixture *f, unsigned int i, unsigned int devfn)
{
	assert_int_equal(pci_bus_add(f->bus, &f->dev[i].func, devfn, NULL), 0);
}

static uint64_t ecam(unsigned int devfn, unsigned int off)
{
	return MEM_ECAM_BASE + (devfn << 12) + off;
}

static uint64_t cfg_rd(struct fixture *f, unsigned int devfn, unsigned int off,
		       unsigned int width)
{
	return fake_bus_read(f->mmio, ecam(devfn, off), width);
}

static void cfg_wr(struct fixture *f, unsigned int devfn, unsigned int off,
		   unsigned int width, uint64_t val)
{
	fake_bus_write(f->mmio, ecam(devfn, off), width, val);
}

static void outl(struct fixture *f, uint16_t port, uint32_t val)
{
	fake_bus_write(f->pio, port, 4, val);
}

/* --- configuration accesses --------------------------------------------- */

static void ports_and_ecam_reach_the_same_registers(void **state)
{
	struct fixture *f = *state;

	add_dev(f, 0, 0x10);
	outl(f, PORT_PCI_ADDRESS, 0x80001000);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA, 4), 0x10a01af4);
	assert_int_equal(cfg_rd(f, 0x10, 0, 4), 0x10a01af4);
	/* bytes and words of the data port */
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA, 1), 0xf4);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA + 1, 1), 0x1a);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA + 2, 2), 0x10a0);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA + 3, 1), 0x10);
	outl(f, PORT_PCI_ADDRESS, 0x8000103c);
	fake_bus_write(f->pio, PORT_PCI_DATA, 1, 0x0b);
	assert_int_equal(cfg_rd(f, 0x10, PCI_INTERRUPT_LINE, 1), 0x0b);
	cfg_wr(f, 0x10, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	outl(f, PORT_PCI_ADDRESS, 0x80001004);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA, 2),
			 PCI_COMMAND_MASTER);
	assert_int_equal(f->dev[0].n_written, 2);
	assert_int_equal(f->dev[0].last_cfg_off, PCI_COMMAND);
	assert_int_equal(f->dev[0].last_width, 2);
}

static void where_no_function_is_reads_as_ones(void **state)
{
	struct fixture *f = *state;

	add_dev(f, 0, 0x10);
	assert_int_equal(cfg_rd(f, 0x11, 0, 4), 0xffffffff);
	assert_int_equal(cfg_rd(f, 0x08, 0, 2), 0xffff);
	outl(f, PORT_PCI_ADDRESS, 0x80000800);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA, 1), 0xff);
	/* bus 1 has nothing, not even at the same place */
	outl(f, PORT_PCI_ADDRESS, 0x80011000);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA, 4), 0xffffffff);
	outl(f, PORT_PCI_DATA, 0);
	assert_int_equal(fake_bus_read(f->mmio, ecam(0x10, 0) + (1 << 20), 4),
			 0xffffffff);
	fake_bus_write(f->mmio, ecam(0x10, 4) + (1 << 20), 2, 0xffff);
	assert_int_equal(f->dev[0].n_written, 0);
	assert_int_equal(f->dev[0].n_reading, 0);
}

static void the_address_register_is_a_dword(void **state)
{
	struct fixture *f = *state;

	add_dev(f, 0, 0);
	outl(f, PORT_PCI_ADDRESS, 0xffffffff);
	/* reserved bits are 0 */
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_ADDRESS, 4),
			 0x80fffffc);
	outl(f, PORT_PCI_ADDRESS, 0x80000000);
	fake_bus_write(f->pio, PORT_PCI_ADDRESS, 1, 0x11);
	fake_bus_write(f->pio, PORT_PCI_ADDRESS, 2, 0x1111);
	fake_bus_write(f->pio, PORT_PCI_ADDRESS + 2, 2, 0x1111);
	/* Linux writes this byte before it looks for mechanism 1 */
	fake_bus_write(f->pio, PORT_PCI_ADDRESS + 3, 1, 1);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_ADDRESS, 4),
			 0x80000000);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_ADDRESS, 2), 0xffff);
	/* straddling both registers is nothing */
	fake_bus_write(f->pio, PORT_PCI_ADDRESS + 2, 4, 0);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_ADDRESS + 2, 4),
			 0xffffffff);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_ADDRESS, 4),
			 0x80000000);
}

static void the_data_port_is_dead_unless_enabled(void **state)
{
	struct fixture *f = *state;

	add_dev(f, 0, 0);
	outl(f, PORT_PCI_ADDRESS, 0x00000004);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_DATA, 4), 0xffffffff);
	outl(f, PORT_PCI_DATA, 0xffff);
	assert_int_equal(f->dev[0].n_written, 0);
	assert_int_equal(cfg_rd(f, 0, PCI_COMMAND, 2), 0);
}

static void the_reset_port_lies_inside_the_address_register(void **state)
{
	struct fixture *f = *state;

	outl(f, PORT_PCI_ADDRESS, 0x80001234);
	assert_int_equal(f->n_resets, 0);
	fake_bus_write(f->pio, PORT_RESET_CTL, 1, 0x06);
	assert_int_equal(f->n_resets, 1);
	assert_int_equal(f->reset_val, 0x06);
	assert_int_equal(fake_bus_read(f->pio, PORT_RESET_CTL, 1), 0x5a);
	assert_int_equal(fake_bus_read(f->pio, PORT_RESET_CTL, 2), 0xffff);
	fake_bus_write(f->pio, PORT_RESET_CTL, 2, 0x06);
	assert_int_equal(f->n_resets, 1);
	assert_int_equal(fake_bus_read(f->pio, PORT_PCI_ADDRESS, 4),
			 0x80001234);
}

static void a_bus_without_a_reset_port_ignores_it(void **state)
{
	struct fake_bus_space *pio = fake_bus_space_create();
	struct pci_bus *b = NULL;

	(void)state;
	assert_int_equal(pci_bus_create(fake_bus_space(pio),
					fake_bus_space(pio), NULL, &b, NULL),
			 0);
	fake_bus_write(pio, PORT_RESET_CTL, 1, 0x06);
	assert_int_equal(fake_bus_read(pio, PORT_RESET_CTL, 1), 0xff);
	pci_bus_destroy(b);
	fake_bus_space_destroy(pio);
}

static void ports_that_are_taken_are_an_error(void **state)
{
	struct fixture *f = *state;
	struct pci_bus *b = NULL;
	struct err e = {0};

	assert_int_equal(pci_bus_create(fake_bus_space(f->pio),
					fake_bus_space(f->mmio), NULL, &b, &e),
			 -EEXIST);
	assert_int_equal(e.code, -EEXIST);
	assert_null(b);
}

static void an_access_across_the_end_of_a_function_is_dropped(void **state)
{
	struct fixture *f = *state;

	add_dev(f, 0, 0);
	f->dev[0].func.cfg.wmask[0xfff] = 0xff;
	cfg_wr(f, 0, 0xffe, 4, 0);
	assert_int_equal(cfg_rd(f, 0, 0xffe, 4), 0xffffffff);
	assert_int_equal(f->dev[0].n_written + f->dev[0].n_reading, 0);
	cfg_wr(f, 0, 0xffc, 4, UINT32_MAX);
	assert_int_equal(cfg_rd(f, 0, 0xffc, 4), 0xff000000);
}

static void a_function_may_refresh_what_is_read(void **state)
{
	struct fixture *f = *state;

	add_dev(f, 0, 0);
	assert_int_equal(cfg_rd(f, 0, 0x80, 1), 1);
	assert_int_equal(cfg_rd(f, 0, 0x7e, 4), 2 << 16);
}

static void places_are_given_once_and_function_0_first(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(pci_bus_add(f->bus, &f->dev[0].func, 0x11, &e),
			 -EINVAL);
	assert_int_equal(pci_bus_add(f->bus, &f->dev[0].func, 0x100, &e),
			 -EINVAL);
	assert_int_equal(pci_bus_add(f->bus, &f->dev[0].func, UINT32_MAX, &e),
			 -EINVAL);
	add_dev(f, 0, 0x10);
	assert_int_equal(pci_bus_add(f->bus, &f->dev[1].func, 0x10, &e),
			 -EEXIST);
	assert_string_equal(e.msg, "two devices at PCI address 00:02.0");
	assert_int_equal(cfg_rd(f, 0x10, PCI_HEADER_TYPE, 1), 0);
	add_dev(f, 1, 0x13);
	assert_int_equal(cfg_rd(f, 0x10, PCI_HEADER_TYPE, 1),
			 PCI_HEADER_TYPE_MULTI);
	assert_int_equal(cfg_rd(f, 0x13, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(cfg_rd(f, 0x13, 0, 4), 0x10a11af4);
}

/* --- windows ------------------------------------------------------------ */

/* Functions at devices 2, 3, ...: BAR 0 of 4 KiB, BAR 2 I/O, BAR 4 64-bit. */
static void add_with_bars(struct fixture *f)
{
	for (unsigned int i = 0; i < N_FUNCS; i++) {
		struct dev *d = &f->dev[i];

		pci_func_add_bar(&d->func, 0, PCI_BAR_MEM32, KIB(4), &d->bar);
		pci_func_add_bar(&d->func, 2, PCI_BAR_IO, 64, &d->bar);
		pci_func_add_bar(&d->func, 4, PCI_BAR_MEM64, KIB(16), &d->bar);
		add_dev(f, i, 0x10 + 8 * i);
	}
}

static const struct bus_dev *at(struct fake_bus_space *s, uint64_t addr)
{
	uint64_t base;

	return fake_bus_find(s, addr, &base);
}

static void bars_are_assigned_without_overlap_in_their_windows(void **state)
{
	struct fixture *f = *state;

	add_with_bars(f);
	assert_int_equal(pci_bus_assign_bars(f->bus, true, NULL), 0);
	for (unsigned int i = 0; i < N_FUNCS; i++) {
		unsigned int devfn = 0x10 + 8 * i;

		assert_int_equal(cfg_rd(f, devfn, PCI_BAR0, 4),
				 MEM_PCI32_BASE + i * KIB(4));
		assert_int_equal(cfg_rd(f, devfn, PCI_BAR0 + 8, 4),
				 (PORT_PCI_WINDOW + i * 64) | 1);
		assert_true(cfg_rd(f, devfn, PCI_BAR0 + 16, 8) ==
			    ((MEM_PCI64_BASE + i * KIB(16)) | 0xc));
		/* decoding is left to the guest */
		assert_int_equal(cfg_rd(f, devfn, PCI_COMMAND, 2), 0);
	}
	assert_int_equal(fake_bus_n_ranges(f->mmio), 1);
	for (unsigned int i = 0; i < N_FUNCS; i++)
		cfg_wr(f, 0x10 + 8 * i, PCI_COMMAND, 2, 3);
	assert_int_equal(fake_bus_n_ranges(f->mmio), 1 + 2 * N_FUNCS);
	assert_int_equal(fake_bus_n_ranges(f->pio), 1 + N_FUNCS);
}

static void without_a_high_window_all_bars_are_below_4_gib(void **state)
{
	struct fixture *f = *state;

	add_with_bars(f);
	assert_int_equal(pci_bus_assign_bars(f->bus, false, NULL), 0);
	for (unsigned int i = 0; i < N_FUNCS; i++) {
		unsigned int devfn = 0x10 + 8 * i;

		/* the larger first */
		assert_true(cfg_rd(f, devfn, PCI_BAR0 + 16, 8) ==
			    ((MEM_PCI32_BASE + i * KIB(16)) | 0xc));
		assert_int_equal(cfg_rd(f, devfn, PCI_BAR0, 4),
				 MEM_PCI32_BASE + N_FUNCS * KIB(16) +
					 i * KIB(4));
	}
}

static void bars_that_do_not_fit_are_an_error(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	pci_func_add_bar(&f->dev[0].func, 0, PCI_BAR_MEM64, MIB(512),
			 &f->dev[0].bar);
	pci_func_add_bar(&f->dev[1].func, 0, PCI_BAR_MEM32, 16, &f->dev[1].bar);
	add_dev(f, 0, 0x10);
	add_dev(f, 1, 0x18);
	assert_int_equal(pci_bus_assign_bars(f->bus, true, &e), 0);
	assert_int_equal(pci_bus_assign_bars(f->bus, false, &e), -ENOSPC);
	assert_non_null(strstr(e.msg, "too many PCI devices"));
}

static void a_bar_larger_than_its_window_is_an_error(void **state)
{
	struct fixture *f = *state;

	pci_func_add_bar(&f->dev[0].func, 0, PCI_BAR_MEM32, GIB(1),
			 &f->dev[0].bar);
	add_dev(f, 0, 0x10);
	assert_int_equal(pci_bus_assign_bars(f->bus, true, NULL), -ENOSPC);
}

static void a_bar_answers_where_the_guest_puts_it(void **state)
{
	struct fixture *f = *state;

	add_with_bars(f);
	cfg_wr(f, 0x10, PCI_BAR0, 4, 0xc8000000);
	assert_null(at(f->mmio, 0xc8000000));
	cfg_wr(f, 0x10, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(fake_bus_read(f->mmio, 0xc8000123, 1), 0xa0);
	assert_int_equal(f->dev[0].last_off, 0x123);
	fake_bus_write(f->mmio, 0xc8000ffc, 4, 0x1234);
	assert_int_equal(f->dev[0].last_val, 0x1234);
	/* it moves */
	cfg_wr(f, 0x10, PCI_BAR0, 4, 0xc9000000);
	assert_null(at(f->mmio, 0xc8000000));
	assert_ptr_equal(at(f->mmio, 0xc9000000), &f->dev[0].bar);
	/* and is gone when decoding is off */
	cfg_wr(f, 0x10, PCI_COMMAND, 2, 0);
	assert_null(at(f->mmio, 0xc9000000));
	assert_int_equal(fake_bus_n_ranges(f->mmio), 1);
}

static void a_function_is_told_where_its_bar_has_gone(void **state)
{
	struct fixture *f = *state;
	struct dev *d = &f->dev[0];

	pci_func_add_bar(&d->func, 0, PCI_BAR_MEM32, 4096, &d->bar);
	add_dev(f, 0, 0);
	add_dev(f, 1, 8);
	cfg_wr(f, 0, PCI_BAR0, 4, 0xc0001000);
	assert_int_equal(d->n_remapped, 0);
	cfg_wr(f, 0, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(d->n_remapped, 1);
	assert_int_equal(d->mapped_at, 0xc0001000);
	cfg_wr(f, 0, PCI_BAR0, 4, 0xc0002000);
	assert_int_equal(d->n_remapped, 2);
	assert_int_equal(d->mapped_at, 0xc0002000);
	/* onto ECAM: out of the old place, and not into the new one */
	cfg_wr(f, 0, PCI_BAR0, 4, (uint32_t)MEM_ECAM_BASE);
	assert_int_equal(d->n_remapped, 3);
	assert_int_equal(d->mapped_at, 0);
	cfg_wr(f, 0, PCI_BAR0, 4, 0xc0002000);
	assert_int_equal(d->n_remapped, 4);
	cfg_wr(f, 0, PCI_COMMAND, 2, 0);
	assert_int_equal(d->n_remapped, 5);
	assert_int_equal(d->mapped_at, 0);
	assert_int_equal(f->dev[1].n_remapped, 0);
}

static void io_and_memory_are_decoded_apart(void **state)
{
	struct fixture *f = *state;

	add_with_bars(f);
	cfg_wr(f, 0x10, PCI_BAR0, 4, 0xc8000000);
	cfg_wr(f, 0x10, PCI_BAR0 + 8, 4, 0x2000);
	cfg_wr(f, 0x10, PCI_COMMAND, 2, PCI_COMMAND_IO);
	assert_ptr_equal(at(f->pio, 0x203f), &f->dev[0].bar);
	assert_null(at(f->pio, 0x2040));
	assert_null(at(f->mmio, 0xc8000000));
	assert_int_equal(fake_bus_read(f->pio, 0x2004, 2), 0xa0);
	assert_int_equal(f->dev[0].last_off, 4);
}

static void a_64_bit_bar_moves_by_halves(void **state)
{
	struct fixture *f = *state;

	add_with_bars(f);
	cfg_wr(f, 0x10, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	cfg_wr(f, 0x10, PCI_BAR0 + 16, 4, 0xc4000000);
	assert_ptr_equal(at(f->mmio, 0xc4003fff), &f->dev[0].bar);
	cfg_wr(f, 0x10, PCI_BAR0 + 20, 4, 0x80);
	assert_null(at(f->mmio, 0xc4000000));
	assert_ptr_equal(at(f->mmio, UINT64_C(0x80c4000000)), &f->dev[0].bar);
	/* a size query while decoding leaves nothing behind */
	cfg_wr(f, 0x10, PCI_BAR0 + 16, 8, UINT64_MAX);
	assert_int_equal(fake_bus_n_ranges(f->mmio), 1);
	cfg_wr(f, 0x10, PCI_BAR0 + 16, 8, 0xc4000000);
	assert_ptr_equal(at(f->mmio, 0xc4000000), &f->dev[0].bar);
}

static void of_two_bars_in_one_place_the_first_stays(void **state)
{
	struct fixture *f = *state;

	add_with_bars(f);
	for (unsigned int i = 0; i < 2; i++) {
		cfg_wr(f, 0x10 + 8 * i, PCI_BAR0, 4, 0xc8000000);
		cfg_wr(f, 0x10 + 8 * i, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	}
	assert_ptr_equal(at(f->mmio, 0xc8000000), &f->dev[0].bar);
	/* the other comes when the place is free */
	cfg_wr(f, 0x10, PCI_BAR0, 4, 0xc9000000);
	assert_ptr_equal(at(f->mmio, 0xc8000000), &f->dev[1].bar);
	assert_ptr_equal(at(f->mmio, 0xc9000000), &f->dev[0].bar);
	/* and when it is freed by switching the first off */
	cfg_wr(f, 0x18, PCI_BAR0, 4, 0xc9000000);
	assert_ptr_equal(at(f->mmio, 0xc9000000), &f->dev[0].bar);
	cfg_wr(f, 0x10, PCI_COMMAND, 2, 0);
	assert_ptr_equal(at(f->mmio, 0xc9000000), &f->dev[1].bar);
}

static void a_bar_on_top_of_ecam_does_not_hide_it(void **state)
{
	struct fixture *f = *state;

	add_with_bars(f);
	cfg_wr(f, 0x10, PCI_COMMAND, 2, 3);
	cfg_wr(f, 0x10, PCI_BAR0, 4, MEM_ECAM_BASE);
	/* and one on the configuration ports neither */
	cfg_wr(f, 0x10, PCI_BAR0 + 8, 4, 0xcc0);
	assert_int_equal(cfg_rd(f, 0x10, 0, 4), 0x10a01af4);
	assert_ptr_equal(at(f->mmio, MEM_ECAM_BASE), pci_bus_ecam(f->bus));
	assert_int_equal(fake_bus_n_ranges(f->pio), 1);
	cfg_wr(f, 0x10, PCI_BAR0, 4, 0xc8000000);
	assert_ptr_equal(at(f->mmio, 0xc8000000), &f->dev[0].bar);
}

static void a_full_bus_leaves_a_bar_unmapped(void **state)
{
	struct fixture *f = *state;
	struct bus_space *s = fake_bus_space(f->mmio);
	uint64_t n;

	add_with_bars(f);
	for (n = 0; !s->ops->add(s, n * 4096, 1, &f->reset); n++)
		;
	cfg_wr(f, 0x10, PCI_BAR0, 4, 0xc8000000);
	cfg_wr(f, 0x10, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_null(at(f->mmio, 0xc8000000));
	while (n)
		s->ops->remove(s, --n * 4096, &f->reset);
	cfg_wr(f, 0x10, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_ptr_equal(at(f->mmio, 0xc8000000), &f->dev[0].bar);
}

static void a_window_that_is_no_bar_is_mapped_when_added(void **state)
{
	struct fixture *f = *state;
	struct dev *d = &f->dev[0];

	pci_func_set_window(&d->func, PCI_SPACE_PIO, 0x600, 0x80, &d->bar);
	assert_null(at(f->pio, 0x600));
	add_dev(f, 0, 0x10);
	assert_ptr_equal(at(f->pio, 0x67f), &d->bar);
	assert_null(at(f->pio, 0x680));
}

/* --- threads ------------------------------------------------------------ */

static void *mover(void *arg)
{
	struct fixture *f = arg;

	for (unsigned int i = 0; i < 2000; i++)
		cfg_wr(f, 0x18, PCI_BAR0, 4, 0xc8000000 + (i % 8) * 0x1000);
	return NULL;
}

static void vcpus_may_move_bars_at_the_same_time(void **state)
{
	struct fixture *f = *state;
	pthread_t t;

	add_with_bars(f);
	for (unsigned int i = 0; i < 2; i++)
		cfg_wr(f, 0x10 + 8 * i, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(pthread_create(&t, NULL, mover, f), 0);
	for (unsigned int i = 0; i < 2000; i++)
		cfg_wr(f, 0x10, PCI_BAR0, 4, 0xc8000000 + (i % 8) * 0x1000);
	pthread_join(t, NULL);
	cfg_wr(f, 0x10, PCI_BAR0, 4, 0xc9000000);
	assert_int_equal(fake_bus_n_ranges(f->mmio), 3);
	assert_ptr_equal(at(f->mmio, 0xc9000000), &f->dev[0].bar);
	assert_ptr_equal(at(f->mmio, 0xc8007000), &f->dev[1].bar);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(ports_and_ecam_reach_the_same_registers),
		CASE(where_no_function_is_reads_as_ones),
		CASE(the_address_register_is_a_dword),
		CASE(the_data_port_is_dead_unless_enabled),
		CASE(the_reset_port_lies_inside_the_address_register),
		cmocka_unit_test(a_bus_without_a_reset_port_ignores_it),
		CASE(ports_that_are_taken_are_an_error),
		CASE(an_access_across_the_end_of_a_function_is_dropped),
		CASE(a_function_may_refresh_what_is_read),
		CASE(places_are_given_once_and_function_0_first),
		CASE(bars_are_assigned_without_overlap_in_their_windows),
		CASE(without_a_high_window_all_bars_are_below_4_gib),
		CASE(bars_that_do_not_fit_are_an_error),
		CASE(a_bar_larger_than_its_window_is_an_error),
		CASE(a_bar_answers_where_the_guest_puts_it),
		CASE(a_function_is_told_where_its_bar_has_gone),
		CASE(io_and_memory_are_decoded_apart),
		CASE(a_64_bit_bar_moves_by_halves),
		CASE(of_two_bars_in_one_place_the_first_stays),
		CASE(a_bar_on_top_of_ecam_does_not_hide_it),
		CASE(a_full_bus_leaves_a_bar_unmapped),
		CASE(a_window_that_is_no_bar_is_mapped_when_added),
		CASE(vcpus_may_move_bars_at_the_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
