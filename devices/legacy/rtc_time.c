/* devices/legacy/rtc_time.c - seconds to registers and back. */
#include "devices/legacy/rtc_time.h"

enum {
	HOUR_PM = 1 << 7,
	ALARM_ANY = 3 << 6, /* with both bits set every value matches */
	DAY_S = 86400,
	EPOCH_WEEKDAY = 4, /* 1970-01-01 was a Thursday; Sunday is 0 */
	YEAR_MIN = 1970,
	YEAR_MAX = 2200, /* nanoseconds in 64 bits end in 2262 */
};

/* --- numbers ------------------------------------------------------------- */

static uint8_t encode(const uint8_t *cmos, int val)
{
	if (cmos[RTC_B] & RTC_B_BINARY)
		return (uint8_t)val;
	return (uint8_t)(val / 10 << 4 | val % 10);
}

/* 0..255; 0..165 in BCD, whose digits may be up to 15. */
static int decode(const uint8_t *cmos, uint8_t reg)
{
	if (cmos[RTC_B] & RTC_B_BINARY)
		return reg;
	return (reg >> 4) * 10 + (reg & 0x0f);
}

static uint8_t encode_hour(const uint8_t *cmos, int hour)
{
	int hour12 = hour % 12 ? hour % 12 : 12;

	if (cmos[RTC_B] & RTC_B_24H)
		return encode(cmos, hour);
	return encode(cmos, hour12) | (hour >= 12 ? HOUR_PM : 0);
}

static int decode_hour(const uint8_t *cmos, uint8_t reg)
{
	if (cmos[RTC_B] & RTC_B_24H)
		return decode(cmos, reg);
	return decode(cmos, reg & (uint8_t)~HOUR_PM) % 12 +
	       (reg & HOUR_PM ? 12 : 0);
}

/* --- the calendar -------------------------------------------------------- */

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t leap_years_to(int64_t year)
{
	return year / 4 - year / 100 + year / 400;
}

/* Days from 1970-01-01 to January 1st of @year. */
static int64_t days_before_year(int64_t year)
{
	return 365 * (year - 1970) + leap_years_to(year - 1) -
	       leap_years_to(1969);
}

static int days_in_month(int64_t year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

bool rtc_time_is_field(uint8_t reg)
{
	switch (reg) {
	case RTC_SECONDS:
	case RTC_MINUTES:
	case RTC_HOURS:
	case RTC_WEEKDAY:
	case RTC_DAY:
	case RTC_MONTH:
	case RTC_YEAR:
	case RTC_CENTURY:
		return true;
	default:
		return false;
	}
}

void rtc_time_store(uint8_t cmos[static RTC_CMOS_LEN], int64_t s)
{
	int64_t days = s / DAY_S;
	int64_t year = 1970 + days / 366; /* or later, never earlier */
	int tod = (int)(s % DAY_S), month = 1, day;

	while (days_before_year(year + 1) <= days)
		year++;
	day = (int)(days - days_before_year(year)) + 1;
	while (day > days_in_month(year, month))
		day -= days_in_month(year, month++);
	cmos[RTC_SECONDS] = encode(cmos, tod % 60);
	cmos[RTC_MINUTES] = encode(cmos, tod / 60 % 60);
	cmos[RTC_HOURS] = encode_hour(cmos, tod / 3600);
	cmos[RTC_WEEKDAY] = encode(cmos, (int)((days + EPOCH_WEEKDAY) % 7) + 1);
	cmos[RTC_DAY] = encode(cmos, day);
	cmos[RTC_MONTH] = encode(cmos, month);
	cmos[RTC_YEAR] = encode(cmos, (int)(year % 100));
	cmos[RTC_CENTURY] = encode(cmos, (int)(year / 100 % 100));
}

static int clamp(int val, int min, int max)
{
	return val < min ? min : val > max ? max : val;
}

int64_t rtc_time_load(const uint8_t cmos[static RTC_CMOS_LEN])
{
	int year = clamp(decode(cmos, cmos[RTC_CENTURY]) * 100 +
				 decode(cmos, cmos[RTC_YEAR]),
			 YEAR_MIN, YEAR_MAX);
	int month = clamp(decode(cmos, cmos[RTC_MONTH]), 1, 12);
	int day = clamp(decode(cmos, cmos[RTC_DAY]), 1, INT8_MAX);
	int64_t days = days_before_year(year) + day - 1;
	int tod;

	for (int m = 1; m < month; m++)
		days += days_in_month(year, m);
	tod = decode_hour(cmos, cmos[RTC_HOURS]) * 3600 +
	      decode(cmos, cmos[RTC_MINUTES]) * 60 +
	      decode(cmos, cmos[RTC_SECONDS]);
	return days * DAY_S + tod;
}

/* --- the alarm ----------------------------------------------------------- */

static bool matches(const uint8_t *cmos, uint8_t reg, uint8_t now)
{
	return (cmos[reg] & ALARM_ANY) == ALARM_ANY || cmos[reg] == now;
}

/* At most 24 + 60 + 60 steps: to the hour, to its minute, to the second. */
int64_t rtc_time_next_alarm(const uint8_t cmos[static RTC_CMOS_LEN], int64_t s)
{
	int64_t t = s + 1;

	while (t <= s + DAY_S) {
		int tod = (int)(t % DAY_S);

		if (!matches(cmos, RTC_HOURS_ALARM,
			     encode_hour(cmos, tod / 3600)))
			t += 3600 - tod % 3600;
		else if (!matches(cmos, RTC_MINUTES_ALARM,
				  encode(cmos, tod / 60 % 60)))
			t += 60 - tod % 60;
		else if (!matches(cmos, RTC_SECONDS_ALARM,
				  encode(cmos, tod % 60)))
			t++;
		else
			return t;
	}
	return RTC_NEVER;
}
