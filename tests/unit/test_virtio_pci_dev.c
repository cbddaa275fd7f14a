/*
 * tests/unit/test_virtio_pci_dev.c - the transport between driver and device:
 * interrupts, configuration, doorbells, resets, broken queues.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "mem/dma_view.h"
#include "tests/fake/fake_vpci.h"
#include "vmm/base/bits.h"

enum {
	UP = FAKE_VPCI_UP,
	NO_VECTOR = 0xffff,
	MASKALL = 0x4000,
	ENABLE = 0x8000,
};

static int build(void **state, const struct fake_vpci_opts *o)
{
	*state = fake_vpci_create(o);
	return 0;
}

static int setup(void **state)
{
	return build(state, NULL);
}

static int setup_least(void **state)
{
	struct fake_vpci_opts o = {
		.no_queue_reset = true,
		.read_only = true,
		.no_doorbells = true,
	};

	return build(state, &o);
}

static int setup_confidential(void **state)
{
	struct fake_vpci_opts o = {.confidential = true};

	return build(state, &o);
}

static int teardown(void **state)
{
	fake_vpci_destroy(*state);
	return 0;
}

static uint8_t status(struct fake_vpci *f)
{
	return (uint8_t)fake_vpci_get(f, VIRTIO_PCI_COMMON_STATUS);
}

static void set_status(struct fake_vpci *f, uint8_t s)
{
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, s);
}

static struct virtio_pci_counters counters(struct fake_vpci *f)
{
	struct virtio_pci_counters c;

	virtio_pci_counters(f->t, &c);
	return c;
}

static void cfg_set(struct fake_vpci *f, unsigned int off, unsigned int width,
		    uint64_t val)
{
	fake_pci_write(f->pci, FAKE_VPCI_DEVFN, off, width, val);
}

static uint64_t cfg_get(struct fake_vpci *f, unsigned int off,
			unsigned int width)
{
	return fake_pci_read(f->pci, FAKE_VPCI_DEVFN, off, width);
}

/* --- interrupts --------------------------------------------------------- */

static void each_queue_interrupts_with_its_vector(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	for (unsigned int q = 0; q < FAKE_VPCI_QUEUES; q++)
		for (unsigned int i = 0; i <= q; i++)
			fake_vpci_echo(f, q);
	assert_int_equal(fake_vpci_interrupts(f, 0), 0);
	for (unsigned int q = 0; q < FAKE_VPCI_QUEUES; q++)
		assert_int_equal(fake_vpci_interrupts(f, q + 1), q + 1);
	assert_int_equal(counters(f).interrupts, 6);
	assert_int_equal(counters(f).kicks, 6);
	assert_int_equal(fake_vpci_read(f, f->isr, 1), 0);
}

static void queues_may_share_a_vector_and_change_it(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_MSIX, 3);
	fake_vpci_set_queue(f, 1, VIRTIO_PCI_COMMON_Q_MSIX, 3);
	fake_vpci_echo(f, 0);
	fake_vpci_echo(f, 1);
	assert_int_equal(fake_vpci_interrupts(f, 3), 2);
	assert_int_equal(fake_vpci_interrupts(f, 1), 0);
}

static void a_queue_without_a_vector_shows_in_the_isr(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_MSIX, NO_VECTOR);
	fake_vpci_echo(f, 0);
	assert_int_equal(fake_irq_n_sent(f->irq), 0);
	assert_int_equal(fake_vpci_read(f, f->isr, 1), 1);
	assert_int_equal(fake_vpci_read(f, f->isr, 1), 0); /* it was read */
	/* and so does one with a vector while MSI-X is off */
	cfg_set(f, f->msix + 2, 2, 0);
	fake_vpci_echo(f, 1);
	assert_int_equal(fake_vpci_read(f, f->isr, 1), 1);
	fake_vpci_write(f, f->isr, 1, 0xff);
	assert_int_equal(fake_vpci_read(f, f->isr, 4), 0);
}

static void a_masked_vector_waits_for_its_mask_to_go(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	cfg_set(f, f->msix + 2, 2, ENABLE | MASKALL);
	fake_vpci_echo(f, 0);
	fake_vpci_echo(f, 0);
	assert_int_equal(fake_vpci_interrupts(f, 1), 0);
	assert_int_equal(fake_vpci_read(f, f->msix_pba, 8), 1 << 1);
	cfg_set(f, f->msix + 2, 2, ENABLE);
	assert_int_equal(fake_vpci_interrupts(f, 1), 1);
	assert_int_equal(fake_vpci_read(f, f->msix_pba, 8), 0);
}

/* --- the device's configuration ----------------------------------------- */

static void the_configuration_is_read_at_any_width(void **state)
{
	struct fake_vpci *f = *state;

	for (unsigned int off = 0; off < FAKE_VPCI_CONFIG_LEN + 8; off++)
		for (unsigned int w = 1; w <= 8; w++) {
			uint64_t want = 0;

			for (unsigned int i = 0; i < w; i++)
				if (off + i < FAKE_VPCI_CONFIG_LEN)
					want |= (uint64_t)(0x10 + off + i)
						<< (8 * i);
			assert_int_equal(
				fake_vpci_read(f, f->config_at + off, w), want);
		}
}

static void the_configuration_is_written_by_a_driver(void **state)
{
	struct fake_vpci *f = *state;

	/* before the device is acknowledged there is no driver */
	fake_vpci_write(f, f->config_at, 1, 0xff);
	assert_int_equal(f->n_config_write, 0);
	set_status(f, 1);
	fake_vpci_write(f, f->config_at + 3, 4, 0xaabbccdd);
	fake_vpci_write(f, f->config_at + 13, 8, UINT64_MAX);
	assert_int_equal(f->n_config_write, 2);
	assert_int_equal(fake_vpci_read(f, f->config_at + 3, 4), 0xaabbccdd);
	/* over the end: dropped */
	fake_vpci_write(f, f->config_at + FAKE_VPCI_CONFIG_LEN - 1, 2, 0);
	fake_vpci_write(f, f->config_at + FAKE_VPCI_CONFIG_LEN, 1, 0);
	fake_vpci_write(f, f->config_at + 14, 8, 0);
	assert_int_equal(f->n_config_write, 2);
	f->hold_reset = true;
	set_status(f, 0);
	fake_vpci_write(f, f->config_at, 1, 0);
	assert_int_equal(f->n_config_write, 2);
	fake_vpci_run(f);
	f->dev.host->ops->reset_done(f->dev.host);
}

static void a_configuration_may_be_read_only(void **state)
{
	struct fake_vpci *f = *state;

	set_status(f, 1);
	fake_vpci_write(f, f->config_at, 4, 0);
	assert_int_equal(fake_vpci_read(f, f->config_at, 4), 0x13121110);
}

static void a_change_counts_and_interrupts_a_running_driver(void **state)
{
	struct fake_vpci *f = *state;
	struct virtio_host *h = f->dev.host;
	uint64_t gen = fake_vpci_get(f, VIRTIO_PCI_COMMON_CFGGENERATION);

	h->ops->config_changed(h);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_CFGGENERATION),
			 (uint8_t)(gen + 1));
	assert_int_equal(fake_vpci_read(f, f->isr, 1), 0);
	fake_vpci_up(f);
	h->ops->config_changed(h);
	assert_int_equal(fake_vpci_interrupts(f, 0), 1);
	assert_int_equal(fake_vpci_read(f, f->isr, 1), 2);
	for (unsigned int i = 2; i < 256 + 2; i++) {
		h->ops->config_changed(h);
		assert_int_equal(fake_vpci_interrupts(f, 0), i);
	}
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_CFGGENERATION),
			 (uint8_t)(gen + 2));
	/* without a vector it is only in the status */
	fake_vpci_set(f, VIRTIO_PCI_COMMON_MSIX, NO_VECTOR);
	(void)fake_vpci_read(f, f->isr, 1);
	h->ops->config_changed(h);
	assert_int_equal(fake_vpci_read(f, f->isr, 1), 2);
	assert_int_equal(fake_vpci_interrupts(f, 0), 1 + 256);
}

/* --- the window in configuration space ---------------------------------- */

static void aim(struct fake_vpci *f, uint8_t bar, uint32_t off, uint32_t len)
{
	cfg_set(f, f->pci_cfg + VIRTIO_PCI_CAP_BAR, 1, bar);
	cfg_set(f, f->pci_cfg + VIRTIO_PCI_CAP_OFFSET, 4, off);
	cfg_set(f, f->pci_cfg + VIRTIO_PCI_CAP_LENGTH, 4, len);
}

static void the_bar_is_reached_without_being_mapped(void **state)
{
	struct fake_vpci *f = *state;
	unsigned int data = f->pci_cfg + 16;

	cfg_set(f, PCI_COMMAND, 2, 0);
	aim(f, 0, f->common + VIRTIO_PCI_COMMON_STATUS, 1);
	cfg_set(f, data, 1, 1);
	assert_int_equal(virtio_pci_status(f->t), 1);
	assert_int_equal(cfg_get(f, data, 1), 1);
	aim(f, 0, f->common + VIRTIO_PCI_COMMON_NUMQ, 2);
	assert_int_equal(cfg_get(f, data, 2), FAKE_VPCI_QUEUES);
	aim(f, 0, f->common + VIRTIO_PCI_COMMON_GF, 4);
	cfg_set(f, data, 4, 0x12345678);
	assert_int_equal(cfg_get(f, data, 4), 0x12345678);
	aim(f, 0, f->config_at + 4, 4);
	assert_int_equal(cfg_get(f, data, 4), 0x17161514);
	/* the table of vectors, too */
	aim(f, 0, f->msix_table + 8, 4);
	cfg_set(f, data, 4, 0xabcd);
	aim(f, 0, f->msix_table + 8, 4);
	assert_int_equal(cfg_get(f, data, 4), 0xabcd);
}

static void a_window_that_is_wrong_reaches_nothing(void **state)
{
	struct fake_vpci *f = *state;
	static const struct {
		uint8_t bar;
		uint32_t off, len;
	} bad[] = {
		{1, 0x14, 1},	    {0xff, 0x14, 1},	{0, 0x14, 0},
		{0, 0x14, 3},	    {0, 0x14, 8},	{0, 0x14, UINT32_MAX},
		{0, 0x15, 2},	    {0, 0x12, 4},	{0, 0x8000, 1},
		{0, 0x7ffe, 4},	    {0, 0xfffffffc, 4}, {0, UINT32_MAX, 1},
		{0, 0x80000000, 4}, {0, 0xffff0014, 1},
	};
	unsigned int data = f->pci_cfg + 16;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		aim(f, bad[i].bar, bad[i].off, bad[i].len);
		cfg_set(f, data, 4, 0x01010101);
		/* the last written value, nothing of the device */
		assert_int_equal(cfg_get(f, data, 4), 0x01010101);
		assert_int_equal(status(f), 0);
	}
	/* an access that does not begin with the data is none */
	aim(f, 0, f->common + VIRTIO_PCI_COMMON_STATUS, 1);
	cfg_set(f, data + 1, 1, 1);
	assert_int_equal(status(f), 0);
}

/* --- doorbells ---------------------------------------------------------- */

static void doorbells_come_with_activation_and_go_with_a_reset(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_negotiate_all(f);
	fake_vpci_enable(f, 0);
	fake_vpci_enable(f, 2);
	cfg_set(f, PCI_COMMAND, 2, 0);
	cfg_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(f->n_bells, 0);
	set_status(f, UP);
	assert_int_equal(f->n_bells, 2);
	assert_int_equal(f->bell[0].gpa, FAKE_VPCI_BAR + f->notify);
	assert_int_equal(f->bell[1].gpa,
			 FAKE_VPCI_BAR + f->notify + 2 * f->multiplier);
	set_status(f, 0);
	assert_int_equal(f->n_bells, 0);
	fake_vpci_run(f);
}

static void doorbells_move_with_the_bar(void **state)
{
	struct fake_vpci *f = *state;
	size_t changes;

	fake_vpci_up(f);
	assert_int_equal(f->n_bells, FAKE_VPCI_QUEUES);
	changes = f->n_bell_changes;
	cfg_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY); /* nothing new */
	assert_int_equal(f->n_bell_changes, changes);
	cfg_set(f, PCI_COMMAND, 2, 0);
	assert_int_equal(f->n_bells, 0);
	cfg_set(f, PCI_BAR0, 4, 0xc4000000);
	assert_int_equal(f->n_bells, 0);
	cfg_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(f->n_bells, FAKE_VPCI_QUEUES);
	assert_int_equal(f->bell[0].gpa, 0xc4000000 + f->notify);
	/* above 4 GiB, half by half */
	cfg_set(f, PCI_BAR0 + 4, 4, 0x80);
	assert_int_equal(f->bell[0].gpa & ~UINT64_C(0xffff),
			 UINT64_C(0x80c4000000));
	cfg_set(f, PCI_BAR0 + 4, 4, 0);
	cfg_set(f, PCI_BAR0, 4, FAKE_VPCI_BAR);
	for (unsigned int q = 0; q < FAKE_VPCI_QUEUES; q++)
		fake_vpci_echo(f, q);
}

static void without_doorbells_a_kick_is_a_write(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	assert_int_equal(f->n_bells, 0);
	fake_vpci_echo(f, 0);
	fake_vpci_echo(f, 2);
	assert_int_equal(counters(f).kicks, 2);
}

static void a_doorbell_that_is_refused_is_an_exit(void **state)
{
	struct fake_vpci *f = *state;

	f->refuse_bells = true;
	fake_vpci_up(f);
	assert_int_equal(f->n_bells, 0);
	fake_vpci_echo(f, 1);
	/* it is tried again when the BAR moves */
	f->refuse_bells = false;
	cfg_set(f, PCI_COMMAND, 2, 0);
	cfg_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(f->n_bells, FAKE_VPCI_QUEUES);
	fake_vpci_echo(f, 1);
}

static void only_the_place_of_a_doorbell_counts(void **state)
{
	struct fake_vpci *f = *state;
	unsigned int n = 0;

	fake_vpci_up(f);
	for (unsigned int off = 0; off < 0x40; off++)
		for (unsigned int w = 1; w <= 8; w *= 2) {
			struct virtio_pci_counters c;

			fake_vpci_write(f, f->notify + off, w, UINT64_MAX);
			fake_vpci_run(f);
			n += off % 4 == 0 && off / 4 < FAKE_VPCI_QUEUES;
			c = counters(f);
			assert_int_equal(c.kicks, n);
		}
	assert_int_equal(fake_vpci_read(f, f->notify, 4), 0);
	assert_int_equal(status(f), UP);
}

/* --- resets ------------------------------------------------------------- */

static void a_reset_brings_back_the_first_values(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	fake_vpci_echo(f, 0);
	f->dev.host->ops->config_changed(f->dev.host);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_DFSELECT, 1);
	fake_vpci_reset(f);
	assert_int_equal(fake_vpci_read(f, f->isr, 1), 0);
	assert_int_equal(f->n_reset, 1);
	assert_int_equal(counters(f).resets, 1);
	assert_int_equal(status(f), 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_DFSELECT), 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_GFSELECT), 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_GF), 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_MSIX), NO_VECTOR);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_SELECT), 0);
	for (unsigned int q = 0; q < FAKE_VPCI_QUEUES; q++) {
		assert_int_equal(
			fake_vpci_get_queue(f, q, VIRTIO_PCI_COMMON_Q_ENABLE),
			0);
		assert_int_equal(
			fake_vpci_get_queue(f, q, VIRTIO_PCI_COMMON_Q_SIZE),
			FAKE_VPCI_QUEUE_MAX);
		assert_int_equal(
			fake_vpci_get_queue(f, q, VIRTIO_PCI_COMMON_Q_DESCLO),
			0);
		assert_int_equal(
			fake_vpci_get_queue(f, q, VIRTIO_PCI_COMMON_Q_MSIX),
			NO_VECTOR);
	}
	assert_int_equal(f->dev.features, 0);
	fake_vpci_up(f);
	fake_vpci_echo(f, 2);
}

static void a_reset_of_nothing_is_done_at_once(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_SIZE, 2);
	set_status(f, 0);
	assert_int_equal(status(f), 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_SIZE),
			 FAKE_VPCI_QUEUE_MAX);
	fake_vpci_run(f);
	assert_int_equal(f->n_reset, 0);
}

static void until_a_reset_is_done_nothing_changes(void **state)
{
	struct fake_vpci *f = *state;
	unsigned int kicks;

	fake_vpci_up(f);
	f->hold_reset = true;
	kicks = f->n_kick[0];
	set_status(f, 0);
	assert_int_equal(status(f), UP); /* not 0: the driver waits */
	fake_vpci_run(f);
	assert_int_equal(status(f), UP);
	set_status(f, 1);
	set_status(f, 0);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_SELECT, 1);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_RESET, 1);
	fake_vpci_write(f, f->common + VIRTIO_PCI_COMMON_Q_DESCLO, 8, 0);
	fake_vpci_write(f, f->notify, 2, 0);
	fake_vpci_run(f);
	f->dev.host->ops->config_changed(f->dev.host);
	f->dev.host->ops->needs_reset(f->dev.host);
	fake_vpci_run(f);
	assert_int_equal(status(f), UP);
	assert_int_equal(f->n_kick[0], kicks);
	assert_int_equal(f->n_reset, 1);
	assert_int_equal(f->n_queue_reset, 0);
	assert_int_equal(fake_vpci_interrupts(f, 0), 0);
	f->dev.host->ops->reset_done(f->dev.host);
	assert_int_equal(status(f), 0);
	f->hold_reset = false;
	fake_vpci_up(f);
	fake_vpci_echo(f, 0);
}

static void a_reset_may_take_the_device_its_time(void **state)
{
	struct fake_vpci *f = *state;

	for (unsigned int i = 1; i < 5; i++) {
		fake_vpci_up(f);
		f->delay = i;
		fake_vpci_reset(f);
		assert_int_equal(status(f), 0);
		f->delay = 0;
	}
}

static void a_reset_overtakes_an_activation(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_negotiate_all(f);
	fake_vpci_enable(f, 0);
	set_status(f, UP);
	set_status(f, 0); /* before the device's thread had a turn */
	assert_int_equal(status(f), UP);
	fake_vpci_run(f);
	assert_int_equal(f->n_activate, 0);
	assert_int_equal(f->n_reset, 1);
	assert_int_equal(status(f), 0);
	fake_vpci_up(f);
	fake_vpci_echo(f, 0);
}

static void a_device_that_was_not_activated_is_reset_too(void **state)
{
	struct fake_vpci *f = *state;

	set_status(f, 1);
	fake_vpci_write(f, f->config_at, 1, 7);
	fake_vpci_reset(f);
	assert_int_equal(f->n_reset, 1);
	assert_int_equal(status(f), 0);
}

static void a_reset_done_that_nobody_waits_for_is_not_heard(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	f->dev.host->ops->reset_done(f->dev.host);
	assert_int_equal(status(f), UP);
	fake_vpci_echo(f, 0);
	set_status(f, 0);
	/* the device has not been told yet */
	f->dev.host->ops->reset_done(f->dev.host);
	assert_int_equal(status(f), UP);
	fake_vpci_run(f);
	assert_int_equal(status(f), 0);
}

/* --- resets of a queue -------------------------------------------------- */

static void a_queue_is_reset_and_enabled_again(void **state)
{
	struct fake_vpci *f = *state;
	unsigned int kicks;
	size_t changes;

	fake_vpci_up(f);
	fake_vpci_echo(f, 1);
	kicks = f->n_kick[1];
	changes = f->n_bell_changes;
	f->hold_queue_reset = true;
	fake_vpci_set_queue(f, 1, VIRTIO_PCI_COMMON_Q_RESET, 1);
	assert_int_equal(f->n_bells, FAKE_VPCI_QUEUES - 1);
	assert_int_equal(f->n_bell_changes, changes + 1);
	/* the device has not been told yet */
	f->dev.host->ops->queue_reset_done(f->dev.host, 1);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_RESET), 1);
	fake_vpci_run(f);
	assert_false(virtq_enabled(f->dev.q[1]));
	fake_vpci_kick(f, 1);
	fake_vpci_run(f);
	assert_int_equal(f->n_kick[1], kicks);
	assert_int_equal(f->n_queue_reset, 1);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_RESET), 1);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_ENABLE), 1);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_RESET, 1); /* it is at it */
	fake_vpci_run(f);
	assert_int_equal(f->n_queue_reset, 1);
	fake_vpci_echo(f, 0); /* the others go on */
	f->dev.host->ops->queue_reset_done(f->dev.host, 1);
	assert_int_equal(fake_vpci_get_queue(f, 1, VIRTIO_PCI_COMMON_Q_RESET),
			 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_ENABLE), 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_DESCLO), 0);
	fake_vpci_enable(f, 1);
	assert_int_equal(f->n_bells, FAKE_VPCI_QUEUES);
	fake_vpci_run(f);
	fake_vpci_echo(f, 1);
	fake_vpci_echo(f, 2);
}

static void a_queue_is_reset_only_when_it_can_be(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_negotiate(f,
			    fake_vpci_offered(f) & ~BIT64(VIRTIO_F_RING_RESET));
	fake_vpci_enable(f, 0);
	set_status(f, UP);
	fake_vpci_run(f);
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_RESET, 1);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_RESET), 0);
	fake_vpci_reset(f);
	fake_vpci_negotiate_all(f);
	fake_vpci_enable(f, 0);
	/* before DRIVER_OK; not enabled; not 1 */
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_RESET, 1);
	set_status(f, UP);
	fake_vpci_run(f);
	fake_vpci_set_queue(f, 1, VIRTIO_PCI_COMMON_Q_RESET, 1);
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_RESET, 2);
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_RESET, 0);
	f->dev.host->ops->queue_reset_done(f->dev.host, 0);
	f->dev.host->ops->queue_reset_done(f->dev.host, FAKE_VPCI_QUEUES);
	fake_vpci_run(f);
	assert_int_equal(f->n_queue_reset, 0);
	assert_int_equal(fake_vpci_get_queue(f, 0, VIRTIO_PCI_COMMON_Q_ENABLE),
			 1);
	fake_vpci_echo(f, 0);
}

static void a_reset_of_the_device_overtakes_that_of_a_queue(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	f->hold_queue_reset = f->hold_reset = true;
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_RESET, 1);
	fake_vpci_run(f);
	set_status(f, 0);
	fake_vpci_run(f);
	f->dev.host->ops->queue_reset_done(f->dev.host, 0);
	assert_int_equal(status(f), UP);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_RESET), 1);
	f->dev.host->ops->reset_done(f->dev.host);
	assert_int_equal(status(f), 0);
	f->dev.host->ops->queue_reset_done(f->dev.host, 0);
	f->hold_queue_reset = f->hold_reset = false;
	fake_vpci_up(f);
	fake_vpci_echo(f, 0);
}

static void a_queue_may_be_enabled_late(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_negotiate_all(f);
	set_status(f, UP);
	fake_vpci_run(f);
	assert_int_equal(f->n_activate, 1);
	fake_vpci_enable(f, 1);
	fake_vpci_run(f);
	assert_int_equal(f->n_kick[1], 1);
	fake_vpci_echo(f, 1);
}

/* --- broken queues ------------------------------------------------------ */

static void a_broken_queue_asks_for_a_reset(void **state)
{
	struct fake_vpci *f = *state;
	unsigned int kicks;

	fake_vpci_up(f);
	fake_ring_set_avail_idx(f->ring[0], 0x5000);
	fake_vpci_kick(f, 0);
	fake_vpci_run(f);
	assert_int_equal(status(f), UP | FAKE_VPCI_NEEDS_RESET);
	assert_int_equal(fake_vpci_interrupts(f, 0), 1);
	assert_int_equal(fake_vpci_read(f, f->isr, 1) & 2, 2);
	assert_int_equal(counters(f).broken, 1);
	/* no more kicks, of no queue; and it is said once */
	kicks = f->n_kick[0] + f->n_kick[1];
	fake_vpci_kick(f, 0);
	fake_vpci_kick(f, 1);
	fake_vpci_run(f);
	f->dev.host->ops->needs_reset(f->dev.host);
	assert_int_equal(f->n_kick[0] + f->n_kick[1], kicks);
	assert_int_equal(counters(f).broken, 1);
	assert_int_equal(fake_vpci_interrupts(f, 0), 1);
	fake_vpci_reset(f);
	assert_int_equal(status(f), 0);
	fake_vpci_up(f);
	fake_vpci_echo(f, 0);
}

static void a_broken_device_resets_its_queues_all_the_same(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	f->kick_error = -EPROTO;
	fake_vpci_kick(f, 0);
	fake_vpci_run(f);
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_RESET, 1);
	fake_vpci_run(f);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_RESET), 0);
	assert_int_equal(f->n_queue_reset, 1);
}

static void rings_that_are_not_there_are_found_at_activation(void **state)
{
	struct fake_vpci *f = *state;
	unsigned int kicks;

	fake_vpci_up(f);
	fake_vpci_reset(f);
	f->n_activate = 0;
	fake_vpci_negotiate_all(f);
	fake_vpci_enable(f, 0);
	/* the second one has addresses 0, which is private memory */
	fake_vpci_set_queue(f, 1, VIRTIO_PCI_COMMON_Q_ENABLE, 1);
	set_status(f, UP);
	fake_vpci_run(f);
	assert_int_equal(status(f), UP | FAKE_VPCI_NEEDS_RESET);
	assert_int_equal(f->n_activate, 0);
	kicks = f->n_kick[0];
	fake_vpci_kick(f, 0);
	fake_vpci_run(f);
	assert_int_equal(f->n_kick[0], kicks);
	/* a queue's reset has nobody to wait for */
	fake_vpci_set_queue(f, 0, VIRTIO_PCI_COMMON_Q_RESET, 1);
	fake_vpci_run(f);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_RESET), 0);
	assert_int_equal(f->n_queue_reset, 0);
	fake_vpci_reset(f);
	fake_vpci_up(f);
	fake_vpci_echo(f, 1);
}

static void late_rings_that_are_not_there_are_found_as_well(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_negotiate_all(f);
	set_status(f, UP);
	fake_vpci_run(f);
	fake_vpci_set_queue(f, 1, VIRTIO_PCI_COMMON_Q_ENABLE, 1);
	fake_vpci_run(f);
	assert_int_equal(status(f), UP | FAKE_VPCI_NEEDS_RESET);
	fake_vpci_reset(f);
	assert_int_equal(status(f), 0);
}

/* --- queues that the kernel serves -------------------------------------- */

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void the_kernel_gets_ring_kicks_and_interrupt(void **state)
{
	struct fake_vpci *f = *state;
	uint64_t one = 1, count;

	f->to_kernel = 1;
	fake_vpci_up(f);
	assert_int_equal(f->kernel_result, 0);
	assert_memory_equal(&f->kernel.layout, fake_ring_layout(f->ring[1]),
			    sizeof(f->kernel.layout));
	/* it looks at the ring first: a kick may be behind us */
	assert_true(readable(f->kernel.kick_fd));
	assert_int_equal(f->n_kick[1], 0);
	assert_int_equal(read(f->kernel.kick_fd, &count, 8), 8);
	fake_vpci_kick(f, 1);
	fake_vpci_run(f);
	assert_true(readable(f->kernel.kick_fd));
	assert_int_equal(f->n_kick[1], 0);
	assert_int_equal(write(f->kernel.call_fd, &one, 8), 8);
	assert_int_equal(fake_vpci_interrupts(f, 2), 1);
	fake_vpci_echo(f, 0); /* the others are ours */
	/* after a reset it is ours again */
	f->to_kernel = -1;
	fake_vpci_reset(f);
	fake_vpci_up(f);
	fake_vpci_echo(f, 1);
}

static void the_kernel_gets_no_queue_that_is_not_enabled(void **state)
{
	struct fake_vpci *f = *state;

	f->to_kernel = 2;
	fake_vpci_negotiate_all(f);
	fake_vpci_enable(f, 0);
	set_status(f, UP);
	fake_vpci_run(f);
	assert_int_equal(f->kernel_result, -EINVAL);
	assert_int_equal(f->dev.host->ops->queue_to_kernel(
				 f->dev.host, FAKE_VPCI_QUEUES, &f->kernel),
			 -EINVAL);
}

static void the_kernel_is_told_of_a_queue_without_vector(void **state)
{
	struct fake_vpci *f = *state;

	f->to_kernel = 0;
	fake_vpci_negotiate_all(f);
	fake_vpci_enable(f, 0);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_MSIX, NO_VECTOR);
	set_status(f, UP);
	fake_vpci_run(f);
	assert_int_equal(f->kernel_result, 0);
	assert_int_equal(f->kernel.call_fd, -1);
}

static void the_ring_is_as_it_was_negotiated(void **state)
{
	struct fake_vpci *f = *state;
	static const uint64_t bit[] = {BIT64(VIRTIO_F_INDIRECT_DESC),
				       BIT64(VIRTIO_F_EVENT_IDX)};

	f->to_kernel = 0;
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t refused = (i & 1 ? bit[0] : 0) | (i & 2 ? bit[1] : 0);

		fake_vpci_negotiate(f, fake_vpci_offered(f) & ~refused);
		fake_vpci_enable(f, 0);
		set_status(f, UP);
		fake_vpci_run(f);
		assert_int_equal(f->kernel.layout.indirect, !(i & 1));
		assert_int_equal(f->kernel.layout.event_idx, !(i & 2));
		fake_vpci_reset(f);
	}
}

/* --- threads ------------------------------------------------------------ */

struct vcpu {
	struct fake_vpci *f;
	atomic_bool stop;
	unsigned int seed;
};

/* Writes anything anywhere, as fast as it can. */
static void *hammer(void *arg)
{
	struct vcpu *v = arg;

	while (!atomic_load(&v->stop)) {
		uint64_t off;

		v->seed = v->seed * 1103515245 + 12345;
		off = (v->seed >> 8) % 0x5000;
		if (off < 0x1000)
			off %= 0x3c;
		/* but leaves DRIVER_OK to the case itself */
		if (off != VIRTIO_PCI_COMMON_STATUS)
			fake_vpci_write(v->f, off,
					fake_vpci_reg_width((unsigned)off),
					v->seed >> 4);
		(void)fake_vpci_read(v->f, off, 4);
	}
	return NULL;
}

static void wait_for_0(struct fake_vpci *f)
{
	while (status(f))
		usleep(100);
}

static void vcpus_and_the_device_meet_in_the_transport(void **state)
{
	struct fake_vpci *f = *state;
	struct vcpu v = {.f = f, .seed = 1};
	pthread_t t;

	assert_int_equal(io_thread_start(f->thread, NULL), 0);
	assert_int_equal(pthread_create(&t, NULL, hammer, &v), 0);
	for (unsigned int i = 0; i < 300; i++) {
		fake_vpci_negotiate_all(f);
		fake_vpci_enable(f, i % FAKE_VPCI_QUEUES);
		set_status(f, UP);
		fake_vpci_write(f, f->notify, 2, 0);
		cfg_set(f, PCI_COMMAND, 2, 0);
		cfg_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		set_status(f, 0);
		wait_for_0(f);
	}
	atomic_store(&v.stop, true);
	pthread_join(t, NULL);
	set_status(f, 0);
	wait_for_0(f);
	io_thread_stop(f->thread);
	fake_vpci_up(f);
	fake_vpci_echo(f, 0);
}

int main(void)
{
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
		CASE(each_queue_interrupts_with_its_vector, setup),
		CASE(queues_may_share_a_vector_and_change_it, setup),
		CASE(a_queue_without_a_vector_shows_in_the_isr, setup),
		CASE(a_masked_vector_waits_for_its_mask_to_go, setup),
		CASE(the_configuration_is_read_at_any_width, setup),
		CASE(the_configuration_is_written_by_a_driver, setup),
		CASE(a_configuration_may_be_read_only, setup_least),
		CASE(a_change_counts_and_interrupts_a_running_driver, setup),
		CASE(the_bar_is_reached_without_being_mapped, setup),
		CASE(a_window_that_is_wrong_reaches_nothing, setup),
		CASE(doorbells_come_with_activation_and_go_with_a_reset, setup),
		CASE(doorbells_move_with_the_bar, setup),
		CASE(without_doorbells_a_kick_is_a_write, setup_least),
		CASE(a_doorbell_that_is_refused_is_an_exit, setup),
		CASE(only_the_place_of_a_doorbell_counts, setup),
		CASE(a_reset_brings_back_the_first_values, setup),
		CASE(a_reset_of_nothing_is_done_at_once, setup),
		CASE(until_a_reset_is_done_nothing_changes, setup),
		CASE(a_reset_may_take_the_device_its_time, setup),
		CASE(a_reset_overtakes_an_activation, setup),
		CASE(a_device_that_was_not_activated_is_reset_too, setup),
		CASE(a_reset_done_that_nobody_waits_for_is_not_heard, setup),
		CASE(a_queue_is_reset_and_enabled_again, setup),
		CASE(a_queue_is_reset_only_when_it_can_be, setup),
		CASE(a_reset_of_the_device_overtakes_that_of_a_queue, setup),
		CASE(a_queue_may_be_enabled_late, setup),
		CASE(a_broken_queue_asks_for_a_reset, setup),
		CASE(a_broken_device_resets_its_queues_all_the_same, setup),
		CASE(rings_that_are_not_there_are_found_at_activation,
		     setup_confidential),
		CASE(late_rings_that_are_not_there_are_found_as_well,
		     setup_confidential),
		CASE(the_kernel_gets_ring_kicks_and_interrupt, setup),
		CASE(the_kernel_gets_no_queue_that_is_not_enabled, setup),
		CASE(the_kernel_is_told_of_a_queue_without_vector, setup),
		CASE(the_ring_is_as_it_was_negotiated, setup),
		CASE(vcpus_and_the_device_meet_in_the_transport, setup),
	};

	return cmocka_run_group_tests_name("virtio_pci_dev", tests, NULL, NULL);
}
