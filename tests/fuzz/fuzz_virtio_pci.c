/*
 * tests/fuzz/fuzz_virtio_pci.c - a guest that writes anything to the function
 * of a virtio device, while the device's thread gets a turn now and then. The
 * input is a list of steps.
 */
#include <assert.h>
#include <string.h>

#include "tests/fake/fake_vpci.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 1000 };

static void bar_access(struct fake_vpci *f, struct fuzz_input *in, bool write)
{
	uint64_t off = fuzz_u16(in) & 0x7fff;
	unsigned int width = fuzz_u8(in);

	/* registers are few, and most of the BAR is empty */
	if (width & 0x80)
		off = f->common + off % 0x40;
	else if (width & 0x40)
		off = f->msix_table + off % 0x60;
	width = 1 + (width & 7);
	if (write)
		fake_vpci_write(f, off, width, fuzz_u64(in));
	else
		(void)fake_vpci_read(f, off, width);
}

/* The register's own width, and a value that means something. */
static void set_register(struct fake_vpci *f, struct fuzz_input *in)
{
	unsigned int reg = fuzz_u8(in) % 0x3c;

	fake_vpci_set(f, reg, fuzz_u16(in));
}

static void cfg_access(struct fake_vpci *f, struct fuzz_input *in, bool write)
{
	unsigned int off = fuzz_u8(in), how = fuzz_u8(in);
	unsigned int width = 1u << how % 3;

	if (how & 0x80)
		off = f->pci_cfg + off % 20;
	off &= ~(width - 1);
	if (write)
		fake_pci_write(f->pci, FAKE_VPCI_DEVFN, off, width,
			       fuzz_u32(in));
	else
		(void)fake_pci_read(f->pci, FAKE_VPCI_DEVFN, off, width);
}

static void map_bar(struct fake_vpci *f)
{
	fake_pci_write(f->pci, FAKE_VPCI_DEVFN, PCI_BAR0, 4, FAKE_VPCI_BAR);
	fake_pci_write(f->pci, FAKE_VPCI_DEVFN, PCI_BAR0 + 4, 4, 0);
	fake_pci_write(f->pci, FAKE_VPCI_DEVFN, PCI_COMMAND, 2,
		       PCI_COMMAND_MEMORY);
}

/* Whatever the guest has done, after a reset a driver gets going. */
static void check_recovery(struct fake_vpci *f)
{
	f->hold_reset = f->hold_queue_reset = false;
	f->kick_error = 0;
	f->delay = 0;
	map_bar(f);
	fake_vpci_reset(f);
	if (virtio_pci_status(f->t)) /* the device was holding it back */
		f->dev.host->ops->reset_done(f->dev.host);
	assert(!virtio_pci_status(f->t));
	fake_vpci_up(f);
	assert(virtio_pci_status(f->t) == FAKE_VPCI_UP);
	for (unsigned int q = 0; q < FAKE_VPCI_QUEUES; q++)
		fake_vpci_echo(f, q);
}

static void device_step(struct fake_vpci *f, struct fuzz_input *in)
{
	struct virtio_host *h = f->dev.host;
	uint8_t b = fuzz_u8(in);

	switch (b % 7) {
	case 0:
		h->ops->reset_done(h);
		break;
	case 1:
		h->ops->queue_reset_done(h, b / 7 % 4);
		break;
	case 2:
		h->ops->config_changed(h);
		break;
	case 3:
		h->ops->needs_reset(h);
		break;
	case 4:
		f->hold_reset = b & 0x80;
		break;
	case 5:
		f->hold_queue_reset = b & 0x80;
		break;
	case 6:
		f->kick_error = b & 0x80 ? -1 : 0;
		break;
	}
}

static void ring_step(struct fake_vpci *f, struct fuzz_input *in)
{
	unsigned int q = fuzz_u8(in) % FAKE_VPCI_QUEUES;
	uint8_t how = fuzz_u8(in);

	if (!f->ring[q])
		return;
	if (how & 1)
		fake_ring_set_desc(f->ring[q], 0, how >> 5, fuzz_u32(in),
				   fuzz_u16(in), how >> 1 & 7, fuzz_u8(in));
	else if (how & 2)
		fake_ring_publish(f->ring[q], how >> 5);
	else
		fake_ring_set_avail_idx(f->ring[q], fuzz_u16(in));
	fake_vpci_kick(f, q);
}

static void step(struct fake_vpci *f, struct fuzz_input *in)
{
	switch (fuzz_u8(in) % 12) {
	case 0:
		bar_access(f, in, false);
		break;
	case 1:
	case 2:
		bar_access(f, in, true);
		break;
	case 3:
		set_register(f, in);
		break;
	case 4:
		cfg_access(f, in, false);
		break;
	case 5:
		cfg_access(f, in, true);
		break;
	case 6:
		fake_vpci_run(f);
		break;
	case 7:
		device_step(f, in);
		break;
	case 8:
		ring_step(f, in);
		break;
	case 9:
		(void)fake_vpci_negotiate_all(f);
		break;
	case 10:
		fake_vpci_enable(f, fuzz_u8(in) % FAKE_VPCI_QUEUES);
		break;
	case 11:
		map_bar(f);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_vpci_opts o = {
		.no_queue_reset = size & 1,
		.confidential = size & 2,
	};
	struct fuzz_input in = {data, size};
	struct fake_vpci *f = fake_vpci_create(&o);

	for (unsigned int i = 0; i < STEPS && fuzz_more(&in); i++)
		step(f, &in);
	fake_vpci_run(f);
	check_recovery(f);
	fake_vpci_destroy(f);
	return 0;
}
