/* tests/unit/test_pci_bus_windows.c - BARs that move. */
#include "tests/unit/pci_bus_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"

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
