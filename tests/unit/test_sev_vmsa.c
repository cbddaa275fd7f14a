/*
 * tests/unit/test_sev_vmsa.c - the register page: against the reset state that
 * other tools know, and where each field lies.
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "crypto/sev_vmsa.h"
#include "vmm/base/bytes.h"

static const struct sev_vmsa_segment data16 = {0, 0x93, 0xffff, 0};

/* QEMU's vCPU after reset, signature of a Milan. */
static struct sev_vmsa_regs reset_regs(void)
{
	return (struct sev_vmsa_regs){
		.es = data16,
		.cs = {0xf000, 0x9b, 0xffff, 0xffff0000},
		.ss = data16,
		.ds = data16,
		.fs = data16,
		.gs = data16,
		.gdtr = {0, 0, 0xffff, 0},
		.idtr = {0, 0, 0xffff, 0},
		.ldtr = {0, 0x82, 0xffff, 0},
		.tr = {0, 0x8b, 0xffff, 0},
		.cr0 = 0x10,
		.rflags = 2,
		.rip = 0xfff0,
		.rdx = 0xa00f11,
	};
}

/* Offset, length and value of every field that is not zero. */
struct field {
	unsigned int off, len;
	uint64_t value;
};

static uint64_t load(const uint8_t *p, unsigned int len)
{
	switch (len) {
	case 2:
		return load_le16(p);
	case 4:
		return load_le32(p);
	default:
		return load_le64(p);
	}
}

static void expect_fields(const uint8_t *page, const struct field *f, size_t n)
{
	static const uint8_t zeros[SEV_VMSA_LEN];
	uint8_t rest[SEV_VMSA_LEN];

	memcpy(rest, page, sizeof(rest));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(load(page + f[i].off, f[i].len), f[i].value);
		memset(rest + f[i].off, 0, f[i].len);
	}
	assert_memory_equal(rest, zeros, sizeof(rest));
}

static const struct field reset_fields[] = {
	{0x002, 2, 0x93},	{0x004, 4, 0xffff},
	{0x010, 2, 0xf000},	{0x012, 2, 0x9b},
	{0x014, 4, 0xffff},	{0x018, 8, 0xffff0000},
	{0x022, 2, 0x93},	{0x024, 4, 0xffff},
	{0x032, 2, 0x93},	{0x034, 4, 0xffff},
	{0x042, 2, 0x93},	{0x044, 4, 0xffff},
	{0x052, 2, 0x93},	{0x054, 4, 0xffff},
	{0x064, 4, 0xffff},	{0x072, 2, 0x82},
	{0x074, 4, 0xffff},	{0x084, 4, 0xffff},
	{0x092, 2, 0x8b},	{0x094, 4, 0xffff},
	{0x0d0, 8, 0x1000},	{0x148, 8, 0x40},
	{0x158, 8, 0x10},	{0x160, 8, 0x400},
	{0x168, 8, 0xffff0ff0}, {0x170, 8, 2},
	{0x178, 8, 0xfff0},	{0x268, 8, 0x0007040600070406},
	{0x310, 8, 0xa00f11},	{0x3e8, 8, 1},
	{0x408, 4, 0x1f80},	{0x410, 2, 0x37f},
};

static void a_vcpu_after_reset_is_the_page_other_tools_know(void **state)
{
	struct sev_vmsa_regs r = reset_regs();
	uint8_t page[SEV_VMSA_LEN];

	(void)state;
	sev_vmsa_build(&r, SEV_VMSA_INIT2, page);
	expect_fields(page, reset_fields,
		      sizeof(reset_fields) / sizeof(reset_fields[0]));
}

static void the_legacy_profile_has_no_fpu_state(void **state)
{
	struct sev_vmsa_regs r = reset_regs();
	uint8_t page[SEV_VMSA_LEN];

	(void)state;
	sev_vmsa_build(&r, SEV_VMSA_LEGACY, page);
	expect_fields(page, reset_fields,
		      sizeof(reset_fields) / sizeof(reset_fields[0]) - 2);
}

static void each_register_has_its_place(void **state)
{
	static const struct field fields[] = {
		{0x0d0, 8, 0x1d00}, {0x148, 8, 0x60},
		{0x150, 8, 0x2000}, {0x158, 8, 5},
		{0x160, 8, 0x400},  {0x168, 8, 0xffff0ff0},
		{0x170, 8, 6},	    {0x178, 8, 7},
		{0x1d8, 8, 8},	    {0x268, 8, 0x0007040600070406},
		{0x310, 8, 9},	    {0x318, 8, 10},
		{0x330, 8, 11},	    {0x3e8, 8, 1},
	};
	struct sev_vmsa_regs r = {
		.efer = 0xd00,
		.cr4 = 0x20,
		.cr3 = 0x2000,
		.cr0 = 5,
		.rflags = 6,
		.rip = 7,
		.rsp = 8,
		.rdx = 9,
		.rbx = 10,
		.rsi = 11,
	};
	uint8_t page[SEV_VMSA_LEN];

	(void)state;
	sev_vmsa_build(&r, SEV_VMSA_LEGACY, page);
	expect_fields(page, fields, sizeof(fields) / sizeof(fields[0]));
}

static void profiles_have_names(void **state)
{
	(void)state;
	assert_string_equal(sev_vmsa_profile_name(SEV_VMSA_LEGACY), "legacy");
	assert_string_equal(sev_vmsa_profile_name(SEV_VMSA_INIT2), "init2");
	assert_null(sev_vmsa_profile_name(SEV_VMSA_PROFILES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_vcpu_after_reset_is_the_page_other_tools_know),
		cmocka_unit_test(the_legacy_profile_has_no_fpu_state),
		cmocka_unit_test(each_register_has_its_place),
		cmocka_unit_test(profiles_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
