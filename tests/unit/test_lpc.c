/* tests/unit/test_lpc.c - what firmware does with the LPC bridge. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/pci/lpc.h"
#include "mem/mem_map.h"
#include "tests/fake/fake_pci.h"

struct fixture {
	struct fake_pci *pci;
	struct lpc *lpc;
	struct bus_dev pm; /* stands for the ACPI block */
};

static uint64_t pm_read(struct bus_dev *b, uint64_t off, unsigned int width)
{
	(void)b;
	(void)width;
	return 0x50 + off;
}

static void pm_write(struct bus_dev *b, uint64_t off, unsigned int width,
		     uint64_t val)
{
	(void)b;
	(void)off;
	(void)width;
	(void)val;
}

static const struct bus_dev_ops pm_ops = {pm_read, pm_write};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->pci = fake_pci_create();
	f->pm.ops = &pm_ops;
	assert_int_equal(lpc_create(f->pci->bus, &f->pm, &f->lpc, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_pci_destroy_bus(f->pci);
	lpc_destroy(f->lpc);
	fake_pci_destroy(f->pci);
	free(f);
	return 0;
}

static void it_is_the_isa_bridge_of_an_ich9(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0, 4),
			 0x29188086);
	assert_int_equal(
		fake_pci_read(f->pci, PCI_DEVFN_LPC, PCI_REVISION_ID, 4),
		0x06010002);
}

static void a_second_one_is_refused(void **state)
{
	struct fixture *f = *state;
	struct lpc *l = NULL;

	assert_int_equal(lpc_create(f->pci->bus, &f->pm, &l, NULL), -EEXIST);
	assert_null(l);
}

static void it_always_decodes(void **state)
{
	struct fixture *f = *state;

	fake_pci_write(f->pci, PCI_DEVFN_LPC, PCI_COMMAND, 2, 0);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, PCI_COMMAND, 2),
			 0x0007);
}

static void the_acpi_block_is_there_at_reset(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x40, 4),
			 PORT_PM_BASE | 1);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x44, 1), 0x80);
	assert_int_equal(fake_bus_read(f->pci->pio, PORT_PM_BASE + PM_TMR, 1),
			 0x50 + PM_TMR);
	assert_int_equal(
		fake_bus_read(f->pci->pio, PORT_PM_BASE + PM_BLOCK_LEN - 1, 1),
		0x50 + PM_BLOCK_LEN - 1);
	assert_int_equal(
		fake_bus_read(f->pci->pio, PORT_PM_BASE + PM_BLOCK_LEN, 1),
		0xff);
}

static void the_acpi_block_moves_and_can_be_off(void **state)
{
	struct fixture *f = *state;

	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0x40, 4, 0xb07f);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x40, 4), 0xb001);
	assert_int_equal(fake_bus_read(f->pci->pio, PORT_PM_BASE, 1), 0xff);
	assert_int_equal(fake_bus_read(f->pci->pio, 0xb004, 1), 0x54);
	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0x44, 1, 0x00);
	assert_int_equal(fake_bus_read(f->pci->pio, 0xb004, 1), 0xff);
	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0x44, 1, 0xff);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x44, 1), 0x87);
	assert_int_equal(fake_bus_read(f->pci->pio, 0xb004, 1), 0x54);
	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0x40, 4, 0);
	assert_int_equal(fake_bus_n_ranges(f->pci->pio), 1);
}

static void the_acpi_block_cannot_cover_other_ports(void **state)
{
	struct fixture *f = *state;

	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0x40, 2, 0x0c80);
	assert_int_equal(fake_bus_n_ranges(f->pci->pio), 1);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x40, 4), 0x0c81);
	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0x40, 2, PORT_PM_BASE);
	assert_int_equal(fake_bus_read(f->pci->pio, PORT_PM_BASE, 1), 0x50);
}

static void other_lpc_registers_are_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x60, 4),
			 0x80808080);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x68, 4),
			 0x80808080);
	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0x60, 4, 0x0b0a7f0a);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x60, 4),
			 0x0b0a0f0a);
	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0x6b, 1, 0x0b);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0x68, 4),
			 0x0b808080);
	fake_pci_write(f->pci, PCI_DEVFN_LPC, 0xf0, 4, 0xfed1ffff);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_LPC, 0xf0, 4),
			 0xfed1c001);
	assert_int_equal(fake_bus_n_ranges(f->pci->mmio), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_the_isa_bridge_of_an_ich9),
		CASE(a_second_one_is_refused),
		CASE(it_always_decodes),
		CASE(the_acpi_block_is_there_at_reset),
		CASE(the_acpi_block_moves_and_can_be_off),
		CASE(the_acpi_block_cannot_cover_other_ports),
		CASE(other_lpc_registers_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
