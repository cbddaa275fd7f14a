/*
 * devices/pci/q35_host.h - host bridge of the q35 chip set, 8086:29c0.
 *
 * Of its registers (Intel 3 Series Express Chipset datasheet, 5.1 "DRAM
 * Controller Registers") it has those that a kernel or firmware uses: PCIEXBAR
 * at 0x60 places and enables ECAM, PAM0-6 at 0x90 are kept but route nothing,
 * since RAM below 1 MiB is always RAM.
 */
#ifndef DEVICES_PCI_Q35_HOST_H
#define DEVICES_PCI_Q35_HOST_H

#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct pci_bus;
struct q35_host; /* opaque */

/*
 * Adds itself to @bus at PCI_DEVFN_HOST, with ECAM at MEM_ECAM_BASE. -ENOMEM,
 * or the error of pci_bus_add(). Destroy it after the bus.
 */
int q35_host_create(struct pci_bus *bus, struct q35_host **ret,
		    struct err *err);
void q35_host_destroy(struct q35_host *h);
DEFINE_CLEANUP(struct q35_host, q35_host_destroy)

/* Where ECAM is now; 0: nowhere. Any thread. */
uint64_t q35_host_ecam(const struct q35_host *h);

#endif
