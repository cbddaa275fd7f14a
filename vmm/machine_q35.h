/*
 * vmm/machine_q35.h - the machine q35-coffer-1: its buses and the devices
 * every guest has, wired as mem/mem_map.h says. No KVM here.
 */
#ifndef VMM_MACHINE_Q35_H
#define VMM_MACHINE_Q35_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct bus;
struct console;
struct console_port;
struct debugcon_sink;
struct err;
struct irq_sink;
struct loop;
struct machine; /* opaque */
struct pci_bus;
struct power_sink;

#define MACHINE_VERSION "q35-coffer-1"

struct machine_params {
	uint64_t ram_bytes;
	bool debug_exit; /* is the port there? */
	/* All borrowed; they outlive the machine. */
	struct irq_sink *irq;
	struct power_sink *power;
	struct debugcon_sink *debugcon;
	struct console *console;
	struct loop *loop;
};

int machine_create(const struct machine_params *p, struct machine **ret,
		   struct err *err);
/* No vCPU runs. NULL is fine. */
void machine_destroy(struct machine *m);
DEFINE_CLEANUP(struct machine, machine_destroy)

/*
 * After the last device was added to the PCI bus: give BARs their addresses.
 * @phys_bits  physical-address width of the guest's CPUs
 */
int machine_finish(struct machine *m, unsigned int phys_bits, struct err *err);

/* Borrowed from the machine. */
struct bus *machine_pio(struct machine *m);
struct bus *machine_mmio(struct machine *m);
struct pci_bus *machine_pci(struct machine *m);
/* The serial port's end that a console is plugged into. */
struct console_port *machine_console_port(struct machine *m);

/* Where firmware has put ECAM; 0: nowhere. Any thread. */
uint64_t machine_ecam(const struct machine *m);
/* Any thread. */
void machine_power_button(struct machine *m);

#endif
