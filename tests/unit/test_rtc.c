/* tests/unit/test_rtc.c - the clock as firmware and Linux use it. */
#include "tests/unit/unit.h"

#include "devices/legacy/rtc.h"
#include "devices/legacy/rtc_time.h"
#include "tests/fake/fake_legacy.h"
#include "vmm/base/bits.h"

#define S UINT64_C(1000000000)
/* 2026-03-04 05:06:07, a Wednesday */
#define NOW (UINT64_C(1772600767) * S)

enum {
	GSI = 8,

	SET = 0x80,
	PIE = 0x40,
	AIE = 0x20,
	UIE = 0x10,
	DEFAULT_B = RTC_B_24H,
	UIP = 0x80,
	IRQF = 0x80,
	AF = 0x20,
	UF = 0x10,
};

struct fixture {
	struct fake_lines lines;
	struct fake_clock clock;
	struct rtc_host host;
	struct rtc_config c;
	struct rtc *r;
	struct bus_dev *dev;
	uint64_t delay; /* of the last arm() */
	unsigned int arms;
};

static void arm(struct rtc_host *h, uint64_t delay_ns)
{
	struct fixture *f = container_of(h, struct fixture, host);

	f->delay = delay_ns;
	f->arms++;
}

static int setup(void **state)
{
	static const struct rtc_host_ops ops = {.arm = arm};
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	fake_lines_init(&f->lines);
	fake_clock_init(&f->clock, NOW);
	f->host.ops = &ops;
	f->delay = UINT64_MAX;
	f->c = (struct rtc_config){
		.ram_low = GIB(2),
		.ram_high = GIB(3),
		.clock = &f->clock.src,
		.irq = &f->lines.sink,
		.gsi = GSI,
		.host = &f->host,
	};
	if (rtc_create(&f->c, &f->r, NULL) < 0)
		return -1;
	f->dev = rtc_bus_dev(f->r);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rtc_destroy(f->r);
	free(f);
	return 0;
}

static uint8_t get(const struct fixture *f, uint8_t reg)
{
	out(f->dev, 0, 1, reg);
	return (uint8_t)in(f->dev, 1, 1);
}

static void set(const struct fixture *f, uint8_t reg, uint8_t val)
{
	out(f->dev, 0, 1, reg);
	out(f->dev, 1, 1, val);
}

/* Time registers as one number: 0x20260304050607. */
static uint64_t time_bcd(const struct fixture *f)
{
	static const uint8_t regs[] = {RTC_CENTURY, RTC_YEAR,  RTC_MONTH,
				       RTC_DAY,	    RTC_HOURS, RTC_MINUTES,
				       RTC_SECONDS};
	uint64_t v = 0;

	for (size_t i = 0; i < sizeof(regs); i++)
		v = v << 8 | get(f, regs[i]);
	return v;
}

static void set_time_bcd(const struct fixture *f, uint64_t v)
{
	static const uint8_t regs[] = {RTC_SECONDS, RTC_MINUTES, RTC_HOURS,
				       RTC_DAY,	    RTC_MONTH,	 RTC_YEAR,
				       RTC_CENTURY};

	for (size_t i = 0; i < sizeof(regs); i++, v >>= 8)
		set(f, regs[i], (uint8_t)v);
}

static void pass(struct fixture *f, uint64_t ns)
{
	f->clock.ns += ns;
}

/* --- reading ------------------------------------------------------------- */

static void the_time_is_the_hosts_in_bcd_and_24_hours(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, RTC_B), DEFAULT_B);
	assert_true(time_bcd(f) == 0x20260304050607);
	assert_int_equal(get(f, RTC_WEEKDAY), 4);
	pass(f, S * 12 * 3600);
	assert_true(time_bcd(f) == 0x20260304170607);
}

static void the_form_can_be_changed(void **state)
{
	struct fixture *f = *state;

	pass(f, S * 12 * 3600);
	set(f, RTC_B, RTC_B_BINARY | RTC_B_24H);
	assert_int_equal(get(f, RTC_HOURS), 17);
	assert_int_equal(get(f, RTC_YEAR), 26);
	set(f, RTC_B, 0);
	assert_int_equal(get(f, RTC_HOURS), 0x85);
}

static void an_update_is_announced_and_passes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, RTC_A), 0x26);
	pass(f, S - 244000 - 1);
	assert_int_equal(get(f, RTC_A) & UIP, 0);
	pass(f, 1);
	assert_int_equal(get(f, RTC_A) & UIP, UIP);
	assert_int_equal(get(f, RTC_SECONDS), 0x07);
	pass(f, 244000);
	assert_int_equal(get(f, RTC_A) & UIP, 0);
	assert_int_equal(get(f, RTC_SECONDS), 0x08);
	set(f, RTC_A, 0xa6); /* UIP cannot be written */
	assert_int_equal(get(f, RTC_A), 0x26);
}

static void the_battery_is_fine_and_the_index_is_write_only(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, RTC_D), 0x80);
	set(f, RTC_D, 0);
	assert_int_equal(get(f, RTC_D), 0x80);
	assert_int_equal(in(f->dev, 0, 1), 0xff);
	out(f->dev, 0, 1, 0x80 | RTC_D); /* NMIs masked: the same register */
	assert_int_equal(in(f->dev, 1, 1), 0x80);
	out(f->dev, 0, 2, 0x5a40); /* index and data in one */
	assert_int_equal(get(f, 0x40), 0x5a);
}

static void firmware_finds_the_memory_sizes(void **state)
{
	struct fixture *f = *state;

	/* 2 GiB below, as (2 GiB - 16 MiB) / 64 KiB */
	assert_int_equal(get(f, 0x34) | get(f, 0x35) << 8, 0x7f00);
	assert_int_equal(get(f, 0x5b) | get(f, 0x5c) << 8 | get(f, 0x5d) << 16,
			 0xc000);
	assert_int_equal(get(f, 0x15) | get(f, 0x16) << 8, 640);
	assert_int_equal(get(f, 0x17) | get(f, 0x18) << 8, 0xffff);
	assert_int_equal(get(f, 0x30) | get(f, 0x31) << 8, 0xffff);
}

static void a_small_guest_has_small_sizes(void **state)
{
	struct fixture *f = *state;

	rtc_destroy(f->r);
	f->c.ram_low = MIB(8);
	f->c.ram_high = 0;
	assert_int_equal(rtc_create(&f->c, &f->r, NULL), 0);
	f->dev = rtc_bus_dev(f->r);
	assert_int_equal(get(f, 0x17) | get(f, 0x18) << 8, 7 * 1024);
	assert_int_equal(get(f, 0x34) | get(f, 0x35) << 8, 0);
	assert_int_equal(get(f, 0x5b), 0);
}

/* --- setting ------------------------------------------------------------- */

static void linux_sets_the_time_and_it_goes_on(void **state)
{
	struct fixture *f = *state;

	/* mc146818_set_time(): hold, divider reset, write, release */
	set(f, RTC_B, DEFAULT_B | SET);
	set(f, RTC_A, 0x76);
	set_time_bcd(f, 0x20300201235959);
	pass(f, 5 * S);
	assert_true(time_bcd(f) == 0x20300201235959);
	assert_int_equal(get(f, RTC_A) & UIP, 0);
	set(f, RTC_B, DEFAULT_B);
	pass(f, 5 * S);
	assert_true(time_bcd(f) == 0x20300201235959);
	set(f, RTC_A, 0x26);
	/* the next second comes half a second after the divider starts */
	pass(f, S / 2 - 1);
	assert_true(time_bcd(f) == 0x20300201235959);
	pass(f, 1);
	assert_true(time_bcd(f) == 0x20300202000000);
}

static void set_alone_keeps_the_phase_of_the_second(void **state)
{
	struct fixture *f = *state;

	pass(f, S / 4);
	set(f, RTC_B, DEFAULT_B | SET);
	set_time_bcd(f, 0x20200101000000);
	set(f, RTC_B, DEFAULT_B);
	pass(f, S / 4 * 3 - 1);
	assert_true(time_bcd(f) == 0x20200101000000);
	pass(f, 1);
	assert_true(time_bcd(f) == 0x20200101000001);
}

static void set_holds_the_time_when_the_divider_starts(void **state)
{
	struct fixture *f = *state;

	set(f, RTC_B, DEFAULT_B | SET);
	set(f, RTC_A, 0x76);
	set_time_bcd(f, 0x20200101000000);
	set(f, RTC_A, 0x26);
	pass(f, 5 * S - 1000); /* in the last moment of a second */
	assert_true(time_bcd(f) == 0x20200101000000);
	assert_int_equal(get(f, RTC_A), 0x26);
	set(f, RTC_B, DEFAULT_B);
	pass(f, S);
	assert_true(time_bcd(f) == 0x20200101000001);
}

static void a_field_can_be_written_while_the_clock_runs(void **state)
{
	struct fixture *f = *state;

	set(f, RTC_MINUTES, 0x59);
	assert_true(time_bcd(f) == 0x20260304055907);
	pass(f, 60 * S);
	assert_true(time_bcd(f) == 0x20260304060007);
}

static void hostile_times_are_survived(void **state)
{
	struct fixture *f = *state;

	for (unsigned int b = 0; b < 8; b += 2) {
		for (unsigned int v = 0; v < 256; v++) {
			set(f, RTC_B, (uint8_t)(b | SET));
			for (unsigned int reg = 0; reg < RTC_A; reg++)
				set(f, (uint8_t)reg, (uint8_t)v);
			set(f, RTC_CENTURY, (uint8_t)(255 - v));
			set(f, RTC_B, (uint8_t)(b | AIE | UIE));
			pass(f, 3 * S);
			rtc_tick(f->r);
			time_bcd(f);
			get(f, RTC_C);
			set(f, RTC_CENTURY, (uint8_t)v);
			set(f, RTC_A, (uint8_t)v);
		}
	}
}

static void a_host_clock_that_steps_back_is_survived(void **state)
{
	struct fixture *f = *state;

	set(f, RTC_B, DEFAULT_B | UIE);
	set_time_bcd(f, 0x19700102000000); /* far behind the host */
	f->clock.ns = 0;
	rtc_tick(f->r);
	assert_true(time_bcd(f) == 0x19700101000000);
	f->clock.ns = NOW;
	rtc_tick(f->r);
	assert_true(f->lines.level[GSI]);
}

/* --- interrupts ---------------------------------------------------------- */

static void the_update_interrupt_comes_each_second(void **state)
{
	struct fixture *f = *state;

	pass(f, S / 4);
	assert_int_equal(f->arms, 0);
	set(f, RTC_B, DEFAULT_B | UIE);
	assert_int_equal(f->delay, S / 4 * 3);
	pass(f, S / 4 * 3 - 10); /* the host's timer is early */
	rtc_tick(f->r);
	assert_false(f->lines.level[GSI]);
	assert_int_equal(f->delay, 10);
	pass(f, 10);
	rtc_tick(f->r);
	assert_true(f->lines.level[GSI]);
	assert_int_equal(f->delay, S);
	assert_int_equal(get(f, RTC_C), IRQF | UF);
	assert_false(f->lines.level[GSI]);
	assert_int_equal(get(f, RTC_C), 0);
	set(f, RTC_B, DEFAULT_B);
	assert_true(f->delay == UINT64_MAX);
}

static void the_alarm_interrupts_at_its_time(void **state)
{
	struct fixture *f = *state;

	set(f, RTC_HOURS_ALARM, 0x05);
	set(f, RTC_MINUTES_ALARM, 0x07);
	set(f, RTC_SECONDS_ALARM, 0x00);
	assert_int_equal(f->arms, 0); /* not enabled yet */
	set(f, RTC_B, DEFAULT_B | AIE);
	assert_int_equal(f->delay, 53 * S);
	pass(f, 53 * S);
	rtc_tick(f->r);
	assert_int_equal(f->lines.rises[GSI], 1);
	assert_int_equal(get(f, RTC_C), IRQF | AF | UF);
	assert_false(f->lines.level[GSI]);
	assert_int_equal(f->delay, 86400 * S); /* and tomorrow again */
	set(f, RTC_MINUTES_ALARM, 0x08);
	assert_int_equal(f->delay, 60 * S);
	set(f, RTC_HOURS_ALARM, 0x25);
	assert_true(f->delay == UINT64_MAX);
}

static void flags_are_set_without_interrupts_for_who_polls(void **state)
{
	struct fixture *f = *state;

	get(f, RTC_C);
	assert_int_equal(get(f, RTC_C), 0);
	pass(f, S);
	assert_int_equal(get(f, RTC_C) & UF, UF);
	set(f, RTC_C, 0xff); /* read-only */
	assert_int_equal(get(f, RTC_C), 0);
	assert_int_equal(f->lines.calls, 0);
	assert_int_equal(f->arms, 0);
}

static void setting_the_time_stops_the_update_interrupt(void **state)
{
	struct fixture *f = *state;

	set(f, RTC_B, DEFAULT_B | UIE);
	set(f, RTC_A, 0x76); /* and so does resetting the divider */
	assert_true(f->delay == UINT64_MAX);
	set(f, RTC_A, 0x26);
	assert_int_equal(f->delay, S / 2);
	set(f, RTC_B, DEFAULT_B | UIE | SET);
	assert_int_equal(get(f, RTC_B), DEFAULT_B | SET);
	assert_true(f->delay == UINT64_MAX);
}

static void the_periodic_interrupt_cannot_be_enabled(void **state)
{
	struct fixture *f = *state;

	set(f, RTC_B, DEFAULT_B | PIE);
	assert_int_equal(get(f, RTC_B), DEFAULT_B);
}

static void without_a_host_timer_nothing_can_be_enabled(void **state)
{
	struct fixture *f = *state;

	rtc_destroy(f->r);
	f->c.host = NULL;
	assert_int_equal(rtc_create(&f->c, &f->r, NULL), 0);
	f->dev = rtc_bus_dev(f->r);
	set(f, RTC_B, DEFAULT_B | AIE | UIE);
	assert_int_equal(get(f, RTC_B), DEFAULT_B);
	pass(f, 2 * S);
	rtc_tick(f->r);
	assert_int_equal(f->lines.calls, 0);
	assert_true(time_bcd(f) == 0x20260304050609);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_time_is_the_hosts_in_bcd_and_24_hours),
		CASE(the_form_can_be_changed),
		CASE(an_update_is_announced_and_passes),
		CASE(the_battery_is_fine_and_the_index_is_write_only),
		CASE(firmware_finds_the_memory_sizes),
		CASE(a_small_guest_has_small_sizes),
		CASE(linux_sets_the_time_and_it_goes_on),
		CASE(set_alone_keeps_the_phase_of_the_second),
		CASE(set_holds_the_time_when_the_divider_starts),
		CASE(a_field_can_be_written_while_the_clock_runs),
		CASE(hostile_times_are_survived),
		CASE(a_host_clock_that_steps_back_is_survived),
		CASE(the_update_interrupt_comes_each_second),
		CASE(the_alarm_interrupts_at_its_time),
		CASE(flags_are_set_without_interrupts_for_who_polls),
		CASE(setting_the_time_stops_the_update_interrupt),
		CASE(the_periodic_interrupt_cannot_be_enabled),
		CASE(without_a_host_timer_nothing_can_be_enabled),
	};

	return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
