/* tests/unit/test_pvpanic_pci.c - a panic reaches the owner. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/pci/pvpanic_pci.h"
#include "mem/mem_map.h"
#include "tests/fake/fake_pci.h"

struct fixture {
	struct fake_pci *pci;
	struct pvpanic_pci *pvpanic;
	struct pvpanic_sink sink;
	unsigned int n_panicked, n_crash_loaded;
};

static void panicked(struct pvpanic_sink *s)
{
	container_of(s, struct fixture, sink)->n_panicked++;
}

static void crash_loaded(struct pvpanic_sink *s)
{
	container_of(s, struct fixture, sink)->n_crash_loaded++;
}

static const struct pvpanic_sink_ops sink_ops = {panicked, crash_loaded};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->pci = fake_pci_create();
	f->sink.ops = &sink_ops;
	assert_int_equal(pvpanic_pci_create(f->pci->bus, PCI_DEVFN_PVPANIC,
					    &f->sink, &f->pvpanic, NULL),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_pci_destroy_bus(f->pci);
	pvpanic_pci_destroy(f->pvpanic);
	fake_pci_destroy(f->pci);
	free(f);
	return 0;
}

static void it_is_what_the_guests_driver_looks_for(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fake_pci_read(f->pci, PCI_DEVFN_PVPANIC, 0, 4),
			 0x00111b36);
	assert_int_equal(
		fake_pci_read(f->pci, PCI_DEVFN_PVPANIC, PCI_REVISION_ID, 4),
		0x08800001);
}

static void a_place_that_is_taken_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pvpanic_pci *p = NULL;

	assert_int_equal(pvpanic_pci_create(f->pci->bus, PCI_DEVFN_PVPANIC,
					    &f->sink, &p, NULL),
			 -EEXIST);
	assert_null(p);
}

static uint64_t map_pvpanic(struct fixture *f)
{
	assert_int_equal(pci_bus_assign_bars(f->pci->bus, false, NULL), 0);
	fake_pci_write(f->pci, PCI_DEVFN_PVPANIC, PCI_COMMAND, 2,
		       PCI_COMMAND_MEMORY);
	return fake_pci_read(f->pci, PCI_DEVFN_PVPANIC, PCI_BAR0, 4);
}

static void pvpanic_tells_what_it_understands(void **state)
{
	struct fixture *f = *state;
	uint64_t bar = map_pvpanic(f);

	assert_int_equal(bar, MEM_PCI32_BASE);
	assert_int_equal(fake_bus_read(f->pci->mmio, bar, 1), 3);
	assert_int_equal(fake_bus_read(f->pci->mmio, bar + 1, 1), 0);
	assert_int_equal(f->n_panicked + f->n_crash_loaded, 0);
}

static void a_panic_reaches_the_owner(void **state)
{
	struct fixture *f = *state;
	uint64_t bar = map_pvpanic(f);

	fake_bus_write(f->pci->mmio, bar, 1, PVPANIC_PANICKED);
	assert_int_equal(f->n_panicked, 1);
	fake_bus_write(f->pci->mmio, bar, 1, PVPANIC_CRASH_LOADED);
	assert_int_equal(f->n_crash_loaded, 1);
	assert_int_equal(f->n_panicked, 1);
}

static void what_pvpanic_does_not_know_is_ignored(void **state)
{
	struct fixture *f = *state;
	uint64_t bar = map_pvpanic(f);

	fake_bus_write(f->pci->mmio, bar, 1, 0xfc);
	fake_bus_write(f->pci->mmio, bar + 1, 1, 1);
	fake_bus_write(f->pci->mmio, bar, 1, 0);
	assert_int_equal(f->n_panicked + f->n_crash_loaded, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_what_the_guests_driver_looks_for),
		CASE(a_place_that_is_taken_is_refused),
		CASE(pvpanic_tells_what_it_understands),
		CASE(a_panic_reaches_the_owner),
		CASE(what_pvpanic_does_not_know_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
