/* devices/legacy/reset_port.c - four ports, one outcome. */
#include "devices/legacy/reset_port.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "devices/power_sink.h"
#include "vmm/base/err.h"

enum {
	RESET_CTL_MASK =
		RESET_CTL_SYS_RST | RESET_CTL_RST_CPU | RESET_CTL_FULL_RST,

	/*
	 * Status. No input buffer full: Linux' kb_wait() polls that bit for a
	 * tenth of a second otherwise. Parity error and time-out at once are
	 * how edk2 (Ps2KeyboardDxe) sees that there is no controller; it asks
	 * and waits for seconds otherwise.
	 */
	KBD_STATUS_NONE = 1 << 7 | 1 << 6,
	/* Pulse output lines 0-3 by the low bits; bit 0 low resets the CPU. */
	KBD_CMD_PULSE = 0xf0,
	KBD_CMD_PULSE_NOT_RESET = 1 << 0,

	SYSCTL_A_FAST_RESET = 1 << 0,
	SYSCTL_A_A20 = 1 << 1, /* the gate is always open */
};

struct reset_port {
	struct bus_dev cf9, kbd_cmd, kbd_data, sysctl_a;
	struct power_sink *power; /* borrowed */
	/* The one register that remembers; alone, so it needs no lock. */
	_Atomic uint8_t ctl;
};

static void reset(struct reset_port *r)
{
	r->power->ops->reset(r->power);
}

static uint64_t cf9_read(struct bus_dev *dev, uint64_t off, unsigned int width)
{
	struct reset_port *r = container_of(dev, struct reset_port, cf9);

	(void)off;
	(void)width;
	return atomic_load(&r->ctl);
}

/* RST_CPU going from 0 to 1 resets, whatever kind the other bits choose. */
static void cf9_write(struct bus_dev *dev, uint64_t off, unsigned int width,
		      uint64_t val)
{
	struct reset_port *r = container_of(dev, struct reset_port, cf9);
	uint8_t ctl = (uint8_t)(val & RESET_CTL_MASK);
	uint8_t before = atomic_exchange(&r->ctl, ctl);

	(void)off;
	(void)width;
	if (ctl & ~before & RESET_CTL_RST_CPU)
		reset(r);
}

static uint64_t kbd_cmd_read(struct bus_dev *dev, uint64_t off,
			     unsigned int width)
{
	(void)dev;
	(void)off;
	(void)width;
	return KBD_STATUS_NONE;
}

static void kbd_cmd_write(struct bus_dev *dev, uint64_t off, unsigned int width,
			  uint64_t val)
{
	struct reset_port *r = container_of(dev, struct reset_port, kbd_cmd);
	uint8_t cmd = (uint8_t)val;

	(void)off;
	(void)width;
	if ((cmd & 0xf0) == KBD_CMD_PULSE && !(cmd & KBD_CMD_PULSE_NOT_RESET))
		reset(r);
}

static uint64_t kbd_data_read(struct bus_dev *dev, uint64_t off,
			      unsigned int width)
{
	(void)dev;
	(void)off;
	(void)width;
	return 0;
}

static void kbd_data_write(struct bus_dev *dev, uint64_t off,
			   unsigned int width, uint64_t val)
{
	(void)dev;
	(void)off;
	(void)width;
	(void)val;
}

static uint64_t sysctl_a_read(struct bus_dev *dev, uint64_t off,
			      unsigned int width)
{
	(void)dev;
	(void)off;
	(void)width;
	return SYSCTL_A_A20;
}

static void sysctl_a_write(struct bus_dev *dev, uint64_t off,
			   unsigned int width, uint64_t val)
{
	struct reset_port *r = container_of(dev, struct reset_port, sysctl_a);

	(void)off;
	(void)width;
	if (val & SYSCTL_A_FAST_RESET)
		reset(r);
}

int reset_port_create(struct power_sink *power, struct reset_port **ret,
		      struct err *err)
{
	static const struct bus_dev_ops cf9 = {cf9_read, cf9_write};
	static const struct bus_dev_ops cmd = {kbd_cmd_read, kbd_cmd_write};
	static const struct bus_dev_ops data = {kbd_data_read, kbd_data_write};
	static const struct bus_dev_ops sysctl_a = {sysctl_a_read,
						    sysctl_a_write};
	struct reset_port *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(err, -ENOMEM, "reset ports: out of memory");
	r->cf9.ops = &cf9;
	r->kbd_cmd.ops = &cmd;
	r->kbd_data.ops = &data;
	r->sysctl_a.ops = &sysctl_a;
	r->power = power;
	*ret = r;
	return 0;
}

void reset_port_destroy(struct reset_port *r)
{
	free(r);
}

struct bus_dev *reset_port_cf9(struct reset_port *r)
{
	return &r->cf9;
}

struct bus_dev *reset_port_kbd_cmd(struct reset_port *r)
{
	return &r->kbd_cmd;
}

struct bus_dev *reset_port_kbd_data(struct reset_port *r)
{
	return &r->kbd_data;
}

struct bus_dev *reset_port_sysctl_a(struct reset_port *r)
{
	return &r->sysctl_a;
}
