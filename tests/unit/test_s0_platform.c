/* tests/unit/test_s0_platform.c - the registers a q35 needs written. */
#include "tests/unit/unit.h"

#include "firmware/stage0/s0_platform.h"
#include "mem/mem_map.h"
#include "tests/fake/fake_s0_io.h"

/* What the bytes of a function's register hold at the end. */
static uint32_t reg(const struct fake_s0_io *f, unsigned int devfn,
		    unsigned int off, unsigned int bytes)
{
	uint32_t v = 0;

	for (unsigned int b = 0; b < bytes; b++) {
		uint32_t want = 0x80000000 | devfn << 8 | (off + b);
		uint32_t byte = 0xee;

		for (size_t i = 0; i < f->n_writes; i++) {
			const struct fake_s0_write *w = &f->writes[i];

			if (w->port == PORT_PCI_DATA &&
			    want >= w->pci_address &&
			    want < w->pci_address + w->width / 8)
				byte = w->val >> 8 * (want - w->pci_address) &
				       0xff;
		}
		v |= byte << 8 * b;
	}
	return v;
}

static void the_bridges_say_what_acpi_says(void **state)
{
	struct fake_s0_io f;

	(void)state;
	fake_s0_io_init(&f);
	s0_platform_init(&f.io);
	assert_int_equal(reg(&f, PCI_DEVFN_HOST, 0x60, 4), 0xe0000001);
	assert_int_equal(reg(&f, PCI_DEVFN_HOST, 0x64, 4), 0);
	assert_int_equal(reg(&f, PCI_DEVFN_LPC, 0x40, 4), 0x600);
	assert_int_equal(reg(&f, PCI_DEVFN_LPC, 0x44, 1), 0x80);
}

static void memory_below_one_mib_is_ram(void **state)
{
	struct fake_s0_io f;

	(void)state;
	fake_s0_io_init(&f);
	s0_platform_init(&f.io);
	assert_int_equal(reg(&f, PCI_DEVFN_HOST, 0x90, 4), 0x33333330);
	assert_int_equal(reg(&f, PCI_DEVFN_HOST, 0x94, 2), 0x3333);
	assert_int_equal(reg(&f, PCI_DEVFN_HOST, 0x96, 1), 0x33);
	/* 0x97 and up are other registers: LAC, SMRAM */
	assert_int_equal(reg(&f, PCI_DEVFN_HOST, 0x97, 1), 0xee);
}

static void acpi_is_on(void **state)
{
	struct fake_s0_io f;
	const struct fake_s0_write *last;

	(void)state;
	fake_s0_io_init(&f);
	s0_platform_init(&f.io);
	last = &f.writes[f.n_writes - 1]; /* PMBASE is there by then */
	assert_int_equal(last->port, PORT_PM_BASE + PM1_CNT);
	assert_int_equal(last->width, 16);
	assert_int_equal(last->val, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bridges_say_what_acpi_says),
		cmocka_unit_test(memory_below_one_mib_is_ram),
		cmocka_unit_test(acpi_is_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
