/*
 * devices/legacy/acpi_pm.c - the ACPI fixed hardware registers.
 *
 * ACPI 6.4, 4.8.3 "Fixed Hardware Registers". The guest may access any byte at
 * any width; registers are assembled here from bytes, so that a byte write to
 * half of one changes that half only.
 */
#include "devices/legacy/acpi_pm.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "devices/clock_src.h"
#include "devices/irq_sink.h"
#include "devices/legacy/byte_ports.h"
#include "devices/power_sink.h"
#include "mem/mem_map.h"
#include "vmm/base/err.h"

enum {
	/* PM1 status and enable */
	TMR_STS = 1 << 0,
	PWRBTN_STS = 1 << 8,
	/*
	 * Bits that can be enabled. Linux enables GBL, PWRBTN and RTC and
	 * complains when a bit does not stick, though only PWRBTN ever
	 * happens. TMR is not among them: nothing would raise it, and so no
	 * guest can wait for it; its status is there for those that poll.
	 */
	GBL_EN = 1 << 5,
	PWRBTN_EN = 1 << 8,
	SLPBTN_EN = 1 << 9,
	RTC_EN = 1 << 10,
	PCIEXP_WAKE_DIS = 1 << 14,
	PM1_EN_MASK = GBL_EN | PWRBTN_EN | SLPBTN_EN | RTC_EN | PCIEXP_WAKE_DIS,

	/* PM1 control */
	SCI_EN = 1 << 0,
	BM_RLD = 1 << 1,
	SLP_TYP_SHIFT = 10,
	SLP_TYP_MASK = 7 << SLP_TYP_SHIFT,
	SLP_EN = 1 << 13,
	PM1_CNT_MASK = BM_RLD | SLP_TYP_MASK, /* what is kept */

	GPE0_EN_LEN = PM_GPE0_LEN / 2,

	PM_TMR_HZ = 3579545,
	PM_TMR_BITS = 24,
};

struct acpi_pm {
	struct bus_dev dev;
	struct irq_sink *irq;	  /* borrowed */
	struct power_sink *power; /* borrowed */
	struct clock_src *clock;  /* borrowed */
	uint64_t start_ns;

	pthread_mutex_t lock; /* everything below */
	uint16_t pm1_sts, pm1_en, pm1_cnt;
	uint8_t gpe0_en[GPE0_EN_LEN];
	uint64_t tmr_seen; /* half periods of the timer when TMR was cleared */
	uint64_t ticks;	   /* of the timer, at the access being handled */
	bool off;	   /* S5 was entered in it */
	bool sci;	   /* level of the line */
};

static uint64_t ticks_now(const struct acpi_pm *p)
{
	uint64_t ns = p->clock->ops->now_ns(p->clock) - p->start_ns;
	const uint64_t second = 1000000000;

	return ns / second * PM_TMR_HZ + ns % second * PM_TMR_HZ / second;
}

/* The timer's highest bit changes once per half period, and sets TMR_STS. */
static uint64_t half_periods(const struct acpi_pm *p)
{
	return p->ticks >> (PM_TMR_BITS - 1);
}

static uint16_t read_sts(const struct acpi_pm *p)
{
	uint16_t tmr = half_periods(p) != p->tmr_seen ? TMR_STS : 0;

	return p->pm1_sts | tmr;
}

static void update_sci(struct acpi_pm *p)
{
	bool level = p->pm1_sts & p->pm1_en;

	if (level == p->sci)
		return;
	p->sci = level;
	p->irq->ops->set_line(p->irq, GSI_SCI, level);
}

/* Byte @i of a register. */
static uint8_t byte_of(uint64_t reg, uint64_t i)
{
	return (uint8_t)(reg >> (8 * i));
}

static uint16_t with_byte(uint16_t reg, uint64_t i, uint8_t val)
{
	unsigned int shift = 8 * (unsigned int)i;

	return (uint16_t)((reg & ~(0xffu << shift)) | (unsigned int)val
							      << shift);
}

static uint8_t read_reg(void *dev, uint64_t off)
{
	struct acpi_pm *p = dev;

	if (off < PM1_EN)
		return byte_of(read_sts(p), off - PM1_STS);
	if (off < PM1_CNT)
		return byte_of(p->pm1_en, off - PM1_EN);
	if (off < PM1_CNT + PM1_CNT_LEN)
		return byte_of(p->pm1_cnt | SCI_EN, off - PM1_CNT);
	if (off >= PM_TMR && off < PM_TMR + PM_TMR_LEN)
		return byte_of(p->ticks & ((UINT32_C(1) << PM_TMR_BITS) - 1),
			       off - PM_TMR);
	if (off >= PM_GPE0_EN && off < PM_GPE0_EN + GPE0_EN_LEN)
		return p->gpe0_en[off - PM_GPE0_EN];
	return 0; /* no GPE ever happens, and there is no SMI */
}

/* Writing a one clears a status bit. */
static void write_sts(struct acpi_pm *p, uint16_t val)
{
	p->pm1_sts = (uint16_t)(p->pm1_sts & ~val);
	if (val & TMR_STS)
		p->tmr_seen = half_periods(p);
}

static void write_cnt(struct acpi_pm *p, uint16_t val)
{
	p->pm1_cnt = val & PM1_CNT_MASK;
	if (val & SLP_EN &&
	    (val & SLP_TYP_MASK) >> SLP_TYP_SHIFT == PM_S5_SLP_TYP)
		p->off = true;
}

static void write_reg(void *dev, uint64_t off, uint8_t val)
{
	struct acpi_pm *p = dev;

	if (off < PM1_EN)
		write_sts(p, with_byte(0, off - PM1_STS, val));
	else if (off < PM1_CNT)
		p->pm1_en =
			with_byte(p->pm1_en, off - PM1_EN, val) & PM1_EN_MASK;
	else if (off < PM1_CNT + PM1_CNT_LEN)
		write_cnt(p, with_byte(p->pm1_cnt, off - PM1_CNT, val));
	else if (off >= PM_GPE0_EN && off < PM_GPE0_EN + GPE0_EN_LEN)
		p->gpe0_en[off - PM_GPE0_EN] = val;
}

static uint64_t acpi_pm_read(struct bus_dev *dev, uint64_t off,
			     unsigned int width)
{
	struct acpi_pm *p = container_of(dev, struct acpi_pm, dev);
	uint64_t val;

	pthread_mutex_lock(&p->lock);
	p->ticks = ticks_now(p); /* once: all bytes of one moment */
	val = byte_ports_read(p, read_reg, off, width);
	pthread_mutex_unlock(&p->lock);
	return val;
}

static void acpi_pm_write(struct bus_dev *dev, uint64_t off, unsigned int width,
			  uint64_t val)
{
	struct acpi_pm *p = container_of(dev, struct acpi_pm, dev);
	bool off_now;

	pthread_mutex_lock(&p->lock);
	p->ticks = ticks_now(p);
	byte_ports_write(p, write_reg, off, width, val);
	update_sci(p);
	off_now = p->off;
	p->off = false;
	pthread_mutex_unlock(&p->lock);
	if (off_now)
		p->power->ops->power_off(p->power);
}

static const struct bus_dev_ops acpi_pm_bus_ops = {
	.read = acpi_pm_read,
	.write = acpi_pm_write,
};

int acpi_pm_create(struct irq_sink *irq, struct power_sink *power,
		   struct clock_src *clock, struct acpi_pm **ret,
		   struct err *err)
{
	struct acpi_pm *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(err, -ENOMEM, "ACPI PM block: out of memory");
	pthread_mutex_init(&p->lock, NULL);
	p->dev.ops = &acpi_pm_bus_ops;
	p->irq = irq;
	p->power = power;
	p->clock = clock;
	p->start_ns = clock->ops->now_ns(clock);
	*ret = p;
	return 0;
}

void acpi_pm_destroy(struct acpi_pm *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct bus_dev *acpi_pm_bus_dev(struct acpi_pm *p)
{
	return &p->dev;
}

void acpi_pm_power_button(struct acpi_pm *p)
{
	pthread_mutex_lock(&p->lock);
	p->pm1_sts |= PWRBTN_STS;
	update_sci(p);
	pthread_mutex_unlock(&p->lock);
}
