/*
 * devices/pci/lpc.h - the LPC bridge of ICH9, 8086:2918.
 *
 * It is there for its registers (Intel ICH9 datasheet, 13.1 "PCI Configuration
 * Registers (LPC I/F-D31:F0)"): PMBASE 0x40 and ACPI_CNTL 0x44 place the ACPI
 * block on the port bus. The PIRQ routes 0x60.. and RCBA 0xf0 are kept and
 * have no effect: no function of this machine has INTx, and nothing is mapped
 * in the root complex block.
 */
#ifndef DEVICES_PCI_LPC_H
#define DEVICES_PCI_LPC_H

#include "vmm/base/own.h"

struct bus_dev;
struct err;
struct lpc; /* opaque */
struct pci_bus;

/*
 * Adds itself to @bus at PCI_DEVFN_LPC, with the ACPI block enabled at
 * PORT_PM_BASE.
 * @pm   answers in the PM_BLOCK_LEN ports of the block; borrowed
 * -ENOMEM, or the error of pci_bus_add(). Destroy it after the bus.
 */
int lpc_create(struct pci_bus *bus, struct bus_dev *pm, struct lpc **ret,
	       struct err *err);
void lpc_destroy(struct lpc *l);
DEFINE_CLEANUP(struct lpc, lpc_destroy)

#endif
