/*
 * devices/legacy/rtc_time.h - the time as the registers of an MC146818 hold it.
 *
 * Pure functions over the 128 bytes of CMOS memory, whose register B says in
 * which form numbers are: BCD or binary, 12 or 24 hours. No libc calendar: the
 * first gmtime() of a process opens /etc/localtime, which a jailed VMM cannot.
 */
#ifndef DEVICES_LEGACY_RTC_TIME_H
#define DEVICES_LEGACY_RTC_TIME_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RTC_SECONDS = 0x00,
	RTC_SECONDS_ALARM = 0x01,
	RTC_MINUTES = 0x02,
	RTC_MINUTES_ALARM = 0x03,
	RTC_HOURS = 0x04,
	RTC_HOURS_ALARM = 0x05,
	RTC_WEEKDAY = 0x06, /* 1 is Sunday */
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_D = 0x0d,
	RTC_CENTURY = 0x32, /* the FADT says so */
	RTC_CMOS_LEN = 128,

	RTC_B_BINARY = 1 << 2,
	RTC_B_24H = 1 << 1,
};

#define RTC_NEVER INT64_MAX

/* Is @reg one of the registers that rtc_time_store() sets? */
bool rtc_time_is_field(uint8_t reg);

/* Set the time registers to @s seconds since 1970, 0 .. 2^40. */
void rtc_time_store(uint8_t cmos[static RTC_CMOS_LEN], int64_t s);

/*
 * What the time registers say, in seconds since 1970; the day of the week does
 * not count. Any bytes are fine: a year outside 1970-2200 becomes the nearest
 * one inside, and fields that are too large carry.
 */
int64_t rtc_time_load(const uint8_t cmos[static RTC_CMOS_LEN]);

/*
 * The first second after @s (0 .. 2^40) at which the alarm registers match,
 * within a day; RTC_NEVER when they hold no time of day.
 */
int64_t rtc_time_next_alarm(const uint8_t cmos[static RTC_CMOS_LEN], int64_t s);

#endif
