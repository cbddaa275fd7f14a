/* devices/pci/pci_cfg.c - bytes, masks and BARs of a configuration space. */
#include "devices/pci/pci_cfg.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"

/* PCI Local Bus 3.0, 6.2.5.1 "Address Maps": bits that describe a BAR */
enum {
	BAR_IO = 0x1,
	BAR_IO_FLAGS = 0x3,
	BAR_MEM_64 = 0x4,
	BAR_MEM_PREFETCH = 0x8,
	BAR_MEM_FLAGS = 0xf,
};

uint8_t pci_cfg_get8(const struct pci_cfg *c, unsigned int off)
{
	assert(off < PCI_CFG_SIZE);
	return c->data[off];
}

uint16_t pci_cfg_get16(const struct pci_cfg *c, unsigned int off)
{
	assert(off <= PCI_CFG_SIZE - 2);
	return load_le16(c->data + off);
}

uint32_t pci_cfg_get32(const struct pci_cfg *c, unsigned int off)
{
	assert(off <= PCI_CFG_SIZE - 4);
	return load_le32(c->data + off);
}

void pci_cfg_set8(struct pci_cfg *c, unsigned int off, uint8_t val)
{
	assert(off < PCI_CFG_SIZE);
	c->data[off] = val;
}

void pci_cfg_set16(struct pci_cfg *c, unsigned int off, uint16_t val)
{
	assert(off <= PCI_CFG_SIZE - 2);
	store_le16(c->data + off, val);
}

void pci_cfg_set32(struct pci_cfg *c, unsigned int off, uint32_t val)
{
	assert(off <= PCI_CFG_SIZE - 4);
	store_le32(c->data + off, val);
}

void pci_cfg_mask8(struct pci_cfg *c, unsigned int off, uint8_t mask)
{
	assert(off < PCI_CFG_SIZE);
	c->wmask[off] = mask;
}

void pci_cfg_mask16(struct pci_cfg *c, unsigned int off, uint16_t mask)
{
	assert(off <= PCI_CFG_SIZE - 2);
	store_le16(c->wmask + off, mask);
}

void pci_cfg_mask32(struct pci_cfg *c, unsigned int off, uint32_t mask)
{
	assert(off <= PCI_CFG_SIZE - 4);
	store_le32(c->wmask + off, mask);
}

void pci_cfg_init(struct pci_cfg *c, const struct pci_ids *ids)
{
	memset(c, 0, sizeof(*c));
	c->cap_end = PCI_CFG_HEADER_END;
	c->cap_last = PCI_CAPABILITY_LIST;
	pci_cfg_set16(c, PCI_VENDOR_ID, ids->vendor);
	pci_cfg_set16(c, PCI_DEVICE_ID, ids->device);
	pci_cfg_set32(c, PCI_REVISION_ID, ids->class_code << 8 | ids->revision);
	pci_cfg_set16(c, PCI_SUBSYSTEM_VENDOR_ID, ids->subsystem_vendor);
	pci_cfg_set16(c, PCI_SUBSYSTEM_ID, ids->subsystem);
	pci_cfg_mask16(c, PCI_COMMAND,
		       PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
			       PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
			       PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
	store_le16(c->w1c + PCI_STATUS, PCI_STATUS_W1C);
	pci_cfg_mask8(c, PCI_CACHE_LINE_SIZE, 0xff);
	pci_cfg_mask8(c, PCI_INTERRUPT_LINE, 0xff);
}

/* --- BARs --------------------------------------------------------------- */

static unsigned int bar_off(unsigned int i)
{
	return PCI_BAR0 + 4 * i;
}

static uint64_t bar_max(enum pci_bar_kind kind)
{
	switch (kind) {
	case PCI_BAR_IO:
		return 256;
	case PCI_BAR_MEM32:
		return GIB(1);
	default:
		return GIB(32);
	}
}

void pci_cfg_add_bar(struct pci_cfg *c, unsigned int i, enum pci_bar_kind kind,
		     uint64_t size)
{
	bool io = kind == PCI_BAR_IO, wide = kind == PCI_BAR_MEM64;

	assert(kind != PCI_BAR_NONE && i + wide < PCI_N_BARS);
	assert(is_power_of_two(size) && size >= (io ? 4 : 16) &&
	       size <= bar_max(kind));
	assert(c->bar[i].kind == PCI_BAR_NONE);
	assert(!i || c->bar[i - 1].kind != PCI_BAR_MEM64);
	assert(!wide || c->bar[i + 1].kind == PCI_BAR_NONE);
	c->bar[i] = (struct pci_bar){kind, size};
	/*
	 * The address bits below the size are 0 and read-only: writing ones
	 * and reading back is how software finds the size.
	 */
	pci_cfg_mask32(c, bar_off(i), (uint32_t) ~(size - 1));
	pci_cfg_set32(c, bar_off(i), io ? BAR_IO : 0);
	if (wide) {
		pci_cfg_mask32(c, bar_off(i + 1),
			       (uint32_t)(~(size - 1) >> 32));
		pci_cfg_set32(c, bar_off(i), BAR_MEM_64 | BAR_MEM_PREFETCH);
	}
}

bool pci_cfg_bar_address(const struct pci_cfg *c, unsigned int i, uint64_t *ret)
{
	const struct pci_bar *b = &c->bar[i];
	uint16_t cmd = pci_cfg_get16(c, PCI_COMMAND);
	bool io = b->kind == PCI_BAR_IO;
	uint64_t addr, limit;

	assert(i < PCI_N_BARS);
	if (b->kind == PCI_BAR_NONE ||
	    !(cmd & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
		return false;
	addr = pci_cfg_get32(c, bar_off(i)) &
	       ~(uint32_t)(io ? BAR_IO_FLAGS : BAR_MEM_FLAGS);
	if (b->kind == PCI_BAR_MEM64)
		addr |= (uint64_t)pci_cfg_get32(c, bar_off(i + 1)) << 32;
	/*
	 * All ones is a size being asked for; its top end is where nothing
	 * is ever assigned. No x86 processor has more than 52 address bits.
	 */
	limit = io ? 0x10000 : b->kind == PCI_BAR_MEM32 ? GIB(4) : BIT64(52);
	if (!addr || addr >= limit || b->size >= limit - addr)
		return false;
	*ret = addr;
	return true;
}

void pci_cfg_set_bar_address(struct pci_cfg *c, unsigned int i, uint64_t addr)
{
	const struct pci_bar *b = &c->bar[i];
	uint32_t flags;

	assert(i < PCI_N_BARS && b->kind != PCI_BAR_NONE);
	assert(is_aligned(addr, b->size));
	assert(b->kind == PCI_BAR_MEM64 || addr <= UINT32_MAX);
	flags = pci_cfg_get32(c, bar_off(i)) &
		(b->kind == PCI_BAR_IO ? BAR_IO_FLAGS : BAR_MEM_FLAGS);
	pci_cfg_set32(c, bar_off(i), (uint32_t)addr | flags);
	if (b->kind == PCI_BAR_MEM64)
		pci_cfg_set32(c, bar_off(i + 1), (uint32_t)(addr >> 32));
}

/* --- capabilities ------------------------------------------------------- */

int pci_cfg_add_cap(struct pci_cfg *c, uint8_t id, unsigned int len)
{
	unsigned int off = c->cap_end;

	assert(len >= 2);
	if (!range_within(off, align_up(len, 4), PCI_CFG_CONV_SIZE))
		return -ENOSPC;
	c->cap_end = (uint16_t)(off + align_up(len, 4));
	pci_cfg_set8(c, off, id);
	pci_cfg_set8(c, off + 1, 0);
	pci_cfg_set8(c, c->cap_last, (uint8_t)off);
	c->cap_last = (uint16_t)(off + 1);
	pci_cfg_set16(c, PCI_STATUS,
		      pci_cfg_get16(c, PCI_STATUS) | PCI_STATUS_CAP_LIST);
	return (int)off;
}

/* --- the guest's accesses ----------------------------------------------- */

uint64_t pci_cfg_read(const struct pci_cfg *c, unsigned int off,
		      unsigned int width)
{
	uint64_t val = 0;

	for (unsigned int i = 0; i < width && i < 8; i++) {
		uint8_t b = 0xff;

		if (range_within(off, i + 1, PCI_CFG_SIZE))
			b = c->data[off + i];
		val |= (uint64_t)b << (8 * i);
	}
	return val;
}

void pci_cfg_write(struct pci_cfg *c, unsigned int off, unsigned int width,
		   uint64_t val)
{
	for (unsigned int i = 0; i < width && i < 8; i++) {
		uint8_t b = (uint8_t)(val >> (8 * i)), *d;

		if (!range_within(off, i + 1, PCI_CFG_SIZE))
			return;
		d = &c->data[off + i];
		*d = (uint8_t)((*d & ~c->wmask[off + i]) |
			       (b & c->wmask[off + i]));
		*d &= (uint8_t) ~(b & c->w1c[off + i]);
	}
}
