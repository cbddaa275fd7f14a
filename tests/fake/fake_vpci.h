/*
 * tests/fake/fake_vpci.h - a device behind virtio_pci that a test can command,
 * and the guest's accesses to it: BAR, configuration space, MSI-X, rings.
 *
 * The device echoes: what it may read of a chain goes to what it may write.
 * Its io_thread is not started: fake_vpci_run() is its turn.
 */
#ifndef TESTS_FAKE_FAKE_VPCI_H
#define TESTS_FAKE_FAKE_VPCI_H

#include <linux/virtio_pci.h> /* register offsets, as the driver has them */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/virtio_dev.h"
#include "devices/virtio/virtio_pci.h"
#include "tests/fake/fake_irq.h"
#include "tests/fake/fake_pci.h"
#include "tests/fake/fake_ram.h"
#include "tests/fake/fake_ring.h"
#include "vmm/base/io_thread.h"

enum {
	FAKE_VPCI_QUEUES = 3,
	FAKE_VPCI_QUEUE_MAX = 16,
	FAKE_VPCI_CONFIG_LEN = 21, /* not a multiple of anything */
	FAKE_VPCI_DEVFN = 0x10,
	FAKE_VPCI_VECTORS = FAKE_VPCI_QUEUES + 1,
	FAKE_VPCI_FEATURE = 5, /* of its type */
	FAKE_VPCI_DOORBELLS = 16,
};
/* virtio 1.2, 2.1 "Device Status Field" */
enum {
	FAKE_VPCI_ACKNOWLEDGE = 1,
	FAKE_VPCI_DRIVER = 2,
	FAKE_VPCI_DRIVER_OK = 4,
	FAKE_VPCI_FEATURES_OK = 8,
	FAKE_VPCI_NEEDS_RESET = 0x40,
	FAKE_VPCI_UP = 15, /* what a running driver has set */
};
#define FAKE_VPCI_BAR UINT64_C(0xc0000000)

struct fake_vpci_opts {
	bool no_queue_reset; /* the device has no queue_reset() */
	bool read_only;	     /* nor config_write() */
	bool no_config;	     /* nor any configuration */
	bool no_doorbells;   /* the machine has none */
	bool confidential;   /* fake_ram_create() */
};

struct fake_doorbell {
	gpa_t gpa;
	int fd;
};

struct fake_vpci {
	/* What the device shall do. */
	bool hold_reset, hold_queue_reset; /* say nothing of its end */
	int kick_error;			   /* the answer of every kick */
	int to_kernel;	    /* queue to give to the kernel, or -1 */
	bool refuse_bells;  /* the sink has no room */
	unsigned int delay; /* steps of its thread that a reset takes */

	/* What it has seen. */
	unsigned int n_activate, n_reset, n_queue_reset, n_config_write;
	unsigned int n_kick[FAKE_VPCI_QUEUES];
	uint64_t features; /* at the last activate() */
	int kernel_result;
	struct virtio_kernel_queue kernel;
	uint8_t config[FAKE_VPCI_CONFIG_LEN];
	size_t n_bells, n_bell_changes;
	struct fake_doorbell bell[FAKE_VPCI_DOORBELLS];

	/* Its surroundings. */
	struct virtio_dev dev;
	struct doorbell_sink doorbells;
	struct io_thread *thread;
	struct io_call delayed;
	struct fake_pci *pci;
	struct fake_irq *irq;
	struct fake_ram *ram;
	struct virtio_pci *t;
	struct fake_ring *ring[FAKE_VPCI_QUEUES];
	/* Offsets in the BAR, as the capabilities say. */
	uint32_t common, isr, notify, notify_len, config_at, config_len;
	uint32_t multiplier, msix_table, msix_pba;
	unsigned int pci_cfg, msix; /* capabilities */
};

/* Mapped at FAKE_VPCI_BAR, registers untouched. Aborts the test on failure. */
struct fake_vpci *fake_vpci_create(const struct fake_vpci_opts *o);
/* Asserts that all doorbells are gone afterwards. */
void fake_vpci_destroy(struct fake_vpci *f);

/* The device's thread does what it has to. Any number of turns. */
void fake_vpci_run(struct fake_vpci *f);

/* Where a capability of @type is in configuration space, 0: nowhere. */
unsigned int fake_vpci_find_cap(struct fake_vpci *f, uint8_t type);

/* BAR accesses. */
uint64_t fake_vpci_read(struct fake_vpci *f, uint64_t off, unsigned int width);
void fake_vpci_write(struct fake_vpci *f, uint64_t off, unsigned int width,
		     uint64_t val);
/* Registers of the common configuration: VIRTIO_PCI_COMMON_... */
uint64_t fake_vpci_get(struct fake_vpci *f, unsigned int reg);
void fake_vpci_set(struct fake_vpci *f, unsigned int reg, uint64_t val);
/* The same of queue @q. */
uint64_t fake_vpci_get_queue(struct fake_vpci *f, unsigned int q,
			     unsigned int reg);
void fake_vpci_set_queue(struct fake_vpci *f, unsigned int q, unsigned int reg,
			 uint64_t val);
unsigned int fake_vpci_reg_width(unsigned int reg);

uint64_t fake_vpci_offered(struct fake_vpci *f);
/* ACKNOWLEDGE, DRIVER, @features, FEATURES_OK; returns the status then. */
uint8_t fake_vpci_negotiate(struct fake_vpci *f, uint64_t features);
/* Everything offered. */
uint8_t fake_vpci_negotiate_all(struct fake_vpci *f);
/* A ring of its own for queue @q: size, addresses, vector @q + 1, enable. */
void fake_vpci_enable(struct fake_vpci *f, unsigned int q);
/* MSI-X on, with message data 0x40 + vector. */
void fake_vpci_enable_msix(struct fake_vpci *f);
/* All of the above for all queues, config vector 0, DRIVER_OK, and a run. */
void fake_vpci_up(struct fake_vpci *f);
/* Write 0 to the status, and run. The rings are the driver's to forget. */
void fake_vpci_reset(struct fake_vpci *f);

/* Kick as a driver does: doorbell if there is one, exit otherwise. */
void fake_vpci_kick(struct fake_vpci *f, unsigned int q);
/* A chain through queue @q and back; asserts that it was echoed. */
void fake_vpci_echo(struct fake_vpci *f, unsigned int q);
/* Interrupts with @vector's message so far. */
size_t fake_vpci_interrupts(struct fake_vpci *f, unsigned int vector);

#endif
