/*
 * tests/guest/scan.c - reads every port in every width, every configuration
 * register both ways, and holes of the address map; writes where it is
 * harmless. The monitor must survive and nothing may answer where nothing is.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

static void scan_ports(void)
{
	for (uint32_t p = 0; p < 0x10000; p += p < 0x1000 ? 1 : 0x101) {
		inb((uint16_t)p);
		if (p < 0xffff)
			inw((uint16_t)p);
		if (p < 0xfffd)
			inl((uint16_t)p);
	}
	CHECK(inl(0x2000) == 0xffffffff);
	CHECK(inb(PORT_DEBUGCON) == 0xe9);
}

static void scan_pci(void)
{
	for (unsigned int devfn = 0; devfn < 256; devfn += 8)
		for (unsigned int off = 0; off < 256; off += 4) {
			uint64_t ecam = MEM_ECAM_BASE | devfn << 12 | off;

			CHECK(pci_read32(devfn, off) == mmio_read32(ecam));
			if (off >= 0x10)
				continue;
			mmio_read8(ecam + 3);
			mmio_read16(ecam + 1);
			mmio_read64(ecam);
		}
	CHECK(pci_read32(PCI_DEVFN_HOST, 0) == 0x29c08086);
	CHECK(pci_read32(PCI_DEVFN_LPC, 0) == 0x29188086);
	CHECK(pci_read32(0x10 << 3, 0) == 0xffffffff);
	/* another bus, and past the end of this one's ECAM */
	CHECK(mmio_read32(MEM_ECAM_BASE + (1 << 20)) == 0xffffffff);
	CHECK(mmio_read32(MEM_ECAM_BASE + MEM_ECAM_SIZE - 4) == 0xffffffff);
}

static void poke_holes(void)
{
	static const uint32_t hole[] = {MEM_PCI32_BASE + 0x1000000, 0xa0000,
					0xfed00000, 0xff000000};

	for (unsigned int i = 0; i < 4; i++) {
		if (hole[i] == 0xa0000)
			continue; /* RAM in this machine */
		mmio_write64(hole[i] + 1, ~0ull);
		mmio_write8(hole[i], 0);
		CHECK(mmio_read32(hole[i]) == 0xffffffff);
		CHECK(mmio_read64(hole[i] + 3) == ~0ull);
	}
}

int payload_main(void)
{
	scan_ports();
	scan_pci();
	poke_holes();
	return 0;
}
