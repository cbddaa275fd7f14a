/*
 * devices/pci/pci_cfg.h - configuration space of one type-0 PCI function.
 *
 * Every byte has a value, a mask of the bits the guest may write, and a mask
 * of the bits it clears by writing 1 (PCI Local Bus 3.0, 6.2 "Configuration
 * Space Functions"). It knows nothing of buses and takes no lock: the pci_bus
 * that a function was added to serializes the guest's accesses.
 */
#ifndef DEVICES_PCI_PCI_CFG_H
#define DEVICES_PCI_PCI_CFG_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PCI_CFG_SIZE = 4096, /* PCI Express: with extended space */
	PCI_CFG_CONV_SIZE = 256,
	PCI_N_BARS = 6,
};

/* Offsets and bits, PCI Local Bus 3.0, figure 6-1 and following */
enum {
	PCI_VENDOR_ID = 0x00,
	PCI_DEVICE_ID = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION_ID = 0x08,
	PCI_CLASS_PROG = 0x09,
	PCI_CACHE_LINE_SIZE = 0x0c,
	PCI_HEADER_TYPE = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
	PCI_SUBSYSTEM_ID = 0x2e,
	PCI_CAPABILITY_LIST = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d,
	PCI_CFG_HEADER_END = 0x40,

	PCI_COMMAND_IO = 0x0001,
	PCI_COMMAND_MEMORY = 0x0002,
	PCI_COMMAND_MASTER = 0x0004,
	PCI_COMMAND_PARITY = 0x0040,
	PCI_COMMAND_SERR = 0x0100,
	PCI_COMMAND_INTX_DISABLE = 0x0400,
	PCI_STATUS_CAP_LIST = 0x0010,
	PCI_STATUS_W1C = 0xf900, /* parity and abort bits */
	PCI_HEADER_TYPE_MULTI = 0x80,

	PCI_CAP_ID_MSIX = 0x11,
	PCI_CAP_ID_VENDOR = 0x09,
};

enum pci_bar_kind {
	PCI_BAR_NONE = 0,
	PCI_BAR_IO,
	PCI_BAR_MEM32,
	PCI_BAR_MEM64, /* takes the next BAR register as well */
};

struct pci_ids {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class_code; /* base << 16 | sub << 8 | interface */
	uint8_t revision;
};

struct pci_bar {
	enum pci_bar_kind kind;
	uint64_t size;
};

/* Embedded in a device; use the functions, except for reading @bar. */
struct pci_cfg {
	uint8_t data[PCI_CFG_SIZE];
	uint8_t wmask[PCI_CFG_SIZE]; /* bits the guest writes */
	uint8_t w1c[PCI_CFG_SIZE];   /* bits it clears by writing 1 */
	struct pci_bar bar[PCI_N_BARS];
	uint16_t cap_end;  /* first free byte for a capability */
	uint16_t cap_last; /* where the next pointer goes */
};

/* A type-0 header without BARs and capabilities; everything else reads 0. */
void pci_cfg_init(struct pci_cfg *c, const struct pci_ids *ids);

/*
 * Announce BAR @i, at address 0.
 * @i      0..5 (0..4 for MEM64), free
 * @size   a power of two: IO 4..256, MEM32 16..1 GiB, MEM64 16..32 GiB
 * These come from our code; a wrong one is our bug (assert).
 */
void pci_cfg_add_bar(struct pci_cfg *c, unsigned int i, enum pci_bar_kind kind,
		     uint64_t size);

/*
 * Append capability @id of @len bytes (with its two-byte header), dword-
 * aligned, from 0x40 up. The body is zero and read-only. Returns its offset,
 * or -ENOSPC.
 */
int pci_cfg_add_cap(struct pci_cfg *c, uint8_t id, unsigned int len);

/* The host's side: no masks. @off + width <= PCI_CFG_SIZE. */
uint8_t pci_cfg_get8(const struct pci_cfg *c, unsigned int off);
uint16_t pci_cfg_get16(const struct pci_cfg *c, unsigned int off);
uint32_t pci_cfg_get32(const struct pci_cfg *c, unsigned int off);
void pci_cfg_set8(struct pci_cfg *c, unsigned int off, uint8_t val);
void pci_cfg_set16(struct pci_cfg *c, unsigned int off, uint16_t val);
void pci_cfg_set32(struct pci_cfg *c, unsigned int off, uint32_t val);
/* Which bits of the register the guest may write from now on. */
void pci_cfg_mask8(struct pci_cfg *c, unsigned int off, uint8_t mask);
void pci_cfg_mask16(struct pci_cfg *c, unsigned int off, uint16_t mask);
void pci_cfg_mask32(struct pci_cfg *c, unsigned int off, uint32_t mask);

/*
 * The guest's side, any @off and a @width of 1..8 bytes: bytes past the end
 * read as ones and are not written.
 */
uint64_t pci_cfg_read(const struct pci_cfg *c, unsigned int off,
		      unsigned int width);
void pci_cfg_write(struct pci_cfg *c, unsigned int off, unsigned int width,
		   uint64_t val);

/*
 * Where BAR @i answers now. False when it does not: decoding is off, nothing
 * was assigned (0), or the guest is just asking for the size (all ones).
 */
bool pci_cfg_bar_address(const struct pci_cfg *c, unsigned int i,
			 uint64_t *ret);
/* Assign an address as firmware does. @addr is a multiple of the size. */
void pci_cfg_set_bar_address(struct pci_cfg *c, unsigned int i, uint64_t addr);

#endif
