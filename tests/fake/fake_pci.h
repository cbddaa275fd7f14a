/*
 * tests/fake/fake_pci.h - a PCI bus over two fake bus spaces, and the guest's
 * accesses to its configuration space through ports 0xcf8 and 0xcfc.
 */
#ifndef TESTS_FAKE_FAKE_PCI_H
#define TESTS_FAKE_FAKE_PCI_H

#include <stdint.h>

#include "devices/pci/pci_bus.h"
#include "tests/fake/fake_bus_space.h"

struct fake_pci {
	struct fake_bus_space *pio, *mmio;
	struct pci_bus *bus;
};

/* Aborts the test when memory is gone. No port 0xcf9, no ECAM. */
struct fake_pci *fake_pci_create(void);
/* The bus first: then the functions may go, then fake_pci_destroy(). */
void fake_pci_destroy_bus(struct fake_pci *f);
void fake_pci_destroy(struct fake_pci *f);

/* @off + @width within one dword. */
uint64_t fake_pci_read(struct fake_pci *f, unsigned int devfn, unsigned int off,
		       unsigned int width);
void fake_pci_write(struct fake_pci *f, unsigned int devfn, unsigned int off,
		    unsigned int width, uint64_t val);

#endif
