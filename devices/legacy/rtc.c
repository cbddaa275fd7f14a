/*
 * devices/legacy/rtc.c - the MC146818, its clock and its memory.
 *
 * Register and bit names are those of the MC146818A datasheet (Motorola,
 * 1984). The time is never stored while the clock runs: it is the host's time
 * plus a difference. While it is held (SET, or the divider in reset) the time
 * registers are ordinary bytes, and letting go turns them into a new
 * difference.
 */
#include "devices/legacy/rtc.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "devices/clock_src.h"
#include "devices/irq_sink.h"
#include "devices/legacy/byte_ports.h"
#include "devices/legacy/rtc_time.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

enum {
	A_UIP = 1 << 7,
	A_DIVIDER_RESET = 6 << 4, /* 110 and 111 */
	A_DEFAULT = 0x26,	  /* 32768 Hz; rate as firmware sets it */

	B_SET = 1 << 7,
	B_PIE = 1 << 6,
	B_AIE = 1 << 5,
	B_UIE = 1 << 4,

	C_IRQF = 1 << 7,
	C_AF = 1 << 5, /* the flags stand where their enables do in B */
	C_UF = 1 << 4,

	D_VALID = 1 << 7, /* RAM and time: the battery is fine */

	INDEX_MASK = 0x7f, /* bit 7 of the index port masks NMIs */

	/* Memory sizes, as the PC's firmware leaves them there */
	CMOS_BASE_KIB = 0x15,
	CMOS_EXT_KIB = 0x17,
	CMOS_EXT_KIB_2 = 0x30,
	CMOS_ABOVE_16M = 0x34, /* in units of 64 KiB */
	CMOS_ABOVE_4G = 0x5b,  /* three bytes; 64 KiB */
	CMOS_EXT_KIB_MAX = 0xffff,
};

#define NS_PER_S INT64_C(1000000000)
#define UIP_NS INT64_C(244000) /* "t_BUC": how long before an update */

struct rtc {
	struct bus_dev dev;
	struct rtc_config c;

	pthread_mutex_t lock; /* everything below */
	uint8_t index;
	uint8_t cmos[RTC_CMOS_LEN]; /* time registers: valid while held */
	bool held;
	int64_t offset_ns; /* guest time - host time */
	int64_t seen_s;	   /* the flags are right up to this guest second */
	int64_t armed_ns;  /* deadline given to the host, in host time */
	bool line;
};

static int64_t host_ns(const struct rtc *r)
{
	return (int64_t)r->c.clock->ops->now_ns(r->c.clock);
}

/* Not before 1970, whatever happens to the host's clock. */
static int64_t guest_ns(const struct rtc *r)
{
	int64_t ns = host_ns(r) + r->offset_ns;

	return ns < 0 ? 0 : ns;
}

static int64_t guest_s(const struct rtc *r)
{
	return guest_ns(r) / NS_PER_S;
}

/* --- alarms and flags ---------------------------------------------------- */

/* Set the flags for what has happened since they were last looked at. */
static void update_flags(struct rtc *r)
{
	int64_t s;

	if (r->held)
		return;
	s = guest_s(r);
	if (s > r->seen_s) {
		r->cmos[RTC_C] |= C_UF;
		if (rtc_time_next_alarm(r->cmos, r->seen_s) <= s)
			r->cmos[RTC_C] |= C_AF;
	}
	r->seen_s = s; /* also backwards, with the host's clock */
}

static void update_line(struct rtc *r)
{
	uint8_t raised = r->cmos[RTC_C] & r->cmos[RTC_B] & (B_AIE | B_UIE);

	if ((raised != 0) == r->line)
		return;
	r->line = raised;
	r->c.irq->ops->set_line(r->c.irq, r->c.gsi, r->line);
}

/* Ask the host to look again at the next enabled event. */
static void update_deadline(struct rtc *r)
{
	int64_t at = RTC_NEVER, host;

	if (!r->c.host)
		return;
	if (!r->held && r->cmos[RTC_B] & B_UIE)
		at = r->seen_s + 1;
	else if (!r->held && r->cmos[RTC_B] & B_AIE)
		at = rtc_time_next_alarm(r->cmos, r->seen_s);
	if (at != RTC_NEVER)
		at = at * NS_PER_S - r->offset_ns;
	if (at == r->armed_ns)
		return;
	r->armed_ns = at;
	host = host_ns(r);
	r->c.host->ops->arm(r->c.host, at == RTC_NEVER ? UINT64_MAX
				       : at <= host    ? 0
						       : (uint64_t)(at - host));
}

static void update_all(struct rtc *r)
{
	update_flags(r);
	update_line(r);
	update_deadline(r);
}

/* --- holding and setting the time --------------------------------------- */

static bool divider_reset(const struct rtc *r)
{
	return (r->cmos[RTC_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

static void hold(struct rtc *r)
{
	if (r->held)
		return;
	update_flags(r);
	rtc_time_store(r->cmos, guest_s(r));
	r->held = true;
}

/* The clock goes on from the registers, @phase_ns into their second. */
static void release(struct rtc *r, int64_t phase_ns)
{
	int64_t s = rtc_time_load(r->cmos);

	r->held = false;
	r->offset_ns = s * NS_PER_S + phase_ns - host_ns(r);
	r->seen_s = s;
}

static int64_t phase(const struct rtc *r)
{
	return guest_ns(r) % NS_PER_S;
}

static void write_a(struct rtc *r, uint8_t val)
{
	bool was = divider_reset(r);

	r->cmos[RTC_A] = val & (uint8_t)~A_UIP;
	if (divider_reset(r))
		hold(r);
	else if (was && !(r->cmos[RTC_B] & B_SET))
		/* the first update comes half a second after the reset ends */
		release(r, NS_PER_S / 2);
}

static void write_b(struct rtc *r, uint8_t val)
{
	uint8_t mask = (uint8_t)~B_PIE;

	if (!r->c.host)
		mask &= (uint8_t) ~(B_AIE | B_UIE);
	if (val & B_SET) {
		hold(r); /* in the old form, as the chip would */
		val &= (uint8_t)~B_UIE;
	}
	r->cmos[RTC_B] = val & mask;
	if (r->held && !(val & B_SET) && !divider_reset(r))
		release(r, phase(r));
}

/* A field written while the clock runs changes that field only. */
static void write_time(struct rtc *r, uint8_t val)
{
	bool running = !r->held;

	if (running)
		rtc_time_store(r->cmos, guest_s(r));
	r->cmos[r->index] = val;
	if (running)
		release(r, phase(r));
}

static void write_data(struct rtc *r, uint8_t val)
{
	switch (r->index) {
	case RTC_A:
		write_a(r, val);
		break;
	case RTC_B:
		write_b(r, val);
		break;
	case RTC_C:
	case RTC_D:
		break;
	default:
		if (rtc_time_is_field(r->index))
			write_time(r, val);
		else
			r->cmos[r->index] = val;
		break;
	}
}

static uint8_t read_a(const struct rtc *r)
{
	bool uip = !r->held && phase(r) >= NS_PER_S - UIP_NS;

	return r->cmos[RTC_A] | (uip ? A_UIP : 0);
}

/* Reading the flags clears them, and with them the interrupt. */
static uint8_t read_c(struct rtc *r)
{
	uint8_t flags = r->cmos[RTC_C];

	if (flags & r->cmos[RTC_B] & (B_AIE | B_UIE))
		flags |= C_IRQF;
	r->cmos[RTC_C] = 0;
	return flags;
}

static uint8_t read_data(struct rtc *r)
{
	switch (r->index) {
	case RTC_A:
		return read_a(r);
	case RTC_C:
		return read_c(r);
	case RTC_D:
		return D_VALID;
	default:
		if (rtc_time_is_field(r->index) && !r->held)
			rtc_time_store(r->cmos, guest_s(r));
		return r->cmos[r->index];
	}
}

/* --- ports --------------------------------------------------------------- */

static uint8_t read_port(void *dev, uint64_t off)
{
	return off == 0 ? 0xff : read_data(dev); /* the index is write-only */
}

static void write_port(void *dev, uint64_t off, uint8_t val)
{
	struct rtc *r = dev;

	if (off == 0)
		r->index = val & INDEX_MASK;
	else
		write_data(r, val);
}

static uint64_t rtc_read(struct bus_dev *dev, uint64_t off, unsigned int width)
{
	struct rtc *r = container_of(dev, struct rtc, dev);
	uint64_t val;

	pthread_mutex_lock(&r->lock);
	update_flags(r);
	val = byte_ports_read(r, read_port, off, width);
	update_all(r);
	pthread_mutex_unlock(&r->lock);
	return val;
}

static void rtc_write(struct bus_dev *dev, uint64_t off, unsigned int width,
		      uint64_t val)
{
	struct rtc *r = container_of(dev, struct rtc, dev);

	pthread_mutex_lock(&r->lock);
	update_flags(r);
	byte_ports_write(r, write_port, off, width, val);
	update_all(r);
	pthread_mutex_unlock(&r->lock);
}

static void put_size(struct rtc *r, unsigned int reg, unsigned int bytes,
		     uint64_t val)
{
	for (unsigned int i = 0; i < bytes; i++)
		r->cmos[reg + i] = (uint8_t)(val >> (8 * i));
}

static void put_memory_sizes(struct rtc *r)
{
	uint64_t low = r->c.ram_low;
	uint64_t ext = low > MIB(1) ? (low - MIB(1)) / KIB(1) : 0;
	uint64_t above_16m = low > MIB(16) ? (low - MIB(16)) / KIB(64) : 0;

	if (ext > CMOS_EXT_KIB_MAX)
		ext = CMOS_EXT_KIB_MAX;
	put_size(r, CMOS_BASE_KIB, 2, 640);
	put_size(r, CMOS_EXT_KIB, 2, ext);
	put_size(r, CMOS_EXT_KIB_2, 2, ext);
	put_size(r, CMOS_ABOVE_16M, 2, above_16m);
	put_size(r, CMOS_ABOVE_4G, 3, r->c.ram_high / KIB(64));
}

int rtc_create(const struct rtc_config *c, struct rtc **ret, struct err *err)
{
	static const struct bus_dev_ops ops = {rtc_read, rtc_write};
	struct rtc *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(err, -ENOMEM, "RTC: out of memory");
	pthread_mutex_init(&r->lock, NULL);
	r->dev.ops = &ops;
	r->c = *c;
	r->cmos[RTC_A] = A_DEFAULT;
	r->cmos[RTC_B] = RTC_B_24H;
	r->armed_ns = RTC_NEVER;
	put_memory_sizes(r);
	r->seen_s = guest_s(r);
	*ret = r;
	return 0;
}

void rtc_destroy(struct rtc *r)
{
	if (!r)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

struct bus_dev *rtc_bus_dev(struct rtc *r)
{
	return &r->dev;
}

void rtc_tick(struct rtc *r)
{
	pthread_mutex_lock(&r->lock);
	r->armed_ns = RTC_NEVER; /* it has fired */
	update_all(r);
	pthread_mutex_unlock(&r->lock);
}
