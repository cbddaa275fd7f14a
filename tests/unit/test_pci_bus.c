/* tests/unit/test_pci_bus.c - configuration accesses. */
#include "tests/unit/pci_bus_fixture.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
