/*
 * devices/legacy/acpi_pm.h - the ACPI fixed hardware of the ICH9: PM1 events
 * and control, the power management timer, and an empty GPE0 block.
 *
 * ACPI 6.4, 4.8 "ACPI Register Model"; the layout is PM1_STS .. of
 * mem/mem_map.h (ICH9 datasheet, 13.8.3). The machine is born in ACPI mode:
 * SCI_EN always reads as 1, and there is no SMI to change that.
 */
#ifndef DEVICES_LEGACY_ACPI_PM_H
#define DEVICES_LEGACY_ACPI_PM_H

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct acpi_pm; /* opaque */
struct clock_src;
struct err;
struct irq_sink;
struct power_sink;

/*
 * @irq         borrowed; GSI_SCI is driven as a level
 * @power       borrowed; power_off() when the guest enters S5. Other sleep
 *              states do not exist and asking for them does nothing.
 * @clock       borrowed; CLOCK_MONOTONIC in a VM
 * -ENOMEM
 */
int acpi_pm_create(struct irq_sink *irq, struct power_sink *power,
		   struct clock_src *clock, struct acpi_pm **ret,
		   struct err *err);
/* NULL is fine. */
void acpi_pm_destroy(struct acpi_pm *p);
DEFINE_CLEANUP(struct acpi_pm, acpi_pm_destroy)

/* PM_BLOCK_LEN ports. Valid as long as the device. */
struct bus_dev *acpi_pm_bus_dev(struct acpi_pm *p);

/*
 * Press the power button: a guest that listens shuts down. One that does not
 * listen yet finds the press when it does. Any thread.
 */
void acpi_pm_power_button(struct acpi_pm *p);

#endif
