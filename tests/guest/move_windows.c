/*
 * tests/guest/move_windows.c - moves ECAM, the PM block and a BAR, as firmware
 * does, onto free addresses and onto one another.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

#define NEW_ECAM 0xd0000000u
#define NEW_PM 0xb000u

static void move_ecam(void)
{
	pci_write32(PCI_DEVFN_HOST, 0x60, NEW_ECAM | 1);
	CHECK(mmio_read32(NEW_ECAM) == 0x29c08086);
	CHECK(mmio_read32(MEM_ECAM_BASE) == 0xffffffff);
	/* through itself, back to where it was */
	mmio_write32(NEW_ECAM + 0x60, MEM_ECAM_BASE | 1);
	CHECK(mmio_read32(MEM_ECAM_BASE) == 0x29c08086);
	pci_write32(PCI_DEVFN_HOST, 0x60, 0); /* off */
	CHECK(mmio_read32(MEM_ECAM_BASE) == 0xffffffff);
	pci_write32(PCI_DEVFN_HOST, 0x60, MEM_ECAM_BASE | 1);
}

static void move_pm(void)
{
	CHECK(inw(PORT_PM_BASE + PM1_CNT) & 1);
	pci_write32(PCI_DEVFN_LPC, 0x40, NEW_PM | 1);
	CHECK(inw(NEW_PM + PM1_CNT) & 1);
	CHECK(inw(PORT_PM_BASE + PM1_CNT) == 0xffff);
	/* onto the serial port: one of them answers, nobody dies */
	pci_write32(PCI_DEVFN_LPC, 0x40, 0x380 | 1);
	inb(0x3f8);
	pci_write32(PCI_DEVFN_LPC, 0x40, PORT_PM_BASE | 1);
	CHECK(inw(PORT_PM_BASE + PM1_CNT) & 1);
}

static void move_bar(void)
{
	uint32_t old = pci_read32(PCI_DEVFN_PVPANIC, 0x10);

	pci_write32(PCI_DEVFN_PVPANIC, 4, 2);
	CHECK(mmio_read8(old & ~0xfu) & 1);
	pci_write32(PCI_DEVFN_PVPANIC, 0x10, 0xffffffff);
	CHECK(pci_read32(PCI_DEVFN_PVPANIC, 0x10) >> 31);
	pci_write32(PCI_DEVFN_PVPANIC, 0x10, MEM_ECAM_BASE); /* taken */
	CHECK(mmio_read32(MEM_ECAM_BASE) == 0x29c08086);
	pci_write32(PCI_DEVFN_PVPANIC, 0x10, 0xc8000000);
	CHECK(mmio_read8(0xc8000000) & 1);
	pci_write32(PCI_DEVFN_PVPANIC, 4, 0);
	CHECK(mmio_read8(0xc8000000) == 0xff);
}

int payload_main(void)
{
	move_ecam();
	move_pm();
	move_bar();
	return 0;
}
