/* tests/unit/test_dma_view_window.c - a view whose RAM is mapped for devices
 * page by page. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"

enum {
	PAGE = GUEST_MEM_PAGE,
	PAGES = 200,			    /* in one region */
	MANY = 2 * DMA_VIEW_RUNS_MAX + 100, /* in the other */
};
#define HIGH GIB(4)

struct fixture {
	struct guest_mem *mem;
	struct dma_view *v;
	uint8_t *ram; /* of the first region */
	int pipe[2];
};

static int build(void **state, enum dma_view_unreported unreported)
{
	static const struct guest_mem_opts o = {.backing = GUEST_MEM_MEMFD};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(guest_mem_create(&o, &f->mem, NULL), 0);
	assert_int_equal(guest_mem_add_ram(f->mem, 0, PAGES * PAGE, NULL), 0);
	assert_int_equal(guest_mem_add_ram(f->mem, HIGH, MANY * PAGE, NULL), 0);
	assert_int_equal(dma_view_create(f->mem, DMA_VIEW_SHARED, unreported,
					 &f->v, NULL),
			 0);
	f->ram = guest_mem_ptr(f->mem, 0, PAGES * PAGE);
	assert_int_equal(pipe(f->pipe), 0);
	*state = f;
	return 0;
}

static int setup_allow(void **state)
{
	return build(state, DMA_UNREPORTED_ALLOW);
}

static int setup_strict(void **state)
{
	return build(state, DMA_UNREPORTED_REFUSE);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dma_view_destroy(f->v);
	guest_mem_destroy(f->mem);
	close(f->pipe[0]);
	close(f->pipe[1]);
	free(f);
	return 0;
}

static void share(struct fixture *f, gpa_t gpa, uint64_t pages)
{
	assert_int_equal(dma_view_report(f->v, gpa, pages * PAGE, false), 0);
}

static void take_back(struct fixture *f, gpa_t gpa, uint64_t pages)
{
	assert_int_equal(dma_view_report(f->v, gpa, pages * PAGE, true), 0);
}

/* What a device gets for the address of a page that is shared. */
static uint8_t *device_address(struct fixture *f, gpa_t gpa)
{
	struct iovec iov;
	size_t n = 0;

	assert_int_equal(dma_view_map(f->v, gpa, 1, true, &iov, 1, &n), 0);
	assert_int_equal(n, 1);
	return iov.iov_base;
}

/* Asks the kernel, which says EFAULT where we would get a signal. */
static bool is_mapped(struct fixture *f, const uint8_t *p)
{
	uint8_t byte;

	if (write(f->pipe[1], p, 1) == 1)
		return read(f->pipe[0], &byte, 1) == 1;
	assert_int_equal(errno, EFAULT);
	return false;
}

static void a_page_that_was_never_shared_faults(void **state)
{
	struct fixture *f = *state;
	struct dma_view_counters c;
	uint8_t *p;

	share(f, 3 * PAGE, 1);
	p = device_address(f, 3 * PAGE);
	assert_ptr_not_equal(p, f->ram + 3 * PAGE);
	assert_true(is_mapped(f, p));
	assert_true(is_mapped(f, p + PAGE - 1));
	assert_false(is_mapped(f, p + PAGE));
	assert_false(is_mapped(f, p - 1));
	dma_view_counters(f->v, &c);
	assert_true(c.window);
}

static void a_kept_address_of_a_private_page_leads_nowhere(void **state)
{
	struct fixture *f = *state;
	uint8_t *p;

	share(f, 3 * PAGE, 2);
	p = device_address(f, 3 * PAGE);
	f->ram[3 * PAGE] = 7;
	f->ram[4 * PAGE] = 8;
	assert_int_equal(p[0], 7);
	take_back(f, 3 * PAGE, 1);
	assert_int_equal(p[0], 0);
	p[0] = 9;
	assert_int_equal(f->ram[3 * PAGE], 7);
	assert_int_equal(p[PAGE], 8);
	/* and back: it is the guest's page again */
	share(f, 3 * PAGE, 1);
	assert_int_equal(p[0], 7);
}

/* Before the first report devices have all of RAM. */
static void the_first_report_takes_all_the_rest_away(void **state)
{
	struct fixture *f = *state;
	uint8_t *low = device_address(f, 0), *high = device_address(f, HIGH);

	memset(f->ram, 5, PAGES * PAGE);
	assert_int_equal(low[PAGE], 5);
	high[0] = 6;
	share(f, 2 * PAGE, 1);
	assert_int_equal(low[PAGE], 0);
	assert_int_equal(low[2 * PAGE], 5);
	assert_int_equal(low[3 * PAGE], 0);
	assert_int_equal(high[0], 0);
	dma_view_reset(f->v);
	assert_int_equal(low[PAGE], 5);
	assert_int_equal(high[0], 6);
}

static void copies_and_indices_go_through_the_window(void **state)
{
	struct fixture *f = *state;
	uint8_t out[2 * PAGE];
	uint16_t index = 0;

	share(f, 3 * PAGE, 2);
	memset(out, 0x21, sizeof(out));
	assert_int_equal(dma_view_write(f->v, 3 * PAGE, out, sizeof(out)), 0);
	assert_memory_equal(f->ram + 3 * PAGE, out, sizeof(out));
	f->ram[5 * PAGE - 1] = 0x43;
	assert_int_equal(dma_view_read(f->v, 5 * PAGE - 2, out, 2), 0);
	assert_int_equal(out[0], 0x21);
	assert_int_equal(out[1], 0x43);
	assert_int_equal(dma_view_load_le16_acquire(f->v, 5 * PAGE - 2, &index),
			 0);
	assert_int_equal(index, 0x4321);
	assert_int_equal(dma_view_store_le16_release(f->v, 3 * PAGE, 0x6587),
			 0);
	assert_int_equal(f->ram[3 * PAGE], 0x87);
	assert_int_equal(dma_view_read(f->v, 5 * PAGE - 1, out, 2), -EFAULT);
}

/* After any reports a page is mapped when, and only when, it is shared. */
static void what_is_mapped_agrees_with_a_plain_list(void **state)
{
	struct fixture *f = *state;
	bool shared[PAGES] = {false};
	unsigned int seed = 1;
	uint8_t *base;

	memset(f->ram, 1, PAGES * PAGE);
	share(f, 0, 1);
	base = device_address(f, 0);
	take_back(f, 0, 1);
	for (int i = 0; i < 300; i++) {
		size_t start = (size_t)rand_r(&seed) % PAGES;
		size_t n = 1 + (size_t)rand_r(&seed) % (PAGES - start);
		bool priv = rand_r(&seed) % 2;

		if (n > 70 && i % 4)
			n = 1 + n % 3;
		assert_int_equal(
			dma_view_report(f->v, start * PAGE, n * PAGE, priv), 0);
		memset(shared + start, !priv, n);
		for (size_t p = 0; p < PAGES; p++)
			assert_int_equal(is_mapped(f, base + p * PAGE) &&
						 base[p * PAGE] == 1,
					 shared[p]);
	}
}

/* A guest cannot make us use up the host's mappings. */
static void more_runs_than_the_limit_are_refused(void **state)
{
	struct fixture *f = *state;
	gpa_t at = HIGH;

	for (int i = 0; i < DMA_VIEW_RUNS_MAX; i++, at += 2 * PAGE)
		share(f, at, 1);
	assert_int_equal(dma_view_report(f->v, at, PAGE, false), -ENOSPC);
	/* neither by taking away the middle of one */
	share(f, HIGH + PAGE, 1);
	share(f, at, 1);
	assert_int_equal(dma_view_report(f->v, HIGH + PAGE, PAGE, true),
			 -ENOSPC);
	/* fewer than before is always fine */
	take_back(f, HIGH, 1);
	take_back(f, HIGH + PAGE, 2);
	share(f, at + 2 * PAGE, 1);
	/* and the other region has its own */
	share(f, 0, 1);
	take_back(f, HIGH, MANY);
	share(f, HIGH, MANY);
}

int main(void)
{
#define CASE(setup, fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(setup_strict, a_page_that_was_never_shared_faults),
		CASE(setup_strict,
		     a_kept_address_of_a_private_page_leads_nowhere),
		CASE(setup_allow, the_first_report_takes_all_the_rest_away),
		CASE(setup_strict, copies_and_indices_go_through_the_window),
		CASE(setup_strict, what_is_mapped_agrees_with_a_plain_list),
		CASE(setup_strict, more_runs_than_the_limit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
