/*
 * tests/fake/fake_s0_io.h - the ports stage0 uses: fw_cfg with DMA, CMOS, the
 * configuration mechanism of PCI, and consoles.
 *
 * DMA addresses are pointers of the test.
 */
#ifndef TESTS_FAKE_FAKE_S0_IO_H
#define TESTS_FAKE_FAKE_S0_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/stage0/s0_io.h"

enum {
	FAKE_S0_ITEMS = 16,
	FAKE_S0_TEXT = 512,
	FAKE_S0_WRITES = 64,
};

struct fake_s0_item {
	uint16_t key;
	const void *data; /* borrowed */
	size_t len;
};

/* A write to a port, or to a register of PCI: then port is PORT_PCI_DATA. */
struct fake_s0_write {
	uint16_t port;
	uint32_t pci_address; /* as in CONFIG_ADDRESS, of the bytes written */
	unsigned int width;
	uint32_t val;
};

struct fake_s0_io {
	struct s0_io io; /* first: give its address away */
	bool no_fw_cfg, no_dma;
	bool never_done; /* DMA stays pending */
	/* DMA request number n, from 1, ends with an error; 0: none. */
	unsigned int fail_dma;
	struct fake_s0_item items[FAKE_S0_ITEMS];
	size_t n_items;
	uint8_t cmos[128];
	/* Called after a DMA request, with its data: the host may do more. */
	void (*after_dma)(struct fake_s0_io *f, uint8_t *data, uint32_t len);
	void *ctx;

	/* What happened. */
	unsigned int dma;
	uint64_t dma_lowest, dma_highest; /* addresses that data went to */
	char debugcon[FAKE_S0_TEXT], serial[FAKE_S0_TEXT];
	struct fake_s0_write writes[FAKE_S0_WRITES]; /* other ports, in order */
	size_t n_writes;

	/* State of the devices. */
	uint16_t key;
	size_t offset;
	uint8_t cmos_index;
	uint32_t dma_high, pci_address;
};

void fake_s0_io_init(struct fake_s0_io *f);
void fake_s0_io_item(struct fake_s0_io *f, uint16_t key, const void *data,
		     size_t len);

#endif
