/*
 * devices/pci/pci_bus.h - PCI bus 0: its functions, how the guest reaches
 * their configuration space, and what they decode.
 *
 * Configuration space is reached through ports 0xcf8/0xcfc (PCI Local Bus 3.0,
 * 3.2.2.3.2 "Software Generation of Configuration Transactions") and through
 * ECAM (PCI Express Base 3.0, 7.2.2 "PCI Express Enhanced Configuration Access
 * Mechanism"), which q35_host places.
 *
 * A function decodes windows: its BARs, and fixed ranges that registers of its
 * own enable (ECAM, the PM block). After each configuration write the bus
 * compares what functions want with what is mapped, and moves it. A window
 * that overlaps another range is not mapped until the conflict is gone.
 *
 * One lock serializes all configuration accesses of the bus; the callbacks of
 * a function run under it. It is taken before any lock of a device, so a
 * device must not call the bus while it holds its own.
 */
#ifndef DEVICES_PCI_PCI_BUS_H
#define DEVICES_PCI_PCI_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/bus_dev.h"
#include "devices/pci/pci_cfg.h"
#include "vmm/base/own.h"

struct err;
struct pci_bus; /* opaque */
struct pci_func;

enum {
	PCI_N_DEVFN = 256,
	/* after the six BARs: windows that are not BARs */
	PCI_WINDOW_FIXED = PCI_N_BARS,
	PCI_N_WINDOWS,
};

/* All may be NULL. */
struct pci_func_ops {
	/*
	 * The guest has written [off, off + width), at most 8 bytes and within
	 * PCI_CFG_SIZE; f->cfg holds the result. Runs under the bus lock.
	 */
	void (*cfg_written)(struct pci_func *f, unsigned int off,
			    unsigned int width);
	/* It is about to read there: f->cfg may be brought up to date. */
	void (*cfg_reading)(struct pci_func *f, unsigned int off,
			    unsigned int width);
	/*
	 * A window of it has been mapped, moved or unmapped: f->window[].
	 * mapped_at and .mapped_len say where it is now. Under the bus lock;
	 * not called by pci_bus_destroy().
	 */
	void (*remapped)(struct pci_func *f);
};

enum pci_space {
	PCI_SPACE_MMIO,
	PCI_SPACE_PIO,
};

/* A range that a function wants to decode, and what is mapped of it. */
struct pci_window {
	struct bus_dev *dev; /* borrowed from the function; NULL: no window */
	enum pci_space space;
	uint64_t base, len; /* wanted; len 0: nothing now */
	/* the bus's own notes; mapped_len 0: not mapped */
	struct bus_dev *mapped_dev;
	enum pci_space mapped_space;
	uint64_t mapped_at, mapped_len;
};

/* Embedded in a device: fill in @ops and @cfg, then pci_bus_add(). */
struct pci_func {
	const struct pci_func_ops *ops; /* NULL is fine */
	struct pci_cfg cfg;
	/* the bus's, through the functions below */
	struct pci_window window[PCI_N_WINDOWS];
	bool changed; /* tell it with remapped() */
};

/*
 * pci_cfg_add_bar(), with @dev answering in it. Before pci_bus_add(). The bus
 * passes offsets from the start of the BAR.
 */
void pci_func_add_bar(struct pci_func *f, unsigned int i,
		      enum pci_bar_kind kind, uint64_t size,
		      struct bus_dev *dev);
/*
 * What the window that is not a BAR decodes from now on; @len 0: nothing.
 * Before pci_bus_add(), or in cfg_written().
 */
void pci_func_set_window(struct pci_func *f, enum pci_space space,
			 uint64_t base, uint64_t len, struct bus_dev *dev);

/*
 * An empty bus that answers at ports 0xcf8..0xcff of @pio. Both spaces are
 * borrowed and outlive it.
 * @reset_ctl   takes the one-byte accesses to port 0xcf9, which lies inside
 *              that range, as offset 0; borrowed; NULL: reads as ones
 * -ENOMEM, or the error of @pio
 */
int pci_bus_create(struct bus_space *pio, struct bus_space *mmio,
		   struct bus_dev *reset_ctl, struct pci_bus **ret,
		   struct err *err);
/*
 * Unmaps everything it has mapped. NULL is fine. The functions, which it
 * borrowed, are destroyed after it.
 */
void pci_bus_destroy(struct pci_bus *b);
DEFINE_CLEANUP(struct pci_bus, pci_bus_destroy)

/*
 * Add a function, before the first vCPU runs. @f is borrowed.
 * @devfn       device << 3 | function, 0..255; function 0 of a device first
 * -EEXIST      there is one at @devfn
 * -EINVAL      devfn out of range, or no function 0 there
 */
int pci_bus_add(struct pci_bus *b, struct pci_func *f, unsigned int devfn,
		struct err *err);

/*
 * Give every BAR an address in the windows of mem_map.h, as firmware would,
 * after the last pci_bus_add() and before the first vCPU runs. Decoding stays
 * off. The same functions always get the same addresses.
 * @high        the guest reaches MEM_PCI64_BASE: 64-bit BARs go there;
 *              otherwise below 4 GiB with the others
 * -ENOSPC      a window is full
 */
int pci_bus_assign_bars(struct pci_bus *b, bool high, struct err *err);

/* ECAM: bus << 20 | devfn << 12 | offset. For q35_host. */
struct bus_dev *pci_bus_ecam(struct pci_bus *b);

#endif
