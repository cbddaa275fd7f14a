/*
 * tests/guest/attack_mmio.c - every width at every kind of address: device
 * windows, their edges, holes; and nonsense in all of PCI's config space, so
 * that windows lie over each other, over RAM and over nothing.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"
#include "tests/guest/random.h"

enum { ROUNDS = 24, BAR_WINDOW = 0x8000 };

static uint64_t seed = 0x6d6d696f;

static void all_widths(uint64_t at)
{
	mmio_read8(at);
	mmio_read16(at);
	mmio_read32(at);
	mmio_read64(at);
	mmio_write8(at, (uint8_t)next_nasty(&seed));
	mmio_write16(at, (uint16_t)next_nasty(&seed));
	mmio_write32(at, (uint32_t)next_nasty(&seed));
	mmio_write64(at, next_nasty(&seed));
}

/* Aligned, crooked, and over the end of what is there. */
static void window(uint64_t base, uint64_t len)
{
	for (unsigned int i = 0; i < ROUNDS; i++)
		all_widths(base + next_random(&seed) % len);
	all_widths(base);
	all_widths(base + 1);
	all_widths(base + len - 8);
	all_widths(base + len - 1);
	if (base)
		all_widths(base - 1);
}

static int is_there(unsigned int devfn)
{
	return pci_read32(devfn, 0) != 0xffffffff;
}

/* Not PMBASE and what follows: from there a write may power us off. */
static int is_safe(unsigned int devfn, unsigned int off)
{
	return devfn != PCI_DEVFN_LPC || off < 0x40 || off >= 0x48;
}

static void config_space(unsigned int devfn)
{
	for (unsigned int off = 0; off < 4096; off += off < 256 ? 4 : 61) {
		uint64_t ecam = MEM_ECAM_BASE | devfn << 12 | off;

		if (!is_safe(devfn, off))
			continue;
		if (off < 256) {
			pci_write32(devfn, off, (uint32_t)next_nasty(&seed));
			outb((uint16_t)(PORT_PCI_DATA + (off >> 2 & 3)),
			     (uint8_t)next_nasty(&seed));
		}
		mmio_write8(ecam + 1, (uint8_t)next_nasty(&seed));
		mmio_write16(ecam + 2, (uint16_t)next_nasty(&seed));
		mmio_write32(ecam, (uint32_t)next_nasty(&seed));
		mmio_read64(ecam);
	}
}

/* Its memory goes to @at, and answers there, whatever it is now. */
static void move_to(unsigned int devfn, uint64_t at)
{
	for (unsigned int bar = 0; bar < 6; bar++) {
		pci_write32(devfn, 0x10 + 4 * bar, (uint32_t)at);
		if ((pci_read32(devfn, 0x10 + 4 * bar) & 6) == 4)
			pci_write32(devfn, 0x10 + 4 * ++bar,
				    (uint32_t)(at >> 32));
		at += BAR_WINDOW;
	}
	pci_write32(devfn, 4, 0x406); /* memory, bus master, no INTx */
}

static void function(unsigned int devfn)
{
	static const uint64_t place[] = {
		MEM_PCI32_BASE,	   MEM_PCI32_BASE + MEM_PCI32_SIZE - 0x1000,
		MEM_ECAM_BASE,	   MEM_LAPIC_BASE,
		MEM_IOAPIC_BASE,   0,
		0x800000,	   0xfffff000,
		0xfffffffffffff000};

	config_space(devfn);
	for (unsigned int i = 0; i < sizeof(place) / sizeof(place[0]); i++)
		move_to(devfn, place[i]);
	move_to(devfn, MEM_PCI32_BASE + 0x100000ull * (devfn + 1));
	if (devfn == PCI_DEVFN_PVPANIC)
		return; /* a write there is the guest's own end */
	window(MEM_PCI32_BASE + 0x100000ull * (devfn + 1), 6 * BAR_WINDOW);
}

int payload_main(void)
{
	window(MEM_PCI32_BASE, MEM_PCI32_SIZE);
	window(MEM_ECAM_BASE + (1 << 20), MEM_ECAM_SIZE - (1 << 20));
	window(0xfed00000, 0x100000);
	window(MEM_FLASH_END - MEM_FLASH_MAX, MEM_FLASH_MAX - 16);
	window(0x90000000, 0x1000000);
	for (unsigned int devfn = 0; devfn < 256; devfn += 8)
		if (devfn != PCI_DEVFN_HOST && is_there(devfn))
			function(devfn);
	/* the bus is still there, and so is the guest's memory */
	CHECK(pci_read32(PCI_DEVFN_HOST, 0) == 0x29c08086);
	mmio_write32(0x800000, 0x12345678);
	CHECK(mmio_read32(0x800000) == 0x12345678);
	return 0;
}
