/* tests/guest/pvpanic.c - reports a panic through the PCI device. */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

int payload_main(void)
{
	uint32_t bar;

	CHECK(pci_read32(PCI_DEVFN_PVPANIC, 0) == 0x00111b36);
	bar = pci_read32(PCI_DEVFN_PVPANIC, 0x10) & ~0xfu;
	CHECK(bar >= MEM_PCI32_BASE);
	pci_write32(PCI_DEVFN_PVPANIC, 4, 2); /* memory decoding on */
	CHECK(mmio_read8(bar) & 1);
	mmio_write8(bar, 2); /* a crash kernel takes over: go on */
	mmio_write8(bar, 1);
	for (;;)
		__asm__ volatile("hlt");
}
