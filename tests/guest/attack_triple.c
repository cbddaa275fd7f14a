/*
 * tests/guest/attack_triple.c - a triple fault in the middle of work: devices
 * have requests, the console has output, the other CPUs are being started.
 */
#include "mem/mem_map.h"
#include "tests/guest/fault.h"
#include "tests/guest/virtio.h"

enum { RING = 8, ICR_LOW = 0x300, TO_OTHERS_INIT = 0xc4500 };

#define DESC 0x400000u
#define AVAIL 0x401000u
#define USED 0x402000u
#define DATA 0x410000u

static void keep_busy(const struct virtio_fn *f)
{
	virtio_negotiate(f, 0);
	for (unsigned int i = 0; i < RING; i++) {
		mmio_write64(DESC + 16 * i, DATA + 0x1000 * i);
		mmio_write32(DESC + 16 * i + 8, 0x1000);
		mmio_write32(DESC + 16 * i + 12, WRITE);
		mmio_write16(AVAIL + 4 + 2 * i, (uint16_t)i);
	}
	virtio_queue(f, 0, RING, DESC, AVAIL, USED);
	virtio_go(f);
	mmio_write16(AVAIL + 2, RING);
	virtio_kick(f, 0);
}

int payload_main(void)
{
	for (unsigned int devfn = 0; devfn < 256; devfn += 8) {
		struct virtio_fn f;

		if (virtio_open(devfn,
				(uint32_t)MEM_PCI32_BASE + 0x2000000 +
					0x100000 * devfn,
				&f))
			keep_busy(&f);
	}
	serial_puts("not a whole line");
	mmio_write32(MEM_LAPIC_BASE + LAPIC_SVR, 0x1ff);
	mmio_write32(MEM_LAPIC_BASE + ICR_LOW, TO_OTHERS_INIT);
	fault_load_idt(0);
	__asm__ volatile("ud2");
	return 1;
}
