/*
 * tests/guest/obey.c - counts on the serial port, and does what it is told
 * there, a letter at a time. A gap in the numbers is a guest that was harmed.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

static void print_number(uint32_t n)
{
	char line[10] = "00000000\n";

	for (int i = 0; i < 8; i++)
		line[i] = "0123456789abcdef"[n >> (28 - 4 * i) & 15];
	serial_puts(line);
}

static void panic(void)
{
	uint32_t bar = pci_read32(PCI_DEVFN_PVPANIC, 0x10) & ~0xfu;

	pci_write32(PCI_DEVFN_PVPANIC, 4, 2); /* memory decoding on */
	mmio_write8(bar, 2); /* a crash kernel takes over: go on */
	mmio_write8(bar, 1);
}

static void obey(char c)
{
	switch (c) {
	case 'q':
		guest_exit(42);
		break;
	case 'o': /* S5 */
		outw(PORT_PM_BASE + PM1_CNT, 1 << 13 | PM_S5_SLP_TYP << 10);
		break;
	case 'r':
		outb(0xcf9, 0x02);
		outb(0xcf9, 0x06);
		break;
	case 'p':
		panic();
		break;
	default:
		break;
	}
}

int payload_main(void)
{
	for (uint32_t n = 0;; n++) {
		print_number(n);
		if (inb(0x3fd) & 1)
			obey((char)inb(0x3f8));
	}
}
