/*
 * tests/unit/test_virtio_pci_dev.c - the transport between driver and device:
 * interrupts, configuration, doorbells, resets, broken queues.
 */
#include "tests/unit/vpci_fixture.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/bits.h"

enum {
	UP = FAKE_VPCI_UP,
	NO_VECTOR = 0xffff,
	MASKALL = 0x4000,
	ENABLE = 0x8000,
	DECODING = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
};

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
			 FAKE_VPCI_BAR + f->notify + (gpa_t)2 * f->multiplier);
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
	cfg_set(f, PCI_COMMAND, 2, DECODING); /* nothing new */
	assert_int_equal(f->n_bell_changes, changes);
	cfg_set(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(f->n_bells, 0);
	cfg_set(f, PCI_BAR0, 4, 0xc4000000);
	assert_int_equal(f->n_bells, 0);
	cfg_set(f, PCI_COMMAND, 2, DECODING);
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
	cfg_set(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	cfg_set(f, PCI_COMMAND, 2, DECODING);
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
		CASE(the_kernel_gets_ring_kicks_and_interrupt, setup),
		CASE(the_kernel_gets_no_queue_that_is_not_enabled, setup),
		CASE(the_kernel_is_told_of_a_queue_without_vector, setup),
		CASE(the_ring_is_as_it_was_negotiated, setup),
	};

	return cmocka_run_group_tests_name("virtio_pci_dev", tests, NULL, NULL);
}
