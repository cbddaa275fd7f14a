/* tests/unit/test_q35_host.c - what firmware does with the host bridge. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/pci/q35_host.h"
#include "mem/mem_map.h"
#include "tests/fake/fake_pci.h"
#include "vmm/base/bits.h"

struct fixture {
	struct fake_pci *pci;
	struct q35_host *host;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->pci = fake_pci_create();
	assert_int_equal(q35_host_create(f->pci->bus, &f->host, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_pci_destroy_bus(f->pci);
	q35_host_destroy(f->host);
	fake_pci_destroy(f->pci);
	free(f);
	return 0;
}

/* Is configuration space of the bridge visible at @base? */
static bool ecam_at(struct fixture *f, uint64_t base)
{
	bool seen = fake_bus_read(f->pci->mmio, base, 4) == 0x29c08086;

	if (seen)
		assert_int_equal(q35_host_ecam(f->host), base);
	return seen;
}

static void it_is_the_host_bridge_of_a_q35(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, 0, 4),
			 0x29c08086);
	assert_int_equal(
		fake_pci_read(f->pci, PCI_DEVFN_HOST, PCI_REVISION_ID, 4),
		0x06000000);
}

static void a_second_one_is_refused(void **state)
{
	struct fixture *f = *state;
	struct q35_host *h = NULL;

	assert_int_equal(q35_host_create(f->pci->bus, &h, NULL), -EEXIST);
	assert_null(h);
}

static void it_always_decodes(void **state)
{
	struct fixture *f = *state;

	fake_pci_write(f->pci, PCI_DEVFN_HOST, PCI_COMMAND, 2, 0);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, PCI_COMMAND, 2),
			 0x0006);
}

static void ecam_is_there_at_reset(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, 0x60, 4),
			 MEM_ECAM_BASE | 1);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, 0x64, 4), 0);
	assert_true(ecam_at(f, MEM_ECAM_BASE));
	/* all 256 buses belong to it */
	assert_int_equal(fake_bus_n_ranges(f->pci->mmio), 1);
	assert_non_null(fake_bus_find(
		f->pci->mmio, MEM_ECAM_BASE + MIB(256) - 1, &(uint64_t){0}));
}

static void ecam_moves_as_firmware_does_it(void **state)
{
	struct fixture *f = *state;

	/* off, high half, low half with enable */
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x60, 4, 0);
	assert_false(ecam_at(f, MEM_ECAM_BASE));
	assert_int_equal(fake_bus_n_ranges(f->pci->mmio), 0);
	assert_int_equal(q35_host_ecam(f->host), 0);
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x64, 4, 0);
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x60, 4, 0xb0000001);
	assert_true(ecam_at(f, 0xb0000000));
	assert_int_equal(fake_bus_n_ranges(f->pci->mmio), 1);
}

static void ecam_moves_with_any_part_of_the_register(void **state)
{
	struct fixture *f = *state;

	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x64, 1, 0x0a);
	assert_true(ecam_at(f, UINT64_C(0xae0000000)));
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x63, 1, 0x50);
	assert_true(ecam_at(f, UINT64_C(0xa50000000)));
	assert_int_equal(fake_bus_n_ranges(f->pci->mmio), 1);
}

static void ecam_can_be_moved_through_itself(void **state)
{
	struct fixture *f = *state;

	fake_bus_write(f->pci->mmio, MEM_ECAM_BASE + 0x60, 8,
		       UINT64_C(0xc00000001));
	assert_false(ecam_at(f, MEM_ECAM_BASE));
	assert_true(ecam_at(f, UINT64_C(0xc00000000)));
}

static void the_length_field_shortens_the_window(void **state)
{
	struct fixture *f = *state;
	uint64_t base;

	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x60, 4,
		       0xb8000000 | 1 << 1 | 1);
	assert_true(ecam_at(f, 0xb8000000));
	assert_non_null(fake_bus_find(f->pci->mmio, 0xbfffffff, &base));
	assert_null(fake_bus_find(f->pci->mmio, 0xc0000000, &base));
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x60, 4,
		       0xb4000000 | 2 << 1 | 1);
	assert_true(ecam_at(f, 0xb4000000));
	assert_null(fake_bus_find(f->pci->mmio, 0xb8000000, &base));
	/* address bits below the length do not count */
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x60, 4, 0xbc000000 | 1);
	assert_true(ecam_at(f, 0xb0000000));
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x60, 4,
		       0xbc000000 | 1 << 1 | 1);
	assert_true(ecam_at(f, 0xb8000000));
	/* the reserved length is no window */
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x60, 4,
		       0xb0000000 | 3 << 1 | 1);
	assert_int_equal(fake_bus_n_ranges(f->pci->mmio), 0);
}

static void reserved_bits_of_pciexbar_stay_clear(void **state)
{
	struct fixture *f = *state;

	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x64, 4, UINT32_MAX);
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x60, 4, 0xfffffff8);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, 0x60, 4),
			 0xfc000000);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, 0x64, 4),
			 0x0000000f);
}

static void pam_registers_keep_what_firmware_writes(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0x90; i <= 0x96; i++)
		fake_pci_write(f->pci, PCI_DEVFN_HOST, i, 1, 0xff);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, 0x90, 1), 0x30);
	for (unsigned int i = 0x91; i <= 0x96; i++)
		assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, i, 1),
				 0x33);
	fake_pci_write(f->pci, PCI_DEVFN_HOST, 0x97, 1, 0xff);
	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_HOST, 0x97, 1), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_the_host_bridge_of_a_q35),
		CASE(a_second_one_is_refused),
		CASE(it_always_decodes),
		CASE(ecam_is_there_at_reset),
		CASE(ecam_moves_as_firmware_does_it),
		CASE(ecam_moves_with_any_part_of_the_register),
		CASE(ecam_can_be_moved_through_itself),
		CASE(the_length_field_shortens_the_window),
		CASE(reserved_bits_of_pciexbar_stay_clear),
		CASE(pam_registers_keep_what_firmware_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
