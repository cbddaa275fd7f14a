/*
 * tests/guest/attack_virtio.c - a driver that breaks every rule of virtio, on
 * every virtio device there is: chains that loop, lengths that wrap, rings
 * outside of memory, registers in any order, and rings that change while the
 * device reads them. Each device must work or ask for a reset, and after one it
 * must be as good as new.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"
#include "tests/guest/random.h"
#include "tests/guest/virtio.h"

enum {
	RING = 16,
	ROUNDS = 24,
	MAX_QUEUES = 4,
	RAM = 16 << 20,
};

#define DESC 0x400000u
#define AVAIL 0x410000u
#define USED 0x420000u
#define TABLE 0x430000u /* indirect */
#define DATA 0x440000u

static uint64_t seed = 0x76697274;

/* An address that is RAM, is not, or is both; but not where this code lies. */
static uint64_t nasty_address(void)
{
	uint64_t at;

	switch (next_random(&seed) % 6) {
	case 0:
		at = next_nasty(&seed);
		return at < DESC ? at + DESC : at;
	case 1:
		return RAM - next_random(&seed) % 64;
	case 2:
		return MEM_PCI32_BASE + next_random(&seed) % MEM_PCI32_SIZE;
	case 3:
		return TABLE;
	default:
		return DATA + next_random(&seed) % 0x10000;
	}
}

/* Mostly right, or nothing would get past the first check. */
static void nasty_desc(uint64_t table, unsigned int i)
{
	uint64_t at = table + 16 * i, r = next_random(&seed);
	int is_bad = (r & 31) == 0;

	mmio_write64(at, is_bad ? nasty_address()
				: DATA + next_random(&seed) % 0x10000);
	mmio_write32(at + 8, (r >> 5 & 31) == 0 ? (uint32_t)next_nasty(&seed)
						: (uint32_t)(r >> 10 & 0xfff));
	/* a chain goes on with every other descriptor, and ends at the last */
	mmio_write16(at + 12, is_bad ? (uint16_t)(r >> 24)
				     : (uint16_t)(r >> 24 & WRITE) |
					       (r >> 26 & 1 && i < RING - 1));
	mmio_write16(at + 14, (r >> 40 & 31) == 0 ? (uint16_t)(r >> 48)
						  : (uint16_t)(i + 1));
}

/* What the devices take for packets and commands. */
static void nasty_data(void)
{
	for (unsigned int i = 0; i < 256; i++)
		mmio_write64(DATA + next_random(&seed) % 0x10000,
			     next_nasty(&seed));
}

static void nasty_rings(void)
{
	for (unsigned int i = 0; i < RING; i++) {
		uint64_t r = next_random(&seed);

		nasty_desc(DESC, i);
		nasty_desc(TABLE, i);
		mmio_write16(AVAIL + 4 + 2 * i,
			     (uint16_t)(r & 63 ? r >> 8 & (RING - 1) : r >> 8));
	}
	mmio_write16(AVAIL, (uint16_t)next_random(&seed));
	mmio_write16(AVAIL + 4 + 2 * RING, (uint16_t)next_random(&seed));
}

/* One session with rings that are where they should be. */
static void bad_chains(const struct virtio_fn *f, unsigned int n_queues)
{
	virtio_negotiate(f, (uint32_t)next_random(&seed));
	for (unsigned int q = 0; q < n_queues; q++)
		virtio_queue(f, q, RING, DESC, AVAIL, USED);
	virtio_go(f);
	for (unsigned int i = 0; i < 3; i++) {
		nasty_data();
		nasty_rings();
		mmio_write16(AVAIL + 2, (uint16_t)(4 * i + 4));
		if (next_random(&seed) % 8 == 0)
			mmio_write16(AVAIL + 2, (uint16_t)next_nasty(&seed));
		for (unsigned int q = 0; q < n_queues; q++)
			virtio_kick(f, q);
		/* and change it under the device's hands */
		nasty_rings();
	}
}

/* One with rings that are anywhere, and registers written anyhow. */
static void bad_registers(const struct virtio_fn *f)
{
	virtio_negotiate(f, (uint32_t)next_nasty(&seed));
	for (unsigned int i = 0; i < 24; i++) {
		unsigned int off =
			(unsigned int)(next_random(&seed) % (COMMON_LEN + 8));

		switch (next_random(&seed) & 3) {
		case 0:
			mmio_write8(f->common + off,
				    (uint8_t)next_nasty(&seed));
			break;
		case 1:
			mmio_write16(f->common + (off & ~1u),
				     (uint16_t)next_nasty(&seed));
			break;
		case 2:
			mmio_write32(f->common + (off & ~3u),
				     (uint32_t)next_nasty(&seed));
			break;
		default:
			mmio_write64(f->common + (off & ~7u), nasty_address());
		}
		mmio_read32(f->common + (off & ~3u));
	}
	virtio_queue(f, (unsigned int)next_random(&seed) & 3,
		     (unsigned int)next_nasty(&seed) & 0xffff, nasty_address(),
		     nasty_address(), nasty_address());
	virtio_go(f);
	virtio_kick(f, (unsigned int)next_random(&seed) & 3);
	mmio_write16(f->notify + next_random(&seed) % 64,
		     (uint16_t)next_nasty(&seed));
	if (f->config) {
		mmio_write32(f->config + next_random(&seed) % 64,
			     (uint32_t)next_nasty(&seed));
		mmio_read64(f->config + next_random(&seed) % 64);
	}
}

/* Interrupt vectors of any kind, as the guest may program them. */
static void bad_vectors(const struct virtio_fn *f)
{
	unsigned int cap = pci_read32(f->devfn, 0x34) & 0xfc;

	for (; cap; cap = pci_read32(f->devfn, cap) >> 8 & 0xfc) {
		uint64_t table;

		if ((pci_read32(f->devfn, cap) & 0xff) != 0x11)
			continue;
		table = f->bar + (pci_read32(f->devfn, cap + 4) & ~7u);
		pci_write32(f->devfn, cap, 0x80000000); /* enable */
		for (unsigned int i = 0; i < 12; i++) {
			uint64_t entry = table + 16 * (next_random(&seed) % 8);

			mmio_write32(entry,
				     next_random(&seed) & 1
					     ? 0xfee00000
					     : (uint32_t)next_nasty(&seed));
			mmio_write32(entry + 4, (uint32_t)next_nasty(&seed));
			/* no NMI, INIT or SMI: they would end us */
			mmio_write32(entry + 8,
				     (uint32_t)next_nasty(&seed) & ~0x700u);
			mmio_write32(entry + 12, next_random(&seed) & 1);
		}
		pci_write32(f->devfn, cap,
			    next_random(&seed) & 1 ? 0xc0000000 : 0);
	}
}

static void one_device(const struct virtio_fn *f)
{
	unsigned int n_queues = mmio_read16(f->common + N_QUEUES);

	if (n_queues > MAX_QUEUES)
		n_queues = MAX_QUEUES;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (i % 4 == 3)
			bad_vectors(f);
		if (next_random(&seed) & 1)
			bad_chains(f, n_queues);
		else
			bad_registers(f);
	}
	virtio_reset(f);
}

/* After all that: bytes, as if nothing had been. */
static void rng_still_works(const struct virtio_fn *f)
{
	virtio_negotiate(f, 0);
	for (unsigned int i = 0; i < 64; i += 8) {
		mmio_write64(DATA + i, 0);
		mmio_write64(AVAIL + i, 0);
		mmio_write64(USED + i, 0);
	}
	mmio_write64(DESC, DATA);
	mmio_write32(DESC + 8, 64);
	mmio_write32(DESC + 12, WRITE);
	virtio_queue(f, 0, RING, DESC, AVAIL, USED);
	virtio_go(f);
	mmio_write16(AVAIL + 2, 1);
	virtio_kick(f, 0);
	for (unsigned int i = 0; mmio_read16(USED + 2) != 1; i++)
		CHECK(i < POLLS);
	CHECK(mmio_read64(DATA) | mmio_read64(DATA + 8));
}

int payload_main(void)
{
	unsigned int found = 0;

	for (unsigned int devfn = 0; devfn < 256; devfn += 8) {
		struct virtio_fn f;

		if (!virtio_open(devfn,
				 (uint32_t)MEM_PCI32_BASE + 0x2000000 +
					 0x100000 * devfn,
				 &f))
			continue;
		found++;
		one_device(&f);
		if (f.id == VIRTIO_RNG)
			rng_still_works(&f);
	}
	CHECK(found);
	return 0;
}
