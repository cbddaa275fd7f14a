/* tests/unit/test_rtc_time.c - registers against libc's calendar. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "devices/legacy/rtc_time.h"
#include "vmm/base/own.h"

#define DAY_S INT64_C(86400)
#define HOUR_S INT64_C(3600)
#define STEP_S INT64_C(100003)	   /* a prime: fields take many values */
#define LAST_S INT64_C(7258118399) /* 2199-12-31 23:59:59 */

/* The four forms register B can ask for. */
static const uint8_t forms[] = {0, RTC_B_24H, RTC_B_BINARY,
				RTC_B_24H | RTC_B_BINARY};

static void bcd_registers_agree_with_the_calendar(void **state)
{
	uint8_t cmos[RTC_CMOS_LEN] = {[RTC_B] = RTC_B_24H};

	(void)state;
	for (int64_t s = 0; s <= LAST_S; s += STEP_S * 7) {
		time_t t = s;
		struct tm tm;
		char want[32], got[32];

		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%Y%m%d%H%M%S", &tm);
		rtc_time_store(cmos, s);
		snprintf(got, sizeof(got), "%02x%02x%02x%02x%02x%02x%02x",
			 cmos[RTC_CENTURY], cmos[RTC_YEAR], cmos[RTC_MONTH],
			 cmos[RTC_DAY], cmos[RTC_HOURS], cmos[RTC_MINUTES],
			 cmos[RTC_SECONDS]);
		assert_string_equal(got, want);
		assert_int_equal(cmos[RTC_WEEKDAY], tm.tm_wday + 1);
	}
}

static void what_is_stored_is_loaded_in_every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms); i++) {
		uint8_t cmos[RTC_CMOS_LEN] = {[RTC_B] = forms[i]};

		for (int64_t s = 0; s <= LAST_S; s += STEP_S * 31) {
			rtc_time_store(cmos, s);
			assert_true(rtc_time_load(cmos) == s);
		}
	}
}

static void leap_days_are_where_they_should_be(void **state)
{
	static const struct {
		int64_t s;
		uint8_t month, day;
	} t[] = {
		{951782400, 2, 29},			  /* 2000 */
		{951868800, 3, 1},   {1709164800, 2, 29}, /* 2024 */
		{4107456000, 2, 28},			  /* 2100: none */
		{4107542400, 3, 1},
	};
	uint8_t cmos[RTC_CMOS_LEN] = {[RTC_B] = RTC_B_24H | RTC_B_BINARY};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		rtc_time_store(cmos, t[i].s);
		assert_int_equal(cmos[RTC_MONTH], t[i].month);
		assert_int_equal(cmos[RTC_DAY], t[i].day);
	}
}

static void twelve_hours_have_noon_and_midnight(void **state)
{
	static const struct {
		int hour;
		uint8_t reg;
	} t[] = {{0, 0x12},  {1, 0x01},	 {11, 0x11},
		 {12, 0x92}, {13, 0x81}, {23, 0x91}};
	uint8_t cmos[RTC_CMOS_LEN] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		rtc_time_store(cmos, t[i].hour * HOUR_S);
		assert_int_equal(cmos[RTC_HOURS], t[i].reg);
		assert_true(rtc_time_load(cmos) == t[i].hour * HOUR_S);
	}
}

/* Every byte in every register: no value is out of bounds. */
static void any_bytes_are_a_time_between_1970_and_the_limit(void **state)
{
	static const uint8_t regs[] = {RTC_SECONDS, RTC_MINUTES, RTC_HOURS,
				       RTC_DAY,	    RTC_MONTH,	 RTC_YEAR,
				       RTC_CENTURY};
	const int64_t year_s = 366 * DAY_S;

	(void)state;
	for (size_t i = 0; i < sizeof(forms); i++) {
		uint8_t cmos[RTC_CMOS_LEN] = {0};

		cmos[RTC_B] = forms[i];
		assert_true(rtc_time_load(cmos) >= 0);
		for (size_t r = 0; r < sizeof(regs); r++)
			for (int v = 0; v < 256; v++) {
				int64_t s;

				cmos[regs[r]] = (uint8_t)v;
				s = rtc_time_load(cmos);
				assert_true(s >= 0 &&
					    s < LAST_S + year_s + year_s);
			}
		memset(cmos, 0xff, sizeof(cmos));
		cmos[RTC_B] = forms[i];
		assert_true(rtc_time_load(cmos) < LAST_S + year_s + year_s);
	}
}

static void set_alarm(uint8_t *cmos, uint8_t h, uint8_t m, uint8_t s)
{
	cmos[RTC_HOURS_ALARM] = h;
	cmos[RTC_MINUTES_ALARM] = m;
	cmos[RTC_SECONDS_ALARM] = s;
}

static void the_alarm_is_the_next_match(void **state)
{
	const int64_t day = 20000 * DAY_S;
	const int64_t now = day + 10 * HOUR_S + 1230; /* 10:20:30 */
	static const struct {
		uint8_t h, m, s;
		int64_t in;
	} t[] = {
		{0x10, 0x20, 0x31, 1},
		{0x10, 0x20, 0x30, 86400}, /* this second is past */
		{0x10, 0x20, 0x29, 86399},
		{0x10, 0x21, 0x00, 30},
		{0x11, 0x00, 0x00, 2370},
		{0x09, 0x59, 0x59, 85169},
		{0xc0, 0xc0, 0xff, 1},	  /* every second */
		{0xff, 0xff, 0x00, 30},	  /* every minute */
		{0xff, 0x20, 0x30, 3600}, /* every hour */
		{0x00, 0xff, 0xff, 49170},
		{0x10, 0xff, 0x30, 60},
	};
	uint8_t cmos[RTC_CMOS_LEN] = {[RTC_B] = RTC_B_24H};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		set_alarm(cmos, t[i].h, t[i].m, t[i].s);
		assert_int_equal(rtc_time_next_alarm(cmos, now) - now, t[i].in);
	}
}

static void an_alarm_that_is_no_time_never_comes(void **state)
{
	static const uint8_t bad[][3] = {
		{0x24, 0x00, 0x00}, {0x00, 0x60, 0x00}, {0x00, 0x00, 0x60},
		{0x0a, 0xff, 0xff}, {0xbf, 0xbf, 0xbf},
	};
	uint8_t cmos[RTC_CMOS_LEN] = {[RTC_B] = RTC_B_24H};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		set_alarm(cmos, bad[i][0], bad[i][1], bad[i][2]);
		assert_true(rtc_time_next_alarm(cmos, 12345) == RTC_NEVER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bcd_registers_agree_with_the_calendar),
		cmocka_unit_test(what_is_stored_is_loaded_in_every_form),
		cmocka_unit_test(leap_days_are_where_they_should_be),
		cmocka_unit_test(twelve_hours_have_noon_and_midnight),
		cmocka_unit_test(
			any_bytes_are_a_time_between_1970_and_the_limit),
		cmocka_unit_test(the_alarm_is_the_next_match),
		cmocka_unit_test(an_alarm_that_is_no_time_never_comes),
	};

	return cmocka_run_group_tests_name("rtc_time", tests, NULL, NULL);
}
