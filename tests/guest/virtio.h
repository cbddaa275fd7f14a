/*
 * tests/guest/virtio.h - a driver's side of the modern PCI transport (virtio
 * 1.2, 4.1), as little as a payload needs to be nasty with it.
 */
#ifndef TESTS_GUEST_VIRTIO_H
#define TESTS_GUEST_VIRTIO_H

#include "tests/guest/guest.h"

enum {
	VIRTIO_VENDOR = 0x1af4,
	VIRTIO_NET = 0x1041,
	VIRTIO_RNG = 0x1044,
	VIRTIO_SCSI = 0x1048,
	VIRTIO_VSOCK = 0x1053,
	/* Device status */
	ACKNOWLEDGE = 1,
	DRIVER = 2,
	DRIVER_OK = 4,
	FEATURES_OK = 8,
	NEEDS_RESET = 64,
	/* Descriptor flags */
	NEXT = 1,
	WRITE = 2,
	INDIRECT = 4,
	/* Registers of the common configuration (virtio 1.2, 4.1.4.3) */
	FEATURE_SELECT_DEVICE = 0x00,
	FEATURE_DEVICE = 0x04,
	FEATURE_SELECT = 0x08,
	FEATURE = 0x0c,
	CONFIG_VECTOR = 0x10,
	N_QUEUES = 0x12,
	STATUS = 0x14,
	Q_SELECT = 0x16,
	Q_SIZE = 0x18,
	Q_VECTOR = 0x1a,
	Q_ENABLE = 0x1c,
	Q_NOTIFY_OFF = 0x1e,
	Q_DESC = 0x20,
	Q_DRIVER = 0x28,
	Q_DEVICE = 0x30,
	COMMON_LEN = 0x38,
	POLLS = 20000000,
};

struct virtio_fn {
	unsigned int devfn;
	uint16_t id;
	uint64_t bar; /* where its memory is */
	uint64_t common, notify, config;
	uint32_t multiplier;
};

/* The 64-bit BAR goes below 4 GiB, where our page tables reach. */
static inline void virtio_place_bar(unsigned int devfn, unsigned int bar,
				    uint32_t at)
{
	unsigned int reg = 0x10 + 4 * bar;

	if ((pci_read32(devfn, reg) & 6) == 4)
		pci_write32(devfn, reg + 4, 0);
	pci_write32(devfn, reg, at);
}

/* 1: the function @devfn is a virtio device, its memory is at @bar_at now. */
static inline int virtio_open(unsigned int devfn, uint32_t bar_at,
			      struct virtio_fn *ret)
{
	uint32_t id = pci_read32(devfn, 0);
	unsigned int cap;

	if ((id & 0xffff) != VIRTIO_VENDOR)
		return 0;
	*ret = (struct virtio_fn){.devfn = devfn, .bar = bar_at};
	ret->id = (uint16_t)(id >> 16);
	for (cap = pci_read32(devfn, 0x34) & 0xfc; cap;
	     cap = pci_read32(devfn, cap) >> 8 & 0xfc) {
		uint32_t head = pci_read32(devfn, cap);
		uint64_t at = bar_at + pci_read32(devfn, cap + 8);

		if ((head & 0xff) != 0x09)
			continue;
		if (head >> 24 == 1) {
			ret->common = at;
			virtio_place_bar(devfn,
					 pci_read32(devfn, cap + 4) & 0xff,
					 bar_at);
		}
		if (head >> 24 == 2) {
			ret->notify = at;
			ret->multiplier = pci_read32(devfn, cap + 16);
		}
		if (head >> 24 == 4)
			ret->config = at;
	}
	pci_write32(devfn, 4, 2 | 4); /* memory, bus master */
	return ret->common && ret->notify;
}

static inline void virtio_reset(const struct virtio_fn *f)
{
	mmio_write8(f->common + STATUS, 0);
	for (unsigned int i = 0; mmio_read8(f->common + STATUS); i++)
		CHECK(i < POLLS);
}

/* Reset, accept what must be and what @low says; the queues come next. */
static inline void virtio_negotiate(const struct virtio_fn *f, uint32_t low)
{
	mmio_write32(f->common + FEATURE_SELECT_DEVICE, 0);
	low &= mmio_read32(f->common + FEATURE_DEVICE);
	virtio_reset(f);
	mmio_write8(f->common + STATUS, ACKNOWLEDGE | DRIVER);
	mmio_write32(f->common + FEATURE_SELECT, 0);
	mmio_write32(f->common + FEATURE, low);
	mmio_write32(f->common + FEATURE_SELECT, 1);
	mmio_write32(f->common + FEATURE, 3); /* VERSION_1, ACCESS_PLATFORM */
	mmio_write8(f->common + STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
}

static inline void virtio_queue(const struct virtio_fn *f, unsigned int q,
				unsigned int size, uint64_t desc,
				uint64_t driver, uint64_t device)
{
	mmio_write16(f->common + Q_SELECT, (uint16_t)q);
	mmio_write16(f->common + Q_SIZE, (uint16_t)size);
	mmio_write64(f->common + Q_DESC, desc);
	mmio_write64(f->common + Q_DRIVER, driver);
	mmio_write64(f->common + Q_DEVICE, device);
	mmio_write16(f->common + Q_ENABLE, 1);
}

static inline void virtio_go(const struct virtio_fn *f)
{
	mmio_write8(f->common + STATUS,
		    ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static inline void virtio_kick(const struct virtio_fn *f, unsigned int q)
{
	uint16_t off;

	mmio_write16(f->common + Q_SELECT, (uint16_t)q);
	off = mmio_read16(f->common + Q_NOTIFY_OFF);
	mmio_write16(f->notify + off * f->multiplier, (uint16_t)q);
}

#endif
