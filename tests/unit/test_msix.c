/* tests/unit/test_msix.c - masks, pending bits, and where messages go. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "devices/pci/msix.h"
#include "devices/pci/pci_cfg.h"
#include "tests/fake/fake_irq.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

enum {
	N = 70, /* more than one word of pending bits */
	OFF = 0x800,
	BAR = 1,
	CONTROL = 0x42, /* the capability is the first one */
	ENABLE = 0x8000,
	MASKALL = 0x4000,
};

struct fixture {
	struct pci_cfg cfg;
	struct fake_irq *irq;
	struct msix *m;
	struct bus_dev *dev;
};

static int setup(void **state)
{
	static const struct pci_ids ids = {.vendor = 0x1af4, .device = 0x1041};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	pci_cfg_init(&f->cfg, &ids);
	f->irq = fake_irq_create();
	assert_int_equal(msix_create(&f->cfg, fake_irq_sink(f->irq), N, BAR,
				     OFF, &f->m, NULL),
			 0);
	f->dev = msix_dev(f->m);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	msix_destroy(f->m);
	/* asserts that nothing is bound any more */
	fake_irq_destroy(f->irq);
	free(f);
	return 0;
}

static void write_control(struct fixture *f, uint16_t val)
{
	pci_cfg_write(&f->cfg, CONTROL, 2, val);
	msix_cfg_written(f->m, CONTROL, 2);
}

static uint64_t rd(struct fixture *f, uint64_t off, unsigned int width)
{
	return f->dev->ops->read(f->dev, off, width);
}

static void wr(struct fixture *f, uint64_t off, unsigned int width,
	       uint64_t val)
{
	f->dev->ops->write(f->dev, off, width, val);
}

/* Offset of a table entry; of vector N, that of the pending bits. */
static uint64_t entry(unsigned int i)
{
	return (uint64_t)i * 16;
}

/* As a driver does: program the masked entry, then unmask it. */
static void program(struct fixture *f, unsigned int i, uint32_t data)
{
	wr(f, entry(i) + 12, 4, 1);
	wr(f, entry(i), 4, 0xfee00000);
	wr(f, entry(i) + 4, 4, 0);
	wr(f, entry(i) + 8, 4, data);
	wr(f, entry(i) + 12, 4, 0);
}

static uint64_t pending(struct fixture *f, unsigned int word)
{
	return rd(f, entry(N) + (uint64_t)word * 8, 8);
}

static void assert_sent(struct fixture *f, size_t n, uint32_t last_data)
{
	struct msi_msg msg;

	assert_int_equal(fake_irq_n_sent(f->irq), n);
	if (!n)
		return;
	msg = fake_irq_sent(f->irq, n - 1);
	assert_int_equal(msg.address, 0xfee00000);
	assert_int_equal(msg.data, last_data);
}

static void the_capability_says_where_the_table_is(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pci_cfg_read(&f->cfg, PCI_CAPABILITY_LIST, 1), 0x40);
	assert_int_equal(pci_cfg_read(&f->cfg, 0x40, 2), PCI_CAP_ID_MSIX);
	assert_int_equal(pci_cfg_read(&f->cfg, CONTROL, 2), N - 1);
	assert_int_equal(pci_cfg_read(&f->cfg, 0x44, 4), OFF | BAR);
	assert_int_equal(pci_cfg_read(&f->cfg, 0x48, 4), (OFF + N * 16) | BAR);
	/* only enable and function mask are writable */
	pci_cfg_write(&f->cfg, 0x40, 8, UINT64_MAX);
	pci_cfg_write(&f->cfg, 0x48, 4, UINT32_MAX);
	assert_int_equal(pci_cfg_read(&f->cfg, CONTROL, 2),
			 ENABLE | MASKALL | (N - 1));
	assert_int_equal(pci_cfg_read(&f->cfg, 0x44, 4), OFF | BAR);
	assert_int_equal(pci_cfg_read(&f->cfg, 0x48, 4), (OFF + N * 16) | BAR);
}

static void the_block_is_table_and_pending_bits(void **state)
{
	(void)state;
	assert_int_equal(msix_block_len(1), 16 + 8);
	assert_int_equal(msix_block_len(64), 64 * 16 + 8);
	assert_int_equal(msix_block_len(65), entry(65) + 16);
	assert_int_equal(msix_block_len(MSIX_MAX_VECTORS), 256 * 16 + 32);
}

static void vectors_are_masked_after_reset(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < N; i++) {
		assert_int_equal(rd(f, entry(i), 8), 0);
		assert_int_equal(rd(f, entry(i) + 8, 8), UINT64_C(1) << 32);
	}
	write_control(f, ENABLE);
	assert_int_equal(fake_irq_n_bound(f->irq), 0);
}

static void an_unmasked_vector_sends_its_message(void **state)
{
	struct fixture *f = *state;

	write_control(f, ENABLE);
	program(f, 3, 0x4041);
	assert_int_equal(fake_irq_n_bound(f->irq), 1);
	assert_int_equal(msix_notify(f->m, 3), 0);
	assert_sent(f, 1, 0x4041);
	assert_int_equal(msix_notify(f->m, 3), 0);
	assert_sent(f, 2, 0x4041);
	assert_int_equal(pending(f, 0), 0);
}

static void the_eventfd_of_a_vector_sends_it_too(void **state)
{
	struct fixture *f = *state;
	uint64_t one = 1;
	int fd = msix_eventfd(f->m, 69);

	write_control(f, ENABLE);
	program(f, 69, 0x77);
	assert_int_equal(write(fd, &one, 8), 8);
	assert_sent(f, 1, 0x77);
	/* masked, it is pending and comes later */
	wr(f, entry(69) + 12, 4, 1);
	assert_int_equal(write(fd, &one, 8), 8);
	assert_sent(f, 1, 0x77);
	assert_int_equal(pending(f, 1), BIT64(69 - 64));
	wr(f, entry(69) + 12, 4, 0);
	assert_sent(f, 2, 0x77);
	assert_int_equal(pending(f, 1), 0);
}

static void there_is_no_vector_above_the_last(void **state)
{
	struct fixture *f = *state;

	write_control(f, ENABLE);
	assert_int_equal(msix_notify(f->m, N), -EINVAL);
	assert_int_equal(msix_notify(f->m, 0xffff), -EINVAL);
	assert_int_equal(msix_eventfd(f->m, N), -EINVAL);
	assert_int_equal(msix_notify(f->m, N - 1), 0);
}

static void while_disabled_nothing_is_sent_or_kept(void **state)
{
	struct fixture *f = *state;
	uint64_t one = 1;

	program(f, 0, 0x41);
	assert_int_equal(msix_notify(f->m, 0), -ENXIO);
	assert_int_equal(write(msix_eventfd(f->m, 0), &one, 8), 8);
	assert_int_equal(pending(f, 0), 0);
	write_control(f, ENABLE);
	assert_sent(f, 0, 0);
	assert_int_equal(msix_notify(f->m, 0), 0);
	assert_sent(f, 1, 0x41);
	write_control(f, 0);
	assert_int_equal(fake_irq_n_bound(f->irq), 0);
	assert_int_equal(msix_notify(f->m, 0), -ENXIO);
}

static void a_masked_vector_is_pending_and_sent_once(void **state)
{
	struct fixture *f = *state;

	write_control(f, ENABLE);
	program(f, 1, 0x55);
	program(f, 2, 0x66);
	wr(f, entry(1) + 12, 4, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(msix_notify(f->m, 1), 0);
	assert_sent(f, 0, 0);
	assert_int_equal(pending(f, 0), BIT64(1));
	/* its neighbour is not concerned */
	assert_int_equal(msix_notify(f->m, 2), 0);
	assert_sent(f, 1, 0x66);
	wr(f, entry(1) + 12, 4, 0);
	assert_sent(f, 2, 0x55);
	assert_int_equal(pending(f, 0), 0);
}

static void the_function_mask_covers_all_vectors(void **state)
{
	struct fixture *f = *state;

	write_control(f, ENABLE | MASKALL);
	program(f, 0, 0x10);
	program(f, 65, 0x20);
	wr(f, entry(65) + 12, 4, 1); /* masked by itself as well */
	assert_int_equal(fake_irq_n_bound(f->irq), 0);
	assert_int_equal(msix_notify(f->m, 0), 0);
	assert_int_equal(msix_notify(f->m, 65), 0);
	assert_int_equal(pending(f, 0), 1);
	assert_int_equal(pending(f, 1), 2);
	write_control(f, ENABLE);
	assert_sent(f, 1, 0x10);
	assert_int_equal(pending(f, 1), 2);
	write_control(f, ENABLE | MASKALL);
	assert_int_equal(fake_irq_n_bound(f->irq), 0);
}

static void a_new_message_takes_the_place_of_the_old(void **state)
{
	struct fixture *f = *state;
	size_t changes;

	write_control(f, ENABLE);
	program(f, 0, 0x10);
	/* as an affinity change does */
	program(f, 0, 0x11);
	assert_int_equal(msix_notify(f->m, 0), 0);
	assert_sent(f, 1, 0x11);
	/* and without masking */
	wr(f, 8, 4, 0x12);
	assert_int_equal(msix_notify(f->m, 0), 0);
	assert_sent(f, 2, 0x12);
	/* the same again costs nothing */
	changes = fake_irq_n_changes(f->irq);
	wr(f, 8, 4, 0x12);
	wr(f, 12, 4, 0);
	write_control(f, ENABLE);
	assert_int_equal(fake_irq_n_changes(f->irq), changes);
	assert_int_equal(fake_irq_n_bound(f->irq), 1);
}

static void qwords_are_two_dwords(void **state)
{
	struct fixture *f = *state;

	write_control(f, ENABLE);
	wr(f, 16, 8, 0xfee01003);
	wr(f, 24, 8, 0x99);
	assert_int_equal(rd(f, 16, 8), 0xfee01000);
	assert_int_equal(rd(f, 24, 8), 0x99);
	assert_int_equal(fake_irq_n_bound(f->irq), 1);
	/* reserved bits of vector control stay 0 */
	wr(f, 24, 8, UINT64_MAX);
	assert_int_equal(rd(f, 24, 8), UINT64_C(0x1ffffffff));
	/* 64-bit addresses go through as they are */
	wr(f, 16, 8, UINT64_C(0x123456789abcdef0));
	wr(f, 28, 4, 0);
	assert_int_equal(msix_notify(f->m, 1), 0);
	assert_int_equal(fake_irq_n_sent(f->irq), 1);
	assert_true(fake_irq_sent(f->irq, 0).address ==
		    UINT64_C(0x123456789abcdef0));
}

static void other_writes_are_dropped(void **state)
{
	static const struct {
		uint64_t off;
		unsigned int width;
	} bad[] = {
		{0, 1},	 {0, 2},  {12, 1}, {12, 2}, {2, 4}, {4, 8},
		{12, 8}, {13, 3}, {10, 6}, {9, 7},  {8, 5}, {N * 16 - 4, 8},
	};
	struct fixture *f = *state;

	write_control(f, ENABLE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		wr(f, bad[i].off, bad[i].width, 0);
	for (unsigned int i = 0; i < N; i++)
		assert_int_equal(rd(f, entry(i) + 8, 8), UINT64_C(1) << 32);
	/* pending bits are read-only */
	assert_int_equal(msix_notify(f->m, 0), 0);
	wr(f, entry(N), 8, 0);
	wr(f, entry(N), 4, UINT32_MAX);
	wr(f, entry(N) + 8, 8, UINT64_MAX);
	assert_int_equal(pending(f, 0), 1);
	assert_int_equal(pending(f, 1), 0);
}

static void reads_of_any_width_and_place_agree(void **state)
{
	struct fixture *f = *state;
	uint32_t len = msix_block_len(N);
	uint8_t bytes[2048] = {0};

	assert_true(len <= sizeof(bytes));
	write_control(f, ENABLE);
	program(f, 0, 0x01020304);
	program(f, 64, 0x05060708);
	for (unsigned int i = 0; i < N; i += 3)
		assert_int_equal(msix_notify(f->m, i), 0);
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)rd(f, i, 1);
	assert_int_equal(bytes[8], 0x04);
	assert_int_equal(bytes[entry(N)], 0x48); /* 3 and 6; 0 was sent */
	for (uint32_t i = 0; i < len; i++)
		for (unsigned int w = 1; w <= 8 && i + w <= len; w++) {
			uint64_t want = 0;

			for (unsigned int j = 0; j < w; j++)
				want |= (uint64_t)bytes[i + j] << (8 * j);
			assert_true(rd(f, i, w) == want);
		}
}

static void without_routes_messages_are_sent_one_by_one(void **state)
{
	struct fixture *f = *state;

	fake_irq_limit_bindings(f->irq, 1);
	write_control(f, ENABLE);
	program(f, 0, 0x10);
	program(f, 1, 0x20);
	assert_int_equal(fake_irq_n_bound(f->irq), 1);
	assert_int_equal(msix_notify(f->m, 1), 0);
	assert_sent(f, 1, 0x20);
	/* pending works as for the others */
	wr(f, 16 + 12, 4, 1);
	assert_int_equal(msix_notify(f->m, 1), 0);
	assert_int_equal(pending(f, 0), 2);
	wr(f, 16 + 12, 4, 0);
	assert_sent(f, 2, 0x20);
	assert_int_equal(pending(f, 0), 0);
	fake_irq_fail(f->irq, -EIO);
	assert_int_equal(msix_notify(f->m, 1), -EIO);
}

static void a_binding_that_cannot_change_is_given_up(void **state)
{
	struct fixture *f = *state;

	write_control(f, ENABLE);
	program(f, 0, 0x10);
	fake_irq_fail(f->irq, -EIO);
	wr(f, 8, 4, 0x11);
	assert_int_equal(fake_irq_n_bound(f->irq), 0);
	fake_irq_fail(f->irq, 0);
	assert_int_equal(msix_notify(f->m, 0), 0);
	assert_sent(f, 1, 0x11);
}

static void other_configuration_writes_are_not_its_business(void **state)
{
	struct fixture *f = *state;

	pci_cfg_write(&f->cfg, CONTROL, 2, ENABLE);
	msix_cfg_written(f->m, 0x3f, 1);
	msix_cfg_written(f->m, 0x4c, 4);
	assert_int_equal(msix_notify(f->m, 0), -ENXIO);
	msix_cfg_written(f->m, CONTROL + 1, 1);
	assert_int_equal(msix_notify(f->m, 0), 0);
}

static void no_room_for_the_capability_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct msix *m = NULL;
	struct err e = {0};

	while (pci_cfg_add_cap(&f->cfg, PCI_CAP_ID_VENDOR, 4) > 0)
		;
	assert_int_equal(
		msix_create(&f->cfg, fake_irq_sink(f->irq), 1, 0, 0, &m, &e),
		-ENOSPC);
	assert_non_null(strstr(e.msg, "no room for MSI-X"));
	assert_null(m);
}

static void too_many_open_files_are_an_error(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, low;
	struct msix *m = NULL;
	struct err e = {0};
	int r;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = N; /* the fixture has opened as many */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	r = msix_create(&f->cfg, fake_irq_sink(f->irq), N, 0, 0, &m, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.msg, "ulimit -n"));
}

struct race {
	struct fixture *f;
	atomic_bool done;
	bool lost;
};

/* Every notification must arrive before the next is made. */
static void *notifier(void *arg)
{
	struct race *r = arg;

	for (int i = 0; i < 2000 && !r->lost; i++) {
		size_t before = fake_irq_n_sent(r->f->irq);
		long tries = 0;

		msix_notify(r->f->m, 5);
		while (fake_irq_n_sent(r->f->irq) == before && !r->lost) {
			sched_yield();
			r->lost = ++tries > 1000000;
		}
	}
	atomic_store(&r->done, true);
	return NULL;
}

static void no_interrupt_is_lost_while_the_guest_masks(void **state)
{
	struct race r = {.f = *state};
	pthread_t t;

	write_control(r.f, ENABLE);
	program(r.f, 5, 0x99);
	assert_int_equal(pthread_create(&t, NULL, notifier, &r), 0);
	while (!atomic_load(&r.done)) {
		wr(r.f, entry(5) + 12, 4, 1);
		wr(r.f, entry(5) + 12, 4, 0);
		write_control(r.f, ENABLE | MASKALL);
		write_control(r.f, ENABLE);
	}
	pthread_join(t, NULL);
	assert_false(r.lost);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_capability_says_where_the_table_is),
		cmocka_unit_test(the_block_is_table_and_pending_bits),
		CASE(vectors_are_masked_after_reset),
		CASE(an_unmasked_vector_sends_its_message),
		CASE(the_eventfd_of_a_vector_sends_it_too),
		CASE(there_is_no_vector_above_the_last),
		CASE(while_disabled_nothing_is_sent_or_kept),
		CASE(a_masked_vector_is_pending_and_sent_once),
		CASE(the_function_mask_covers_all_vectors),
		CASE(a_new_message_takes_the_place_of_the_old),
		CASE(qwords_are_two_dwords),
		CASE(other_writes_are_dropped),
		CASE(reads_of_any_width_and_place_agree),
		CASE(without_routes_messages_are_sent_one_by_one),
		CASE(a_binding_that_cannot_change_is_given_up),
		CASE(other_configuration_writes_are_not_its_business),
		CASE(no_room_for_the_capability_is_an_error),
		CASE(too_many_open_files_are_an_error),
		CASE(no_interrupt_is_lost_while_the_guest_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
