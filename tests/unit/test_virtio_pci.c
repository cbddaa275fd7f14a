/* tests/unit/test_virtio_pci.c - registers, interrupts, doorbells. */
#include "tests/unit/vpci_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"

enum {
	OK = FAKE_VPCI_DRIVER_OK,
	FEATURES = FAKE_VPCI_FEATURES_OK,
	UP = FAKE_VPCI_UP,
	NO_VECTOR = 0xffff,
	PAGE = 0x1000,
};
#define REQUIRED (BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_ACCESS_PLATFORM))

static int setup_no_config(void **state)
{
	struct fake_vpci_opts o = {.no_config = true};

	return build(state, &o);
}

static uint8_t seen_status(struct fake_vpci *f)
{
	uint8_t s = (uint8_t)fake_vpci_get(f, VIRTIO_PCI_COMMON_STATUS);

	assert_int_equal(virtio_pci_status(f->t), s);
	return s;
}

static uint64_t cfg(struct fake_vpci *f, unsigned int off, unsigned int width)
{
	return fake_pci_read(f->pci, FAKE_VPCI_DEVFN, off, width);
}

/* --- the function ------------------------------------------------------- */

static void a_driver_finds_what_it_looks_for(void **state)
{
	struct fake_vpci *f = *state;

	assert_int_equal(cfg(f, PCI_VENDOR_ID, 2), 0x1af4);
	assert_int_equal(cfg(f, PCI_DEVICE_ID, 2), 0x1040 + VIRTIO_ID_RNG);
	assert_int_equal(cfg(f, PCI_REVISION_ID, 4), 0x00ff0001);
	assert_int_equal(cfg(f, PCI_INTERRUPT_PIN, 1), 0);
	assert_true(cfg(f, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
	/* a 64-bit BAR that has room for everything */
	assert_int_equal(cfg(f, PCI_BAR0, 4) & 0xf, 0xc);
	assert_int_equal(f->common % 4, 0);
	assert_int_equal(f->config_at % 4, 0);
	assert_int_equal(f->config_len, FAKE_VPCI_CONFIG_LEN);
	assert_int_equal(f->multiplier, 4);
	assert_true(f->notify_len >=
		    (FAKE_VPCI_QUEUES - 1) * f->multiplier + 2);
	assert_int_equal(cfg(f, f->msix + 2, 2), FAKE_VPCI_VECTORS - 1);
	/* table and pending bits are in BAR 0 and within it */
	assert_int_equal(f->msix_table & 7, 0);
	assert_int_equal(f->msix_pba & 7, 0);
	assert_true(f->msix_pba < 0x8000);
	assert_true(f->msix_table >= f->notify + f->notify_len);
	/* the doorbells share their page with nothing */
	assert_int_equal(f->notify % PAGE, 0);
	assert_true(f->notify / PAGE != f->common / PAGE &&
		    f->notify / PAGE != f->isr / PAGE &&
		    f->notify / PAGE != f->config_at / PAGE &&
		    f->notify / PAGE != f->msix_table / PAGE);
	for (uint8_t t = VIRTIO_PCI_CAP_COMMON_CFG;
	     t <= VIRTIO_PCI_CAP_DEVICE_CFG; t++) {
		unsigned int at = fake_vpci_find_cap(f, t);

		assert_int_equal(cfg(f, at + VIRTIO_PCI_CAP_BAR, 1), 0);
		assert_int_equal(cfg(f, at + VIRTIO_PCI_CAP_LEN, 1),
				 t == VIRTIO_PCI_CAP_NOTIFY_CFG ? 20 : 16);
	}
	assert_int_equal(cfg(f, f->pci_cfg + VIRTIO_PCI_CAP_LEN, 1), 20);
}

static void a_device_without_configuration_has_no_such_capability(void **state)
{
	struct fake_vpci *f = *state;

	assert_int_equal(fake_vpci_find_cap(f, VIRTIO_PCI_CAP_DEVICE_CFG), 0);
	assert_int_equal(fake_vpci_read(f, 0x2000, 4), 0);
	fake_vpci_write(f, 0x2000, 4, 1);
	fake_vpci_up(f);
	fake_vpci_echo(f, 0);
}

static void a_place_that_is_taken_is_an_error(void **state)
{
	struct fake_vpci *f = *state;
	struct virtio_pci_params p = {
		.bus = f->pci->bus,
		.devfn = FAKE_VPCI_DEVFN,
		.irq = fake_irq_sink(f->irq),
		.view = fake_ram_view(f->ram),
	};
	struct virtio_dev second = f->dev;
	struct virtio_pci *v = NULL;
	struct err e = {0};

	assert_int_equal(virtio_pci_create(&p, &second, &v, &e), -EEXIST);
	assert_null(v);
	assert_null(second.host);
	fake_vpci_up(f); /* the first is unharmed */
	fake_vpci_echo(f, 0);
}

static void too_few_descriptors_are_the_hosts_error(void **state)
{
	struct fake_vpci *f = *state;
	struct virtio_pci_params p = {
		.bus = f->pci->bus,
		.devfn = FAKE_VPCI_DEVFN + 8,
		.irq = fake_irq_sink(f->irq),
		.view = fake_ram_view(f->ram),
	};
	struct virtio_dev second = f->dev;
	struct rlimit old, few;
	struct virtio_pci *v = NULL;
	int first = dup(0); /* the lowest free one */
	bool named = false;

	assert_true(first >= 0);
	close(first);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (unsigned int n = 0; n < FAKE_VPCI_VECTORS + FAKE_VPCI_QUEUES;
	     n++) {
		struct err e = {0};
		int r;

		few = old;
		few.rlim_cur = (rlim_t)first + n;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		r = virtio_pci_create(&p, &second, &v, &e);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		assert_int_equal(r, -EMFILE);
		assert_int_equal(e.kind, ERR_HOST);
		named |= strstr(e.msg, "echo0") != NULL;
	}
	assert_true(named);
	assert_null(v);
}

/* --- features ----------------------------------------------------------- */

static void the_transport_adds_its_features(void **state)
{
	struct fake_vpci *f = *state;

	assert_int_equal(fake_vpci_offered(f),
			 BIT64(FAKE_VPCI_FEATURE) |
				 BIT64(VIRTIO_F_INDIRECT_DESC) |
				 BIT64(VIRTIO_F_EVENT_IDX) | REQUIRED |
				 BIT64(VIRTIO_F_RING_RESET));
	fake_vpci_set(f, VIRTIO_PCI_COMMON_DFSELECT, 2);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_DF), 0);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_DFSELECT, UINT32_MAX);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_DF), 0);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_DF, 1);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_DFSELECT),
			 UINT32_MAX);
}

static void a_device_that_cannot_reset_queues_does_not_offer_it(void **state)
{
	struct fake_vpci *f = *state;

	assert_false(fake_vpci_offered(f) & BIT64(VIRTIO_F_RING_RESET));
	assert_false(
		fake_vpci_negotiate(f, REQUIRED | BIT64(VIRTIO_F_RING_RESET)) &
		FEATURES);
}

static void features_ok_sticks_only_with_the_right_ones(void **state)
{
	struct fake_vpci *f = *state;
	static const struct {
		uint64_t features;
		bool ok;
	} c[] = {
		{REQUIRED, true},
		{REQUIRED | BIT64(FAKE_VPCI_FEATURE), true},
		{REQUIRED | BIT64(0), false},
		{REQUIRED | BIT64(63), false},
		{BIT64(VIRTIO_F_VERSION_1), false},
		{BIT64(VIRTIO_F_ACCESS_PLATFORM), false},
		{0, false},
		{UINT64_MAX, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		uint8_t s = fake_vpci_negotiate(f, c[i].features);

		assert_int_equal(s, c[i].ok ? 1 | 2 | FEATURES : 1 | 2);
		assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_GF),
				 c[i].features >> 32);
		/* without it there is no way on */
		fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, UP);
		assert_int_equal(!!(seen_status(f) & OK), c[i].ok);
		fake_vpci_reset(f);
		assert_int_equal(seen_status(f), 0);
	}
}

static void feature_words_that_do_not_exist_are_no_features(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_set(f, VIRTIO_PCI_COMMON_GFSELECT, 2);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GF, 0); /* nothing wanted: fine */
	assert_int_equal(fake_vpci_negotiate(f, REQUIRED), 1 | 2 | FEATURES);
	fake_vpci_reset(f);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GFSELECT, 2);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GF, 1);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_GF), 0);
	assert_int_equal(fake_vpci_negotiate(f, REQUIRED), 1 | 2);
	fake_vpci_reset(f);
	assert_int_equal(fake_vpci_negotiate(f, REQUIRED), 1 | 2 | FEATURES);
}

static void features_are_frozen_once_agreed(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_negotiate(f, REQUIRED);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GFSELECT, 0);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_GF, BIT64(FAKE_VPCI_FEATURE));
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_GF), 0);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, UP);
	fake_vpci_run(f);
	assert_int_equal(f->n_activate, 1);
	assert_int_equal(f->features, REQUIRED);
}

/* --- status ------------------------------------------------------------- */

static void status_bits_are_only_added(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, 1);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, 2);
	assert_int_equal(seen_status(f), 3);
	/* the device's own bit, and those that mean nothing */
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, 0x70);
	assert_int_equal(seen_status(f), 3);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, 0x80);
	assert_int_equal(seen_status(f), 0x83);
	fake_vpci_reset(f);
	assert_int_equal(seen_status(f), 0);
}

static void activation_comes_once_with_a_kick_for_every_queue(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	assert_int_equal(f->n_activate, 1);
	assert_int_equal(f->features, fake_vpci_offered(f));
	for (unsigned int i = 0; i < FAKE_VPCI_QUEUES; i++)
		assert_int_equal(f->n_kick[i], 1);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, UP);
	fake_vpci_run(f);
	assert_int_equal(f->n_activate, 1);
	for (unsigned int i = 0; i < FAKE_VPCI_QUEUES; i++)
		fake_vpci_echo(f, i);
}

static void a_kick_before_activation_is_made_up_for(void **state)
{
	struct fake_vpci *f = *state;
	struct fake_buf b = FAKE_IN(4);

	fake_vpci_negotiate_all(f);
	fake_vpci_enable(f, 0);
	fake_ring_offer(f->ring[0], &b, 1, false);
	fake_vpci_write(f, f->notify, 2, 0);
	fake_vpci_run(f);
	assert_int_equal(f->n_kick[0], 0);
	assert_int_equal(fake_ring_n_used(f->ring[0]), 0);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, UP);
	fake_vpci_run(f);
	assert_int_equal(fake_ring_n_used(f->ring[0]), 1);
	assert_int_equal(f->n_kick[1], 0); /* it is not enabled */
}

/* A descriptor that is none of the transport's hears of no kick. */
static void a_kick_of_a_queue_that_is_not_there_is_dropped(void **state)
{
	struct fake_vpci *f = *state;
	int kept = dup(STDIN_FILENO), fd = eventfd(0, EFD_NONBLOCK);
	uint64_t count;

	fake_vpci_up(f);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	for (uint32_t q = FAKE_VPCI_QUEUES; q < VIRTIO_DEV_QUEUES_MAX; q++)
		fake_vpci_write(f, f->notify + q * f->multiplier, 2, q);
	assert_int_equal(read(fd, &count, sizeof(count)), -1);
	close(fd);
	if (kept >= 0)
		dup2(kept, STDIN_FILENO);
	else
		close(STDIN_FILENO);
	close(kept);
}

/* --- registers ---------------------------------------------------------- */

static void registers_have_their_first_values(void **state)
{
	struct fake_vpci *f = *state;

	assert_int_equal(seen_status(f), 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_NUMQ),
			 FAKE_VPCI_QUEUES);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_MSIX), NO_VECTOR);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_SELECT), 0);
	for (unsigned int i = 0; i < FAKE_VPCI_QUEUES; i++) {
		assert_int_equal(
			fake_vpci_get_queue(f, i, VIRTIO_PCI_COMMON_Q_SIZE),
			FAKE_VPCI_QUEUE_MAX);
		assert_int_equal(
			fake_vpci_get_queue(f, i, VIRTIO_PCI_COMMON_Q_MSIX),
			NO_VECTOR);
		assert_int_equal(
			fake_vpci_get_queue(f, i, VIRTIO_PCI_COMMON_Q_NOFF), i);
		for (unsigned int r = VIRTIO_PCI_COMMON_Q_DESCLO;
		     r <= VIRTIO_PCI_COMMON_Q_USEDHI; r += 4)
			assert_int_equal(fake_vpci_get_queue(f, i, r), 0);
		assert_int_equal(
			fake_vpci_get_queue(f, i, VIRTIO_PCI_COMMON_Q_ENABLE),
			0);
		assert_int_equal(
			fake_vpci_get_queue(f, i, VIRTIO_PCI_COMMON_Q_RESET),
			0);
		assert_int_equal(
			fake_vpci_get_queue(f, i, VIRTIO_PCI_COMMON_Q_NDATA),
			0);
	}
}

/*
 * Any access anywhere in the BAR: only a field's own width reads or writes
 * it. The registers are read whole before and after.
 */
static void only_a_fields_own_width_reaches_it(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_negotiate_all(f);
	fake_vpci_enable(f, 1);
	for (unsigned int off = 0; off < 0x60; off++)
		for (unsigned int w = 1; w <= 8; w++) {
			bool field = off < 0x3c &&
				     fake_vpci_reg_width(off) == w &&
				     off % w == 0 &&
				     /* bytes inside of dwords */
				     (w != 4 || off < 0x10 ||
				      (off >= 0x20 && off < 0x38));
			bool address = w == 8 && (off == 0x20 || off == 0x28 ||
						  off == 0x30);

			if (field || address)
				continue;
			assert_int_equal(fake_vpci_read(f, off, w), 0);
			fake_vpci_write(f, off, w, UINT64_MAX);
			fake_vpci_write(f, off, w, 0);
		}
	assert_int_equal(seen_status(f), 1 | 2 | FEATURES);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_SELECT), 1);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_ENABLE), 1);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_DESCLO),
			 fake_ring_layout(f->ring[1])->desc);
	fake_vpci_run(f);
	assert_int_equal(f->n_reset, 0);
}

static void the_rest_of_the_bar_is_silent(void **state)
{
	struct fake_vpci *f = *state;

	fake_vpci_up(f);
	for (uint64_t off = 0x60; off < 0x8000; off += 2) {
		bool config = off >= f->config_at &&
			      off < f->config_at + f->config_len;

		if (config || off >= f->msix_table)
			continue;
		assert_int_equal(fake_vpci_read(f, off, 2), 0);
		/* doorbells are for another case */
		if (off < f->notify || off >= f->notify + f->notify_len)
			fake_vpci_write(f, off, 2, 0xffff);
	}
	for (uint64_t off = f->msix_pba + 8; off < 0x8000; off += 4) {
		assert_int_equal(fake_vpci_read(f, off, 4), 0);
		fake_vpci_write(f, off, 4, UINT32_MAX);
	}
	fake_vpci_run(f);
	assert_int_equal(seen_status(f), UP);
	assert_int_equal(f->n_config_write, 0);
	for (unsigned int i = 0; i < FAKE_VPCI_QUEUES; i++)
		fake_vpci_echo(f, i);
}

static void read_only_registers_stay(void **state)
{
	struct fake_vpci *f = *state;
	static const unsigned int reg[] = {
		VIRTIO_PCI_COMMON_DF, VIRTIO_PCI_COMMON_NUMQ,
		VIRTIO_PCI_COMMON_Q_NOFF, VIRTIO_PCI_COMMON_CFGGENERATION,
		VIRTIO_PCI_COMMON_Q_NDATA};

	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_SELECT, 2);
	for (size_t i = 0; i < ARRAY_SIZE(reg); i++) {
		uint64_t before = fake_vpci_get(f, reg[i]);

		fake_vpci_set(f, reg[i], ~before);
		assert_int_equal(fake_vpci_get(f, reg[i]), before);
	}
}

static void queues_that_do_not_exist_have_size_0(void **state)
{
	struct fake_vpci *f = *state;
	static const uint16_t q[] = {FAKE_VPCI_QUEUES, 66, 0x100, 0xffff};

	fake_vpci_negotiate_all(f);
	for (size_t i = 0; i < ARRAY_SIZE(q); i++)
		for (unsigned int r = VIRTIO_PCI_COMMON_Q_SIZE;
		     r <= VIRTIO_PCI_COMMON_Q_RESET;
		     r += fake_vpci_reg_width(r)) {
			uint64_t want =
				r == VIRTIO_PCI_COMMON_Q_MSIX ? NO_VECTOR : 0;

			assert_int_equal(fake_vpci_get_queue(f, q[i], r), want);
			fake_vpci_set_queue(f, q[i], r, 1);
			assert_int_equal(fake_vpci_get_queue(f, q[i], r), want);
		}
}

static void sizes_are_powers_of_two_up_to_the_maximum(void **state)
{
	struct fake_vpci *f = *state;
	unsigned int good = FAKE_VPCI_QUEUE_MAX;

	for (unsigned int n = 0; n <= 0xffff; n++) {
		fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_SIZE, n);
		if (n && n <= FAKE_VPCI_QUEUE_MAX && !(n & (n - 1)))
			good = n;
		assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_SIZE),
				 good);
	}
	/* what a bus leaves above the width is nothing */
	fake_vpci_write(f, f->common + VIRTIO_PCI_COMMON_Q_SIZE, 2, 0x10004);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_SIZE), 4);
}

static void addresses_are_written_in_halves_or_whole(void **state)
{
	struct fake_vpci *f = *state;

	for (unsigned int r = VIRTIO_PCI_COMMON_Q_DESCLO;
	     r <= VIRTIO_PCI_COMMON_Q_USEDLO; r += 8) {
		fake_vpci_set(f, r + 4, 0x12345678 + r);
		fake_vpci_set(f, r, 0x9abcdef0);
		assert_int_equal(fake_vpci_read(f, f->common + r, 8),
				 (UINT64_C(0x12345678) + r) << 32 | 0x9abcdef0);
		fake_vpci_write(f, f->common + r, 8, UINT64_MAX - r);
		assert_int_equal(fake_vpci_get(f, r), UINT32_MAX - r);
		assert_int_equal(fake_vpci_get(f, r + 4), UINT32_MAX);
	}
	/* of one queue only */
	assert_int_equal(fake_vpci_get_queue(f, 1, VIRTIO_PCI_COMMON_Q_DESCLO),
			 0);
}

static void a_queue_is_enabled_after_features_and_once(void **state)
{
	struct fake_vpci *f = *state;
	static const unsigned int frozen[] = {
		VIRTIO_PCI_COMMON_Q_SIZE,    VIRTIO_PCI_COMMON_Q_DESCLO,
		VIRTIO_PCI_COMMON_Q_DESCHI,  VIRTIO_PCI_COMMON_Q_AVAILLO,
		VIRTIO_PCI_COMMON_Q_AVAILHI, VIRTIO_PCI_COMMON_Q_USEDLO,
		VIRTIO_PCI_COMMON_Q_USEDHI,  VIRTIO_PCI_COMMON_Q_ENABLE};

	fake_vpci_set(f, VIRTIO_PCI_COMMON_STATUS, 3);
	fake_vpci_enable(f, 0);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_ENABLE), 0);
	fake_vpci_negotiate_all(f);
	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_ENABLE, 2);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_ENABLE), 0);
	fake_vpci_enable(f, 0);
	for (size_t i = 0; i < ARRAY_SIZE(frozen); i++) {
		uint64_t before = fake_vpci_get(f, frozen[i]);

		fake_vpci_set(f, frozen[i], before ? 0 : 4);
		assert_int_equal(fake_vpci_get(f, frozen[i]), before);
	}
	/* a vector may still change */
	fake_vpci_set(f, VIRTIO_PCI_COMMON_Q_MSIX, 2);
	assert_int_equal(fake_vpci_get(f, VIRTIO_PCI_COMMON_Q_MSIX), 2);
}

static void vectors_that_do_not_exist_read_back_as_none(void **state)
{
	struct fake_vpci *f = *state;
	static const unsigned int reg[] = {VIRTIO_PCI_COMMON_MSIX,
					   VIRTIO_PCI_COMMON_Q_MSIX};

	for (size_t i = 0; i < ARRAY_SIZE(reg); i++)
		for (unsigned int v = 0; v <= 0xffff; v++) {
			fake_vpci_set(f, reg[i], v);
			assert_int_equal(fake_vpci_get(f, reg[i]),
					 v < FAKE_VPCI_VECTORS ? v : NO_VECTOR);
		}
}

int main(void)
{
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_driver_finds_what_it_looks_for, setup),
		CASE(a_device_without_configuration_has_no_such_capability,
		     setup_no_config),
		CASE(a_place_that_is_taken_is_an_error, setup),
		CASE(too_few_descriptors_are_the_hosts_error, setup),
		CASE(the_transport_adds_its_features, setup),
		CASE(a_device_that_cannot_reset_queues_does_not_offer_it,
		     setup_least),
		CASE(features_ok_sticks_only_with_the_right_ones, setup),
		CASE(feature_words_that_do_not_exist_are_no_features, setup),
		CASE(features_are_frozen_once_agreed, setup),
		CASE(status_bits_are_only_added, setup),
		CASE(activation_comes_once_with_a_kick_for_every_queue, setup),
		CASE(a_kick_before_activation_is_made_up_for, setup),
		CASE(a_kick_of_a_queue_that_is_not_there_is_dropped, setup),
		CASE(registers_have_their_first_values, setup),
		CASE(only_a_fields_own_width_reaches_it, setup),
		CASE(the_rest_of_the_bar_is_silent, setup),
		CASE(read_only_registers_stay, setup),
		CASE(queues_that_do_not_exist_have_size_0, setup),
		CASE(sizes_are_powers_of_two_up_to_the_maximum, setup),
		CASE(addresses_are_written_in_halves_or_whole, setup),
		CASE(a_queue_is_enabled_after_features_and_once, setup),
		CASE(vectors_that_do_not_exist_read_back_as_none, setup),
	};

	return cmocka_run_group_tests_name("virtio_pci", tests, NULL, NULL);
}
