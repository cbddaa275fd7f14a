/*
 * devices/legacy/reset_port.h - the ports through which a PC is reset.
 *
 * 0xcf9 is the ICH9 reset control register and what the FADT names. The
 * keyboard controller's pulse command (0xfe to 0x64) and port 0x92 are what
 * kernels try besides. Nothing else of a keyboard controller is there, and
 * the FADT says so; its status is such that nobody waits for it.
 */
#ifndef DEVICES_LEGACY_RESET_PORT_H
#define DEVICES_LEGACY_RESET_PORT_H

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct err;
struct power_sink;
struct reset_port; /* opaque */

enum {
	/* ICH9 datasheet, 13.7.5 "RST_CNT - Reset Control Register" */
	RESET_CTL_SYS_RST = 1 << 1,
	RESET_CTL_RST_CPU = 1 << 2,
	RESET_CTL_FULL_RST = 1 << 3,
};

/* @power is borrowed: reset() is called. -ENOMEM. */
int reset_port_create(struct power_sink *power, struct reset_port **ret,
		      struct err *err);
/* NULL is fine. */
void reset_port_destroy(struct reset_port *r);
DEFINE_CLEANUP(struct reset_port, reset_port_destroy)

/* One port each, valid as long as the device. */
struct bus_dev *reset_port_cf9(struct reset_port *r);	   /* PORT_RESET_CTL */
struct bus_dev *reset_port_kbd_cmd(struct reset_port *r);  /* PORT_KBD_CMD */
struct bus_dev *reset_port_kbd_data(struct reset_port *r); /* PORT_KBD_DATA */
struct bus_dev *reset_port_sysctl_a(struct reset_port *r); /* PORT_SYSCTL_A */

#endif
