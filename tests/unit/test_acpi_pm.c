/* tests/unit/test_acpi_pm.c - the ACPI registers as an ACPI system uses them.
 */
#include "tests/unit/unit.h"

#include "devices/legacy/acpi_pm.h"
#include "mem/mem_map.h"
#include "tests/fake/fake_legacy.h"

enum { TMR = 1 << 0, GBL = 1 << 5, PWRBTN = 1 << 8, RTC = 1 << 10 };

struct fixture {
	struct fake_lines lines;
	struct fake_power power;
	struct fake_clock clock;
	struct acpi_pm *pm;
	struct bus_dev *dev;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	fake_lines_init(&f->lines);
	fake_power_init(&f->power);
	fake_clock_init(&f->clock, UINT64_C(123456789));
	if (acpi_pm_create(&f->lines.sink, &f->power.sink, &f->clock.src,
			   &f->pm, NULL) < 0)
		return -1;
	f->dev = acpi_pm_bus_dev(f->pm);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	acpi_pm_destroy(f->pm);
	free(f);
	return 0;
}

static void s5_powers_off(void **state)
{
	struct fixture *f = *state;

	/* as ACPICA does it: the type first, then the enable bit */
	out(f->dev, PM1_CNT, 2, PM_S5_SLP_TYP << 10);
	assert_int_equal(f->power.power_offs, 0);
	out(f->dev, PM1_CNT, 2, PM_S5_SLP_TYP << 10 | 1 << 13);
	assert_int_equal(f->power.power_offs, 1);
	assert_int_equal(in(f->dev, PM1_CNT, 2) & 1 << 13, 0);
	out(f->dev, PM1_CNT + 1, 1, PM_S5_SLP_TYP << 2 | 1 << 5);
	assert_int_equal(f->power.power_offs, 2);
	out(f->dev, PM1_STS, 8, UINT64_C(1) << (32 + 13));
	assert_int_equal(f->power.power_offs, 3);
	out(f->dev, PM1_EN, 2, 0); /* something else: not again */
	assert_int_equal(f->power.power_offs, 3);
}

static void other_sleep_states_do_nothing(void **state)
{
	struct fixture *f = *state;

	for (unsigned int typ = 0; typ < 8; typ++)
		if (typ != PM_S5_SLP_TYP)
			out(f->dev, PM1_CNT, 2, typ << 10 | 1 << 13);
	assert_int_equal(f->power.power_offs, 0);
	assert_int_equal(in(f->dev, PM1_CNT, 2), 7 << 10 | 1);
}

static void acpi_mode_cannot_be_left(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in(f->dev, PM1_CNT, 2), 1);
	out(f->dev, PM1_CNT, 2, 0);
	assert_int_equal(in(f->dev, PM1_CNT, 2), 1);
	assert_int_equal(in(f->dev, PM1_CNT, 4), 1);
}

static void the_button_interrupts_who_listens(void **state)
{
	struct fixture *f = *state;

	out(f->dev, PM1_EN, 2, PWRBTN);
	assert_false(f->lines.level[GSI_SCI]);
	acpi_pm_power_button(f->pm);
	assert_true(f->lines.level[GSI_SCI]);
	assert_int_equal(in(f->dev, PM1_STS, 2), PWRBTN);
	out(f->dev, PM1_STS, 2, GBL); /* another bit: still pressed */
	assert_true(f->lines.level[GSI_SCI]);
	out(f->dev, PM1_STS, 2, PWRBTN);
	assert_int_equal(in(f->dev, PM1_STS, 2), 0);
	assert_false(f->lines.level[GSI_SCI]);
	assert_int_equal(f->lines.calls, 2);
}

static void the_button_waits_for_who_listens_later(void **state)
{
	struct fixture *f = *state;

	acpi_pm_power_button(f->pm);
	assert_false(f->lines.level[GSI_SCI]);
	out(f->dev, PM1_EN + 1, 1, PWRBTN >> 8); /* half a register */
	assert_true(f->lines.level[GSI_SCI]);
	out(f->dev, PM1_EN, 2, 0);
	assert_false(f->lines.level[GSI_SCI]);
	out(f->dev, PM1_STS + 1, 1, PWRBTN >> 8);
	assert_int_equal(in(f->dev, PM1_STS, 2), 0);
}

static void what_linux_enables_sticks_and_the_timer_event_does_not(void **state)
{
	struct fixture *f = *state;

	/* acpi_enable_event() reads back, and complains in the log */
	out(f->dev, PM1_EN, 2, GBL | PWRBTN | RTC);
	assert_int_equal(in(f->dev, PM1_EN, 2), GBL | PWRBTN | RTC);
	out(f->dev, PM1_EN, 2, 0xffff);
	assert_int_equal(in(f->dev, PM1_EN, 2) & TMR, 0);
}

static void the_timer_runs_at_3_579545_mhz_in_24_bits(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in(f->dev, PM_TMR, 4), 0);
	f->clock.ns += UINT64_C(1000000000);
	assert_int_equal(in(f->dev, PM_TMR, 4), 3579545);
	f->clock.ns += UINT64_C(1000000);
	assert_int_equal(in(f->dev, PM_TMR, 4), 3579545 + 3579);
	assert_int_equal(in(f->dev, PM_TMR, 2), (3579545 + 3579) & 0xffff);
	/* a year later: 24 bits, and no overflow on the way */
	f->clock.ns += UINT64_C(365) * 86400 * 1000000000;
	assert_int_equal(in(f->dev, PM_TMR, 4),
			 (UINT64_C(365) * 86400 * 3579545 + 3579545 + 3579) &
				 0xffffff);
	out(f->dev, PM_TMR, 4, 0); /* read-only */
	assert_int_not_equal(in(f->dev, PM_TMR, 4), 0);
}

static void the_timer_status_follows_its_highest_bit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(in(f->dev, PM1_STS, 2), 0);
	f->clock.ns += UINT64_C(2400000000); /* 2^23 ticks are 2.34 s */
	assert_int_equal(in(f->dev, PM1_STS, 2), TMR);
	out(f->dev, PM1_STS, 2, PWRBTN);
	assert_int_equal(in(f->dev, PM1_STS, 2), TMR);
	out(f->dev, PM1_STS, 2, TMR);
	assert_int_equal(in(f->dev, PM1_STS, 2), 0);
	f->clock.ns += UINT64_C(2400000000);
	assert_int_equal(in(f->dev, PM1_STS, 2), TMR);
	assert_int_equal(f->lines.calls, 0);
}

static void the_gpe_block_is_empty(void **state)
{
	struct fixture *f = *state;

	out(f->dev, PM_GPE0_STS, 8, UINT64_MAX);
	assert_int_equal(in(f->dev, PM_GPE0_STS, 8), 0);
	out(f->dev, PM_GPE0_EN, 4, 0x04030201);
	out(f->dev, PM_GPE0_EN + 7, 1, 0x80);
	assert_true(in(f->dev, PM_GPE0_EN, 8) == UINT64_C(0x8000000004030201));
	assert_int_equal(f->lines.calls, 0);
}

static void every_byte_can_be_accessed_at_every_width(void **state)
{
	struct fixture *f = *state;

	for (uint64_t off = 0; off < PM_BLOCK_LEN; off++)
		for (unsigned int w = 1; w <= 8 && off + w <= PM_BLOCK_LEN;
		     w++) {
			in(f->dev, off, w);
			out(f->dev, off, w, UINT64_MAX);
		}
	assert_int_equal(in(f->dev, PM_SMI_EN, 4), 0);
	assert_int_equal(in(f->dev, PM_BLOCK_LEN - 4, 4), 0);
	assert_int_equal(f->power.power_offs, 0); /* all ones is type 7 */
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(s5_powers_off),
		CASE(other_sleep_states_do_nothing),
		CASE(acpi_mode_cannot_be_left),
		CASE(the_button_interrupts_who_listens),
		CASE(the_button_waits_for_who_listens_later),
		CASE(what_linux_enables_sticks_and_the_timer_event_does_not),
		CASE(the_timer_runs_at_3_579545_mhz_in_24_bits),
		CASE(the_timer_status_follows_its_highest_bit),
		CASE(the_gpe_block_is_empty),
		CASE(every_byte_can_be_accessed_at_every_width),
	};

	return cmocka_run_group_tests_name("acpi_pm", tests, NULL, NULL);
}
