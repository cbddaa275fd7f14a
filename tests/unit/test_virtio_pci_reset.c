/*
 * tests/unit/test_virtio_pci_reset.c - resets of device and queues, queues that
 * are broken, and all of it with threads.
 */
#include "tests/unit/vpci_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "vmm/base/bits.h"

enum {
	UP = FAKE_VPCI_UP,
	NO_VECTOR = 0xffff,
};

static int setup_confidential(void **state)
{
	struct fake_vpci_opts o = {.confidential = true};

	return build(state, &o);
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

/* The device is up, and has one request of queue 0 in @ret. */
static void up_with_one(struct fake_vpci *f, const struct fake_buf *b,
			struct virtq_chain *ret)
{
	virtq_chain_init(ret);
	fake_vpci_up(f);
	fake_ring_offer(f->ring[0], b, 1, false);
	assert_int_equal(virtq_pop(f->dev.q[0], ret), 1);
}

/* A request that ends while the driver waits for its reset. */
static void what_is_given_back_during_a_reset_is_dropped(void **state)
{
	struct fake_vpci *f = *state;
	struct fake_buf b = FAKE_IN(4);
	struct virtq_chain c;

	up_with_one(f, &b, &c);
	fake_ring_offer(f->ring[0], &b, 1, false);
	f->hold_reset = true;
	set_status(f, 0);
	fake_vpci_run(f);
	virtq_push(f->dev.q[0], &c, 4);
	virtq_flush(f->dev.q[0]);
	assert_int_equal(fake_ring_n_used(f->ring[0]), 0);
	assert_int_equal(fake_vpci_interrupts(f, 1), 0);
	assert_int_equal(virtq_pop(f->dev.q[0], &c), 0);
	f->dev.host->ops->reset_done(f->dev.host);
	virtq_chain_free(&c);
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

/* --- bus mastering ------------------------------------------------------ */

static void set_master(struct fake_vpci *f, bool on)
{
	cfg_set(f, PCI_COMMAND, 2,
		PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0));
	fake_vpci_run(f);
}

/* What a kernel does before it starts another in its place (kexec). */
static void who_is_no_longer_master_leaves_memory_alone(void **state)
{
	struct fake_vpci *f = *state;
	struct fake_buf b = FAKE_IN(4);
	struct virtq_chain c;

	up_with_one(f, &b, &c);
	set_master(f, false);
	assert_int_equal(f->n_reset, 1); /* it lets go of what it has */
	assert_int_equal(status(f), UP | FAKE_VPCI_NEEDS_RESET);
	virtq_push(f->dev.q[0], &c, 4);
	virtq_flush(f->dev.q[0]);
	fake_ring_offer(f->ring[1], &b, 1, false);
	fake_vpci_write(f, f->notify + f->multiplier, 2, 1);
	set_master(f, true); /* and does not go on where it was */
	fake_vpci_write(f, f->notify + f->multiplier, 2, 1);
	fake_vpci_run(f);
	assert_int_equal(fake_ring_n_used(f->ring[0]), 0);
	assert_int_equal(fake_ring_n_used(f->ring[1]), 0);
	assert_int_equal(status(f), UP | FAKE_VPCI_NEEDS_RESET);
	assert_int_equal(counters(f).broken, 0);
	fake_vpci_reset(f);
	assert_int_equal(status(f), 0);
	fake_vpci_up(f);
	fake_vpci_echo(f, 1);
	virtq_chain_free(&c);
}

static void a_reset_waits_for_one_that_was_master(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	f->hold_reset = true;
	set_master(f, false);
	set_status(f, 0);
	assert_int_equal(status(f) & UP, UP);
	f->dev.host->ops->reset_done(f->dev.host); /* of the first */
	assert_int_equal(status(f) & UP, UP);
	fake_vpci_run(f);
	assert_int_equal(f->n_reset, 2);
	f->dev.host->ops->reset_done(f->dev.host);
	assert_int_equal(status(f), 0);
	f->hold_reset = false;
	set_master(f, true);
	fake_vpci_up(f);
	fake_vpci_echo(f, 0);
}

static void without_a_driver_mastering_means_nothing(void **state)
{
	struct fake_vpci *f = *state;

	set_master(f, false);
	set_master(f, true);
	fake_vpci_negotiate_all(f);
	set_master(f, false);
	set_master(f, true);
	assert_int_equal(f->n_reset, 0);
	fake_vpci_enable(f, 0);
	set_status(f, UP);
	/* before the device's thread had a turn */
	set_master(f, false);
	assert_int_equal(f->n_activate, 0);
	assert_int_equal(status(f), UP | FAKE_VPCI_NEEDS_RESET);
	fake_vpci_reset(f);
	fake_vpci_up(f); /* a driver that never asked for it is served */
	fake_vpci_echo(f, 0);
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
		CASE(a_reset_brings_back_the_first_values, setup),
		CASE(a_reset_of_nothing_is_done_at_once, setup),
		CASE(until_a_reset_is_done_nothing_changes, setup),
		CASE(what_is_given_back_during_a_reset_is_dropped, setup),
		CASE(a_reset_may_take_the_device_its_time, setup),
		CASE(a_reset_overtakes_an_activation, setup),
		CASE(a_device_that_was_not_activated_is_reset_too, setup),
		CASE(a_reset_done_that_nobody_waits_for_is_not_heard, setup),
		CASE(who_is_no_longer_master_leaves_memory_alone, setup),
		CASE(a_reset_waits_for_one_that_was_master, setup),
		CASE(without_a_driver_mastering_means_nothing, setup),
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
		CASE(vcpus_and_the_device_meet_in_the_transport, setup),
	};

	return cmocka_run_group_tests_name("virtio_pci_reset", tests, NULL,
					   NULL);
}
