/*
 * devices/pci/pvpanic_pci.h - how a guest's kernel says that it has panicked:
 * 1b36:0011, one byte in BAR 0 (QEMU, "PVPANIC DEVICE", PCI Interface).
 */
#ifndef DEVICES_PCI_PVPANIC_PCI_H
#define DEVICES_PCI_PVPANIC_PCI_H

#include "vmm/base/own.h"

struct err;
struct pci_bus;
struct pvpanic_pci; /* opaque */

/* Bits of the byte; a read gives those that are understood. */
enum {
	PVPANIC_PANICKED = 1 << 0,
	PVPANIC_CRASH_LOADED = 1 << 1,
};

/* Told of what the guest writes, by its vCPU thread, any number of times. */
struct pvpanic_sink;

struct pvpanic_sink_ops {
	/* The guest has panicked and will do nothing more. */
	void (*panicked)(struct pvpanic_sink *s);
	/* It has panicked and goes on in its own crash kernel. */
	void (*crash_loaded)(struct pvpanic_sink *s);
};

struct pvpanic_sink {
	const struct pvpanic_sink_ops *ops;
};

/*
 * Adds itself to @bus at @devfn. @sink is borrowed. -ENOMEM, or the error of
 * pci_bus_add(). Destroy it after the bus.
 */
int pvpanic_pci_create(struct pci_bus *bus, unsigned int devfn,
		       struct pvpanic_sink *sink, struct pvpanic_pci **ret,
		       struct err *err);
void pvpanic_pci_destroy(struct pvpanic_pci *p);
DEFINE_CLEANUP(struct pvpanic_pci, pvpanic_pci_destroy)

#endif
