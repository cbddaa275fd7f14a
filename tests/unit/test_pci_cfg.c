/* tests/unit/test_pci_cfg.c - one configuration space, without a bus. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/pci/pci_cfg.h"
#include "vmm/base/bits.h"
#include "vmm/base/own.h"

static const struct pci_ids ids = {
	.vendor = 0x1af4,
	.device = 0x1048,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x010000,
	.revision = 1,
};

static int setup(void **state)
{
	struct pci_cfg *c = malloc(sizeof(*c));

	assert_non_null(c);
	pci_cfg_init(c, &ids);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void the_header_says_who_it_is(void **state)
{
	struct pci_cfg *c = *state;

	assert_int_equal(pci_cfg_read(c, PCI_VENDOR_ID, 4), 0x10481af4);
	assert_int_equal(pci_cfg_read(c, PCI_REVISION_ID, 4), 0x01000001);
	assert_int_equal(pci_cfg_read(c, PCI_SUBSYSTEM_VENDOR_ID, 4),
			 0x11001af4);
	assert_int_equal(pci_cfg_read(c, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(pci_cfg_read(c, PCI_STATUS, 2), 0);
	assert_int_equal(pci_cfg_read(c, PCI_CAPABILITY_LIST, 1), 0);
}

static void reads_of_any_width_and_place_agree(void **state)
{
	struct pci_cfg *c = *state;

	for (unsigned int off = 0; off < PCI_CFG_SIZE; off++)
		c->data[off] = (uint8_t)(off * 7 + (off >> 8));
	for (unsigned int off = 0; off < PCI_CFG_SIZE; off++)
		for (unsigned int width = 1; width <= 8; width++) {
			uint64_t want = 0;

			for (unsigned int i = 0; i < width; i++) {
				uint8_t b = off + i < PCI_CFG_SIZE
						    ? c->data[off + i]
						    : 0xff;

				want |= (uint64_t)b << (8 * i);
			}
			assert_true(pci_cfg_read(c, off, width) == want);
		}
}

static void
what_lies_past_the_end_reads_as_ones_and_is_not_written(void **state)
{
	struct pci_cfg *c = *state;

	c->wmask[PCI_CFG_SIZE - 1] = 0xff;
	pci_cfg_write(c, PCI_CFG_SIZE - 1, 4, 0x12345678);
	assert_int_equal(pci_cfg_read(c, PCI_CFG_SIZE - 1, 4), 0xffffff78);
	pci_cfg_write(c, PCI_CFG_SIZE, 4, 0);
	pci_cfg_write(c, UINT32_MAX, 4, 0);
	assert_int_equal(pci_cfg_read(c, UINT32_MAX, 2), 0xffff);
	assert_int_equal(pci_cfg_read(c, PCI_CFG_SIZE, 1), 0xff);
	assert_int_equal(pci_cfg_get16(c, PCI_VENDOR_ID), 0x1af4);
}

static void the_guest_writes_only_what_the_masks_allow(void **state)
{
	struct pci_cfg *c = *state;

	pci_cfg_write(c, PCI_VENDOR_ID, 4, 0xffffffff);
	pci_cfg_write(c, PCI_REVISION_ID, 4, 0xffffffff);
	assert_int_equal(pci_cfg_read(c, PCI_VENDOR_ID, 4), 0x10481af4);
	assert_int_equal(pci_cfg_read(c, PCI_REVISION_ID, 4), 0x01000001);
	pci_cfg_write(c, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(pci_cfg_read(c, PCI_COMMAND, 2), 0x0547);
	pci_cfg_write(c, PCI_COMMAND + 1, 1, 0);
	assert_int_equal(pci_cfg_read(c, PCI_COMMAND, 2), 0x0047);
	pci_cfg_write(c, PCI_INTERRUPT_LINE, 2, 0xffff);
	assert_int_equal(pci_cfg_read(c, PCI_INTERRUPT_LINE, 2), 0x00ff);
	/* a BAR that is not there reads as 0 */
	pci_cfg_write(c, PCI_BAR0, 8, UINT64_MAX);
	assert_int_equal(pci_cfg_read(c, PCI_BAR0, 8), 0);
	/* nor is there an expansion ROM */
	pci_cfg_write(c, 0x30, 4, UINT32_MAX);
	assert_int_equal(pci_cfg_read(c, 0x30, 4), 0);
}

static void masks_of_every_width_are_taken(void **state)
{
	struct pci_cfg *c = *state;

	pci_cfg_mask8(c, 0x41, 0xf0);
	pci_cfg_mask16(c, 0x42, 0x0ff0);
	pci_cfg_mask32(c, 0x44, 0x80000001);
	pci_cfg_set8(c, 0x41, 0x05);
	pci_cfg_set16(c, 0x42, 0xa005);
	pci_cfg_set32(c, 0x44, 0x40000000);
	pci_cfg_write(c, 0x40, 8, UINT64_MAX);
	assert_int_equal(pci_cfg_get8(c, 0x40), 0);
	assert_int_equal(pci_cfg_get8(c, 0x41), 0xf5);
	assert_int_equal(pci_cfg_get16(c, 0x42), 0xaff5);
	assert_int_equal(pci_cfg_get32(c, 0x44), 0xc0000001);
}

static void status_bits_are_cleared_by_writing_one(void **state)
{
	struct pci_cfg *c = *state;

	pci_cfg_set16(c, PCI_STATUS, 0xf900 | PCI_STATUS_CAP_LIST);
	pci_cfg_write(c, PCI_STATUS, 2, 0);
	assert_int_equal(pci_cfg_read(c, PCI_STATUS, 2), 0xf910);
	pci_cfg_write(c, PCI_STATUS, 2, 0x2000);
	assert_int_equal(pci_cfg_read(c, PCI_STATUS, 2), 0xd910);
	/* a dword to the command register clears them just the same */
	pci_cfg_write(c, PCI_COMMAND, 4, 0xffff0000);
	assert_int_equal(pci_cfg_read(c, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
}

static void writing_ones_to_a_bar_reads_back_its_size(void **state)
{
	struct pci_cfg *c = *state;

	pci_cfg_add_bar(c, 0, PCI_BAR_IO, 64);
	pci_cfg_add_bar(c, 1, PCI_BAR_MEM32, KIB(4));
	pci_cfg_add_bar(c, 2, PCI_BAR_MEM64, KIB(16));
	pci_cfg_add_bar(c, 4, PCI_BAR_MEM64, GIB(8));
	assert_int_equal(pci_cfg_read(c, PCI_BAR0, 4), 1);
	assert_int_equal(pci_cfg_read(c, PCI_BAR0 + 4, 4), 0);
	assert_int_equal(pci_cfg_read(c, PCI_BAR0 + 8, 8), 0xc);
	for (unsigned int i = 0; i < PCI_N_BARS; i++)
		pci_cfg_write(c, PCI_BAR0 + 4 * i, 4, UINT32_MAX);
	assert_int_equal(pci_cfg_read(c, PCI_BAR0, 4), 0xffffffc1);
	assert_int_equal(pci_cfg_read(c, PCI_BAR0 + 4, 4), 0xfffff000);
	assert_true(pci_cfg_read(c, PCI_BAR0 + 8, 8) ==
		    UINT64_C(0xffffffffffffc00c));
	assert_true(pci_cfg_read(c, PCI_BAR0 + 16, 8) ==
		    UINT64_C(0xfffffffe0000000c));
}

static void a_bar_answers_when_decoding_is_on(void **state)
{
	struct pci_cfg *c = *state;
	uint64_t addr = 7;

	pci_cfg_add_bar(c, 0, PCI_BAR_IO, 64);
	pci_cfg_add_bar(c, 1, PCI_BAR_MEM32, KIB(4));
	pci_cfg_add_bar(c, 2, PCI_BAR_MEM64, KIB(16));
	pci_cfg_set_bar_address(c, 0, 0x1040);
	pci_cfg_set_bar_address(c, 1, 0xc0001000);
	pci_cfg_set_bar_address(c, 2, UINT64_C(0x8000004000));
	for (unsigned int i = 0; i < PCI_N_BARS; i++)
		assert_false(pci_cfg_bar_address(c, i, &addr));
	assert_int_equal(addr, 7);
	pci_cfg_write(c, PCI_COMMAND, 2, PCI_COMMAND_IO);
	assert_true(pci_cfg_bar_address(c, 0, &addr));
	assert_int_equal(addr, 0x1040);
	assert_false(pci_cfg_bar_address(c, 1, &addr));
	pci_cfg_write(c, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_false(pci_cfg_bar_address(c, 0, &addr));
	assert_true(pci_cfg_bar_address(c, 1, &addr));
	assert_int_equal(addr, 0xc0001000);
	assert_true(pci_cfg_bar_address(c, 2, &addr));
	assert_true(addr == UINT64_C(0x8000004000));
	/* the second half of a 64-bit BAR is not one of its own */
	assert_false(pci_cfg_bar_address(c, 3, &addr));
	assert_false(pci_cfg_bar_address(c, 4, &addr));
	/* the flags survive an assignment */
	assert_int_equal(pci_cfg_get32(c, PCI_BAR0), 0x1041);
	assert_int_equal(pci_cfg_get32(c, PCI_BAR0 + 8), 0x0000400c);
}

static void a_bar_without_a_usable_address_does_not_answer(void **state)
{
	struct pci_cfg *c = *state;
	uint64_t addr;

	pci_cfg_add_bar(c, 0, PCI_BAR_IO, 64);
	pci_cfg_add_bar(c, 1, PCI_BAR_MEM32, KIB(4));
	pci_cfg_add_bar(c, 2, PCI_BAR_MEM64, KIB(16));
	pci_cfg_write(c, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	for (unsigned int i = 0; i < 3; i++)
		assert_false(pci_cfg_bar_address(c, i, &addr));
	for (unsigned int i = 0; i < 4; i++)
		pci_cfg_write(c, PCI_BAR0 + 4 * i, 4, UINT32_MAX);
	for (unsigned int i = 0; i < 3; i++)
		assert_false(pci_cfg_bar_address(c, i, &addr));
	/* ports end at 64 K */
	pci_cfg_write(c, PCI_BAR0, 4, 0x10000);
	assert_false(pci_cfg_bar_address(c, 0, &addr));
	pci_cfg_write(c, PCI_BAR0, 4, 0xff80);
	assert_true(pci_cfg_bar_address(c, 0, &addr));
	/* and addresses at 2^52 */
	pci_cfg_write(c, PCI_BAR0 + 8, 8, BIT64(52));
	assert_false(pci_cfg_bar_address(c, 2, &addr));
	pci_cfg_write(c, PCI_BAR0 + 8, 8, BIT64(52) - KIB(16));
	assert_false(pci_cfg_bar_address(c, 2, &addr));
	pci_cfg_write(c, PCI_BAR0 + 8, 8, BIT64(52) - KIB(32));
	assert_true(pci_cfg_bar_address(c, 2, &addr));
}

static void capabilities_form_a_list(void **state)
{
	struct pci_cfg *c = *state;

	assert_int_equal(pci_cfg_add_cap(c, PCI_CAP_ID_VENDOR, 17), 0x40);
	assert_int_equal(pci_cfg_add_cap(c, PCI_CAP_ID_MSIX, 12), 0x54);
	assert_int_equal(pci_cfg_add_cap(c, PCI_CAP_ID_VENDOR, 2), 0x60);
	assert_int_equal(pci_cfg_read(c, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	assert_int_equal(pci_cfg_read(c, PCI_CAPABILITY_LIST, 1), 0x40);
	assert_int_equal(pci_cfg_read(c, 0x40, 2), 0x5409);
	assert_int_equal(pci_cfg_read(c, 0x54, 2), 0x6011);
	assert_int_equal(pci_cfg_read(c, 0x60, 2), 0x0009);
	pci_cfg_write(c, 0x40, 4, UINT32_MAX);
	assert_int_equal(pci_cfg_read(c, 0x40, 4), 0x5409);
}

static void a_capability_that_does_not_fit_is_refused(void **state)
{
	struct pci_cfg *c = *state;

	assert_int_equal(pci_cfg_add_cap(c, PCI_CAP_ID_VENDOR, 193), -ENOSPC);
	assert_int_equal(pci_cfg_read(c, PCI_CAPABILITY_LIST, 1), 0);
	assert_int_equal(pci_cfg_add_cap(c, PCI_CAP_ID_VENDOR, 188), 0x40);
	assert_int_equal(pci_cfg_add_cap(c, PCI_CAP_ID_VENDOR, 5), -ENOSPC);
	assert_int_equal(pci_cfg_read(c, 0x41, 1), 0);
	assert_int_equal(pci_cfg_add_cap(c, PCI_CAP_ID_VENDOR, 4), 0xfc);
	assert_int_equal(pci_cfg_add_cap(c, PCI_CAP_ID_VENDOR, 2), -ENOSPC);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_header_says_who_it_is),
		CASE(reads_of_any_width_and_place_agree),
		CASE(what_lies_past_the_end_reads_as_ones_and_is_not_written),
		CASE(the_guest_writes_only_what_the_masks_allow),
		CASE(masks_of_every_width_are_taken),
		CASE(status_bits_are_cleared_by_writing_one),
		CASE(writing_ones_to_a_bar_reads_back_its_size),
		CASE(a_bar_answers_when_decoding_is_on),
		CASE(a_bar_without_a_usable_address_does_not_answer),
		CASE(capabilities_form_a_list),
		CASE(a_capability_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
