/*
 * tests/guest/dma_private.c - a guest that shares some pages and keeps the rest
 * private, and then points its devices at private pages: each time the device
 * must ask for a reset, and neither have read nor written a private byte.
 *
 * Drives virtio-rng and virtio-scsi by the modern PCI transport (virtio 1.2,
 * 4.1) itself, with a ring of one descriptor more than it needs, and polls.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

enum {
	VIRTIO_RNG = 0x1044,
	VIRTIO_SCSI = 0x1048,
	KVM_HC_MAP_GPA_RANGE = 12,
	ENCRYPTED = 1 << 4,
	PAGE = 4096,
	RING = 8,
	SECTOR = 512,
	/* Device status */
	ACKNOWLEDGE = 1,
	DRIVER = 2,
	DRIVER_OK = 4,
	FEATURES_OK = 8,
	NEEDS_RESET = 64,
	/* Descriptor flags */
	NEXT = 1,
	WRITE = 2,
	/* Registers of the common configuration (virtio 1.2, 4.1.4.3) */
	FEATURE_SELECT = 0x08,
	FEATURE = 0x0c,
	STATUS = 0x14,
	Q_SELECT = 0x16,
	Q_SIZE = 0x18,
	Q_ENABLE = 0x1c,
	Q_NOTIFY_OFF = 0x1e,
	Q_DESC = 0x20,
	Q_DRIVER = 0x28,
	Q_DEVICE = 0x30,
	/* What is written to a page, so that a change is seen */
	CANARY = 0xa5,
	POLLS = 20000000,
};

#define RAM_PAGES (16u << 20 >> 12) /* -m 16M */
/* Shared: the ring, then buffers up to OPEN_END, where private memory begins.
 */
#define DESC 0x400000u
#define AVAIL 0x401000u
#define USED 0x402000u
#define OPEN 0x403000u
#define OPEN_END 0x405000u
#define SECRET 0x600000u

struct dev {
	uint64_t common, notify;
	uint32_t multiplier;
	unsigned int queue;
	uint16_t sent;
};

static uint64_t hypercall(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t ret;
	uint32_t r[4];

	cpuid(0, 0, r);
	if (r[2] == 0x6c65746e) /* Genu-ineI-ntel */
		__asm__ volatile("vmcall"
				 : "=a"(ret)
				 : "a"(nr), "b"(a), "c"(b), "d"(c)
				 : "memory");
	else
		__asm__ volatile("vmmcall"
				 : "=a"(ret)
				 : "a"(nr), "b"(a), "c"(b), "d"(c)
				 : "memory");
	return ret;
}

static void report(uint64_t gpa, uint64_t n_pages, int attributes)
{
	CHECK(!hypercall(KVM_HC_MAP_GPA_RANGE, gpa, n_pages,
			 (uint64_t)attributes));
}

static void fill(uint64_t at, uint8_t byte, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		mmio_write8(at + i, byte);
}

static int is_full_of(uint64_t at, uint8_t byte, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (mmio_read8(at + i) != byte)
			return 0;
	return 1;
}

/* --- the transport ---------------------------------------------------------*/

/* The 64-bit BAR goes below 4 GiB, where our page tables reach. */
static uint64_t place_bar(unsigned int devfn, unsigned int bar, uint32_t at)
{
	unsigned int reg = 0x10 + 4 * bar;

	if ((pci_read32(devfn, reg) & 6) == 4)
		pci_write32(devfn, reg + 4, 0);
	pci_write32(devfn, reg, at);
	return at;
}

static void find(uint16_t id, uint32_t bar_at, struct dev *ret)
{
	unsigned int devfn = 0, cap;

	while (pci_read32(devfn, 0) != ((uint32_t)id << 16 | 0x1af4)) {
		devfn += 8;
		CHECK(devfn < 256);
	}
	for (cap = pci_read32(devfn, 0x34) & 0xfc; cap;
	     cap = pci_read32(devfn, cap) >> 8 & 0xfc) {
		uint32_t head = pci_read32(devfn, cap);
		unsigned int bar = pci_read32(devfn, cap + 4) & 0xff;
		uint64_t at = bar_at + pci_read32(devfn, cap + 8);

		if ((head & 0xff) != 0x09)
			continue;
		if (head >> 24 == 1)
			ret->common = at;
		if (head >> 24 == 2) {
			ret->notify = at;
			ret->multiplier = pci_read32(devfn, cap + 16);
		}
		if (head >> 24 == 1)
			place_bar(devfn, bar, bar_at);
	}
	pci_write32(devfn, 4, 2 | 4); /* memory, bus master */
	CHECK(ret->common && ret->notify);
}

static void ring_at(struct dev *d, uint64_t used)
{
	mmio_write8(d->common + STATUS, 0);
	for (unsigned int i = 0; mmio_read8(d->common + STATUS); i++)
		CHECK(i < POLLS);
	mmio_write8(d->common + STATUS, ACKNOWLEDGE | DRIVER);
	mmio_write32(d->common + FEATURE_SELECT, 0);
	mmio_write32(d->common + FEATURE, 0);
	mmio_write32(d->common + FEATURE_SELECT, 1);
	mmio_write32(d->common + FEATURE, 3); /* VERSION_1, ACCESS_PLATFORM */
	mmio_write8(d->common + STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
	CHECK(mmio_read8(d->common + STATUS) & FEATURES_OK);
	fill(DESC, 0, OPEN - DESC);
	mmio_write16(d->common + Q_SELECT, (uint16_t)d->queue);
	mmio_write16(d->common + Q_SIZE, RING);
	mmio_write64(d->common + Q_DESC, DESC);
	mmio_write64(d->common + Q_DRIVER, AVAIL);
	mmio_write64(d->common + Q_DEVICE, used);
	mmio_write16(d->common + Q_ENABLE, 1);
	mmio_write8(d->common + STATUS,
		    ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
	d->sent = 0;
}

static void start(struct dev *d)
{
	ring_at(d, USED);
}

static void desc(unsigned int i, uint64_t at, uint32_t len, unsigned int flags)
{
	mmio_write64(DESC + 16 * i, at);
	mmio_write32(DESC + 16 * i + 8, len);
	mmio_write16(DESC + 16 * i + 12, (uint16_t)flags);
	mmio_write16(DESC + 16 * i + 14, (uint16_t)(i + 1));
}

/* Offer the chain that begins with descriptor 0. True: it came back. */
static int offer(struct dev *d)
{
	uint16_t off = mmio_read16(d->common + Q_NOTIFY_OFF);

	mmio_write16(AVAIL + 4 + 2 * (d->sent % RING), 0);
	__asm__ volatile("mfence" ::: "memory");
	mmio_write16(AVAIL + 2, ++d->sent);
	__asm__ volatile("mfence" ::: "memory");
	mmio_write16(d->notify + (uint64_t)off * d->multiplier,
		     (uint16_t)d->queue);
	for (unsigned int i = 0; i < POLLS; i++) {
		if (mmio_read16(USED + 2) == d->sent)
			return 1;
		if (mmio_read8(d->common + STATUS) & NEEDS_RESET)
			return 0;
	}
	guest_exit(1); /* neither */
	return 0;
}

/* --- the entropy device ----------------------------------------------------
 */

static void rng(struct dev *d)
{
	start(d);
	fill(OPEN, CANARY, 64);
	desc(0, OPEN, 64, WRITE);
	CHECK(offer(d));
	CHECK(!is_full_of(OPEN, CANARY, 64));

	/* all of it private */
	fill(SECRET, CANARY, PAGE);
	desc(0, SECRET, 64, WRITE);
	CHECK(!offer(d));
	CHECK(is_full_of(SECRET, CANARY, PAGE));
	CHECK(mmio_read16(USED + 2) == 1);

	/* a part of it */
	start(d);
	fill(OPEN_END, CANARY, PAGE);
	desc(0, OPEN_END - 16, 64, WRITE);
	CHECK(!offer(d));
	CHECK(is_full_of(OPEN_END, CANARY, PAGE));

	/* the ring itself */
	fill(SECRET, CANARY, PAGE);
	ring_at(d, SECRET);
	desc(0, OPEN, 64, WRITE);
	CHECK(!offer(d));
	CHECK(is_full_of(SECRET, CANARY, PAGE));

	/* and a page that was shared and no longer is */
	report(OPEN, 1, ENCRYPTED);
	fill(OPEN, CANARY, PAGE);
	start(d);
	desc(0, OPEN, 64, WRITE);
	CHECK(!offer(d));
	CHECK(is_full_of(OPEN, CANARY, PAGE));
	report(OPEN, 1, 0);

	start(d);
	desc(0, OPEN, 64, WRITE);
	CHECK(offer(d));
}

/* --- the disk ---------------------------------------------------------------
 */

/* READ(10) or WRITE(10) of sector 0 to or from @data. True: it was done. */
static int sector(struct dev *d, int is_write, uint64_t data)
{
	const uint64_t req = OPEN, resp = OPEN + 256;

	fill(req, 0, 512);
	mmio_write8(req, 1); /* target 0, LUN 0 */
	mmio_write8(req + 2, 0x40);
	mmio_write8(req + 19, is_write ? 0x2a : 0x28);
	mmio_write8(req + 19 + 8, 1);
	desc(0, req, 51, NEXT);
	desc(1, is_write ? data : resp, is_write ? SECTOR : 108,
	     NEXT | (is_write ? 0 : WRITE));
	desc(2, is_write ? resp : data, is_write ? 108 : SECTOR, WRITE);
	if (!offer(d))
		return 0;
	/* a unit attention comes first, once */
	if (mmio_read8(resp + 10) == 2)
		return sector(d, is_write, data);
	CHECK(mmio_read8(resp + 10) == 0 && mmio_read8(resp + 11) == 0);
	return 1;
}

static void disk(struct dev *d)
{
	const uint64_t data = OPEN + PAGE;

	start(d);
	fill(data, 0x11, SECTOR);
	CHECK(sector(d, 1, data));

	/* nothing private gets out */
	fill(SECRET, 0x77, PAGE);
	CHECK(!sector(d, 1, SECRET));
	start(d);
	fill(data, 0, SECTOR);
	CHECK(sector(d, 0, data));
	CHECK(is_full_of(data, 0x11, SECTOR));

	/* and nothing private is overwritten */
	CHECK(!sector(d, 0, SECRET));
	CHECK(is_full_of(SECRET, 0x77, PAGE));
}

int payload_main(void)
{
	struct dev r = {.queue = 0}, s = {.queue = 2};
	uint32_t features[4];

	cpuid(0x40000001, 0, features);
	CHECK(features[0] >> 16 & 1);
	report(0, RAM_PAGES, ENCRYPTED);
	report(DESC, (OPEN_END - DESC) / PAGE, 0);
	find(VIRTIO_RNG, MEM_PCI32_BASE + 0x2000000, &r);
	rng(&r);
	find(VIRTIO_SCSI, MEM_PCI32_BASE + 0x3000000, &s);
	disk(&s);
	return 0;
}
