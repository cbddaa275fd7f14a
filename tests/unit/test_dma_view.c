/* tests/unit/test_dma_view.c - which pages a device may touch. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"

/*
 * RAM 0..4 MiB and 4 GiB..4 GiB + 1 MiB in two regions each adjacent to the
 * next, ROM at 8 MiB.
 */
struct fixture {
	struct guest_mem *mem;
	struct dma_view *v;
};

enum { LOW = 4 << 20, ROM = 8 << 20 };

static int build(void **state, enum dma_view_mode mode,
		 enum dma_view_unreported unreported)
{
	static const struct guest_mem_opts o = {.backing = GUEST_MEM_ANON};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(guest_mem_create(&o, &f->mem, NULL), 0);
	assert_int_equal(guest_mem_add_ram(f->mem, 0, LOW, NULL), 0);
	assert_int_equal(guest_mem_add_ram(f->mem, GIB(4), MIB(1) / 2, NULL),
			 0);
	assert_int_equal(guest_mem_add_ram(f->mem, GIB(4) + MIB(1) / 2,
					   MIB(1) / 2, NULL),
			 0);
	assert_int_equal(guest_mem_add_rom(f->mem, ROM, 4096, NULL), 0);
	assert_int_equal(dma_view_create(f->mem, mode, unreported, &f->v, NULL),
			 0);
	*state = f;
	return 0;
}

static int setup_all(void **state)
{
	return build(state, DMA_VIEW_ALL, DMA_UNREPORTED_ALLOW);
}

static int setup_shared(void **state)
{
	return build(state, DMA_VIEW_SHARED, DMA_UNREPORTED_ALLOW);
}

static int setup_strict(void **state)
{
	return build(state, DMA_VIEW_SHARED, DMA_UNREPORTED_REFUSE);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dma_view_destroy(f->v);
	guest_mem_destroy(f->mem);
	free(f);
	return 0;
}

static struct dma_view_counters counters(struct fixture *f)
{
	struct dma_view_counters c;

	dma_view_counters(f->v, &c);
	return c;
}

/* Can the device read, write and map there? All must agree. */
static bool reachable(struct fixture *f, gpa_t gpa, size_t len)
{
	uint8_t buf[8192];
	struct iovec iov[4];
	size_t n = 0;
	int r;

	assert_true(len <= sizeof(buf));
	r = dma_view_read(f->v, gpa, buf, len);
	assert_true(!r || r == -EFAULT);
	assert_int_equal(dma_view_write(f->v, gpa, buf, len), r);
	assert_int_equal(dma_view_map(f->v, gpa, len, true, iov, 4, &n), r);
	assert_int_equal(n > 0, !r);
	return !r;
}

static void a_plain_guest_shows_all_of_its_ram(void **state)
{
	struct fixture *f = *state;

	assert_true(reachable(f, 0, 4096));
	assert_true(reachable(f, LOW - 1, 1));
	assert_true(reachable(f, GIB(4) + MIB(1) / 2 - 7, 14));
	assert_int_equal(counters(f).shared_bytes, MIB(5));
	assert_int_equal(counters(f).private_bytes, 0);
	assert_int_equal(counters(f).refused, 0);
	/* a report changes nothing */
	assert_int_equal(dma_view_report(f->v, 0, LOW, true), 0);
	assert_true(reachable(f, 0, 4096));
	assert_int_equal(counters(f).reports, 1);
	assert_true(counters(f).reported);
	assert_int_equal(counters(f).shared_bytes, MIB(5));
}

static void what_is_not_ram_is_refused_and_counted(void **state)
{
	static const struct {
		gpa_t gpa;
		size_t len;
	} bad[] = {
		{LOW, 1},	 {LOW - 1, 2},	  {GIB(4) + MIB(1), 1},
		{UINT64_MAX, 1}, {UINT64_MAX, 2}, {UINT64_MAX - 7, 8},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(reachable(f, bad[i].gpa, bad[i].len));
		assert_int_equal(counters(f).refused, 3 * (i + 1));
	}
}

static void rom_is_read_but_not_written(void **state)
{
	struct fixture *f = *state;
	struct iovec iov[2];
	uint8_t buf[4];
	uint16_t v;
	size_t n = 0;

	assert_int_equal(dma_view_read(f->v, ROM, buf, 4), 0);
	assert_int_equal(dma_view_map(f->v, ROM, 4, false, iov, 2, &n), 0);
	assert_int_equal(dma_view_load_le16_acquire(f->v, ROM, &v), 0);
	assert_int_equal(dma_view_write(f->v, ROM, buf, 4), -EFAULT);
	assert_int_equal(dma_view_map(f->v, ROM, 4, true, iov, 2, &n), -EFAULT);
	assert_int_equal(dma_view_store_le16_release(f->v, ROM, 1), -EFAULT);
	assert_int_equal(n, 1);
	assert_int_equal(counters(f).refused, 3);
}

static void a_copy_above_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;
	size_t len = GUEST_MEM_COPY_MAX + 1;
	AUTO(freep) uint8_t *buf = calloc(1, len);

	assert_non_null(buf);
	assert_int_equal(dma_view_read(f->v, 0, buf, len), -E2BIG);
	assert_int_equal(dma_view_write(f->v, 0, buf, len), -E2BIG);
	assert_int_equal(dma_view_read(f->v, 0, buf, len - 1), 0);
	assert_int_equal(counters(f).refused, 0);
}

static void ring_indices_are_little_endian_and_aligned(void **state)
{
	struct fixture *f = *state;
	uint8_t b[2];
	uint16_t v = 0;

	assert_int_equal(dma_view_store_le16_release(f->v, LOW - 2, 0x1234), 0);
	assert_int_equal(dma_view_read(f->v, LOW - 2, b, 2), 0);
	assert_int_equal(b[0], 0x34);
	assert_int_equal(b[1], 0x12);
	assert_int_equal(dma_view_load_le16_acquire(f->v, LOW - 2, &v), 0);
	assert_int_equal(v, 0x1234);
	assert_int_equal(dma_view_load_le16_acquire(f->v, 1, &v), -EFAULT);
	assert_int_equal(dma_view_store_le16_release(f->v, 1, 0), -EFAULT);
	assert_int_equal(dma_view_load_le16_acquire(f->v, LOW, &v), -EFAULT);
	assert_int_equal(counters(f).refused, 3);
	assert_int_equal(v, 0x1234);
}

static void all_of_ram_is_reachable_until_a_report_comes(void **state)
{
	struct fixture *f = *state;

	assert_true(reachable(f, 0, 8192));
	assert_false(counters(f).reported);
	assert_int_equal(counters(f).shared_bytes, MIB(5));
	/* with the first report, what it does not name is private, too */
	assert_int_equal(dma_view_report(f->v, 0, 4096, true), 0);
	assert_false(reachable(f, 0, 1));
	assert_false(reachable(f, MIB(1), 1));
	assert_false(reachable(f, GIB(4), 1));
	assert_true(counters(f).reported);
	assert_int_equal(counters(f).shared_bytes, 0);
	assert_int_equal(counters(f).private_bytes, MIB(5));
}

static void strict_refuses_all_until_a_page_is_shared(void **state)
{
	struct fixture *f = *state;

	assert_false(reachable(f, 0, 1));
	assert_int_equal(counters(f).shared_bytes, 0);
	assert_int_equal(dma_view_report(f->v, 4096, 4096, false), 0);
	assert_true(reachable(f, 4096, 4096));
	assert_false(reachable(f, 0, 1));
}

static void only_shared_pages_are_reachable(void **state)
{
	struct fixture *f = *state;
	uint16_t v;

	assert_int_equal(dma_view_report(f->v, 0, LOW, true), 0);
	assert_int_equal(dma_view_report(f->v, 0x3000, 0x2000, false), 0);
	assert_true(reachable(f, 0x3000, 0x2000));
	assert_true(reachable(f, 0x4fff, 1));
	assert_false(reachable(f, 0x2fff, 1));
	assert_false(reachable(f, 0x2fff, 2));
	assert_false(reachable(f, 0x4fff, 2));
	assert_false(reachable(f, 0x5000, 1));
	assert_int_equal(dma_view_load_le16_acquire(f->v, 0x4ffe, &v), 0);
	assert_int_equal(dma_view_load_le16_acquire(f->v, 0x5000, &v), -EFAULT);
	assert_int_equal(dma_view_store_le16_release(f->v, 0x2ffe, 0), -EFAULT);
	assert_int_equal(counters(f).shared_bytes, 0x2000);
	/* back to private, and sharing twice counts once */
	assert_int_equal(dma_view_report(f->v, 0x3000, 0x1000, true), 0);
	assert_int_equal(dma_view_report(f->v, 0x4000, 0x1000, false), 0);
	assert_false(reachable(f, 0x3000, 1));
	assert_true(reachable(f, 0x4000, 1));
	assert_int_equal(counters(f).shared_bytes, 0x1000);
	assert_int_equal(counters(f).private_bytes, MIB(5) - 0x1000);
}

static void a_refused_access_touches_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = guest_mem_ptr(f->mem, 0, 8192);
	uint8_t buf[2] = {1, 2};

	assert_int_equal(dma_view_report(f->v, 0, 4096, false), 0);
	assert_int_equal(dma_view_write(f->v, 4095, buf, 2), -EFAULT);
	assert_int_equal(p[4095], 0);
	p[4095] = 9;
	assert_int_equal(dma_view_read(f->v, 4095, buf, 2), -EFAULT);
	assert_int_equal(buf[0], 1);
}

/* Every start and length around the 64 pages that share a word. */
static void ranges_of_all_shapes_agree_with_a_plain_list(void **state)
{
	struct fixture *f = *state;
	bool shared[200] = {false};
	unsigned int seed = 1;

	assert_int_equal(dma_view_report(f->v, 0, LOW, true), 0);
	for (int i = 0; i < 2000; i++) {
		size_t start = (size_t)rand_r(&seed) % 200;
		size_t n = 1 + (size_t)rand_r(&seed) % (200 - start);
		bool priv = rand_r(&seed) % 2, want = true;
		struct iovec iov[1];
		size_t n_iov = 0, count = 0;

		assert_int_equal(
			dma_view_report(f->v, start * 4096, n * 4096, priv), 0);
		for (size_t p = start; p < start + n; p++)
			shared[p] = !priv;
		for (size_t p = 0; p < 200; p++)
			count += shared[p];
		assert_int_equal(counters(f).shared_bytes, count * 4096);
		start = (size_t)rand_r(&seed) % 200;
		n = 1 + (size_t)rand_r(&seed) % (200 - start);
		for (size_t p = start; p < start + n; p++)
			want = want && shared[p];
		assert_int_equal(dma_view_map(f->v, start * 4096, n * 4096,
					      true, iov, 1, &n_iov) == 0,
				 want);
	}
}

static void a_report_crosses_adjacent_regions(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		dma_view_report(f->v, GIB(4) + MIB(1) / 2 - 4096, 8192, false),
		0);
	assert_true(reachable(f, GIB(4) + MIB(1) / 2 - 4096, 8192));
	assert_false(reachable(f, GIB(4) + MIB(1) / 2 - 4097, 8192));
	assert_false(reachable(f, GIB(4) + MIB(1) / 2 + 1, 4096));
	assert_int_equal(counters(f).shared_bytes, 8192);
}

static void a_wrong_report_changes_nothing(void **state)
{
	static const struct {
		gpa_t gpa;
		uint64_t len;
	} bad[] = {
		{0, 0},
		{1, 4096},
		{0, 4095},
		{LOW - 4096, 8192},
		{LOW, 4096},
		{ROM, 4096},
		{0, UINT64_MAX - 4095},
		{4096, UINT64_MAX - 4095},
		{UINT64_MAX - 4095, 4096},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(
			dma_view_report(f->v, bad[i].gpa, bad[i].len, false),
			-EINVAL);
	assert_false(counters(f).reported);
	assert_int_equal(counters(f).reports, 0);
	assert_int_equal(counters(f).shared_bytes, 0);
	assert_false(reachable(f, LOW - 4096, 1));
}

static void a_reset_forgets_the_reports(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(dma_view_report(f->v, 0, 8192, false), 0);
	assert_false(reachable(f, 8192, 1));
	dma_view_reset(f->v);
	assert_false(counters(f).reported);
	assert_int_equal(counters(f).refused, 3);
	assert_int_equal(counters(f).reports, 1);
	assert_true(reachable(f, 8192, 1));
	/* and page 0 is not shared any more once the guest reports again */
	assert_int_equal(dma_view_report(f->v, 8192, 4096, false), 0);
	assert_false(reachable(f, 0, 1));
	assert_int_equal(counters(f).shared_bytes, 4096);
}

static void a_map_merges_what_is_adjacent(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = guest_mem_ptr(f->mem, 0, LOW);
	struct iovec iov[3];
	size_t n = 0;

	assert_int_equal(dma_view_map(f->v, 0x1000, 16, true, iov, 3, &n), 0);
	assert_int_equal(dma_view_map(f->v, 0x1010, 16, true, iov, 3, &n), 0);
	assert_int_equal(dma_view_map(f->v, 0x3000, 16, true, iov, 3, &n), 0);
	assert_int_equal(dma_view_map(f->v, 0x4000, 0, true, iov, 3, &n), 0);
	assert_int_equal(n, 2);
	assert_ptr_equal(iov[0].iov_base, p + 0x1000);
	assert_int_equal(iov[0].iov_len, 32);
	assert_ptr_equal(iov[1].iov_base, p + 0x3000);
	assert_int_equal(iov[1].iov_len, 16);
}

static void a_map_that_does_not_fit_leaves_the_list_alone(void **state)
{
	gpa_t seam = GIB(4) + MIB(1) / 2;
	struct fixture *f = *state;
	struct iovec iov[2];
	size_t n = 0;

	/* first entry grows, second is added, third would be too many */
	assert_int_equal(
		dma_view_map(f->v, seam - 0x2000, 0x1000, true, iov, 2, &n), 0);
	assert_int_equal(
		dma_view_map(f->v, seam - 0x1000, 0x2000, true, iov, 1, &n),
		-E2BIG);
	assert_int_equal(n, 1);
	assert_int_equal(iov[0].iov_len, 0x1000);
	assert_int_equal(
		dma_view_map(f->v, seam - 0x1000, MIB(1), true, iov, 2, &n),
		-EFAULT);
	assert_int_equal(n, 1);
	assert_int_equal(iov[0].iov_len, 0x1000);
	assert_int_equal(
		dma_view_map(f->v, seam - 0x1000, 0x2000, true, iov, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(iov[0].iov_len, 0x2000);
	assert_int_equal(dma_view_map(f->v, 0, 1, true, iov, 2, &n), -E2BIG);
	assert_int_equal(counters(f).refused, 1);
}

struct race {
	struct fixture *f;
	atomic_bool stop;
};

static void *toggler(void *arg)
{
	struct race *r = arg;

	for (bool priv = true; !atomic_load(&r->stop); priv = !priv)
		dma_view_report(r->f->v, 0x10000, 0x40000, priv);
	return NULL;
}

static void reports_and_accesses_run_side_by_side(void **state)
{
	struct race r = {.f = *state};
	uint64_t ok = 0, refused = 0;
	pthread_t t;
	uint16_t v;

	assert_int_equal(dma_view_report(r.f->v, 0x1000, 0x1000, false), 0);
	assert_int_equal(pthread_create(&t, NULL, toggler, &r), 0);
	for (int i = 0; i < 20000; i++) {
		int ret = dma_view_load_le16_acquire(r.f->v, 0x20000, &v);

		assert_true(!ret || ret == -EFAULT);
		ok += !ret;
		refused += ret != 0;
		/* the neighbours of what changes never change */
		assert_int_equal(dma_view_load_le16_acquire(r.f->v, 0x1000, &v),
				 0);
	}
	atomic_store(&r.stop, true);
	pthread_join(t, NULL);
	assert_int_equal(counters(r.f).refused, refused);
	assert_int_equal(ok + refused, 20000);
}

#define CASE(how, f) cmocka_unit_test_setup_teardown(f, how, teardown)

static void the_number_of_revocations_changes_when_pages_go(void **state)
{
	struct fixture *f = *state;
	uint64_t n = dma_view_revocations(f->v), m;

	/* all RAM was reachable before the first report */
	assert_int_equal(dma_view_report(f->v, 0, 4096, false), 0);
	m = dma_view_revocations(f->v);
	assert_int_not_equal(m, n);
	assert_int_equal(dma_view_report(f->v, 4096, 4096, false), 0);
	assert_int_equal(dma_view_revocations(f->v), m);
	assert_int_equal(dma_view_report(f->v, 1, 4096, true), -EINVAL);
	assert_int_equal(dma_view_revocations(f->v), m);
	assert_int_equal(dma_view_report(f->v, 4096, 4096, true), 0);
	n = dma_view_revocations(f->v);
	assert_int_not_equal(n, m);
	dma_view_reset(f->v);
	assert_int_not_equal(dma_view_revocations(f->v), n);
}

static void a_plain_guest_revokes_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t n = dma_view_revocations(f->v);

	assert_int_equal(dma_view_report(f->v, 0, 4096, true), 0);
	dma_view_reset(f->v);
	assert_int_equal(dma_view_revocations(f->v), n);
}

static void the_span_of_a_plain_guest_is_the_region(void **state)
{
	struct fixture *f = *state;
	struct dma_span s;
	struct iovec iov[1];
	size_t n = 0;

	dma_view_span(f->v, GIB(4) + MIB(1) - 1, &s);
	assert_true(s.gpa == GIB(4) + MIB(1) / 2);
	assert_int_equal(s.len, MIB(1) / 2);
	assert_int_equal(dma_view_map(f->v, s.gpa, s.len, true, iov, 1, &n), 0);
	assert_ptr_equal(s.host, iov[0].iov_base);
	assert_ptr_equal(dma_span_at(&s, s.gpa, s.len), s.host);
	assert_ptr_equal(dma_span_at(&s, s.gpa + s.len - 1, 1),
			 s.host + s.len - 1);
	assert_null(dma_span_at(&s, s.gpa - 1, 2));
	assert_null(dma_span_at(&s, s.gpa, s.len + 1));
	assert_null(dma_span_at(&s, s.gpa + s.len, 1));
	assert_null(dma_span_at(&s, s.gpa + 1, UINT64_MAX));
	assert_null(dma_span_at(&s, UINT64_MAX, 1));
}

static void there_is_no_span_without_ram(void **state)
{
	struct fixture *f = *state;
	struct dma_span s;

	dma_view_span(f->v, ROM, &s);
	assert_null(dma_span_at(&s, ROM, 1));
	dma_view_span(f->v, LOW, &s);
	assert_null(dma_span_at(&s, LOW, 1));
	dma_view_span(f->v, UINT64_MAX, &s);
	assert_null(dma_span_at(&s, UINT64_MAX, 1));
	assert_int_equal(counters(f).refused, 0);
}

static void there_is_no_span_where_pages_are_shared(void **state)
{
	struct fixture *f = *state;
	struct dma_span s;

	dma_view_span(f->v, 0, &s);
	assert_null(dma_span_at(&s, 0, 1));
	assert_int_equal(dma_view_report(f->v, 0, LOW, false), 0);
	dma_view_span(f->v, 0, &s);
	assert_null(dma_span_at(&s, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(setup_all, a_plain_guest_shows_all_of_its_ram),
		CASE(setup_all, what_is_not_ram_is_refused_and_counted),
		CASE(setup_shared, what_is_not_ram_is_refused_and_counted),
		CASE(setup_strict, what_is_not_ram_is_refused_and_counted),
		CASE(setup_all, rom_is_read_but_not_written),
		CASE(setup_all, the_span_of_a_plain_guest_is_the_region),
		CASE(setup_all, there_is_no_span_without_ram),
		CASE(setup_shared, there_is_no_span_where_pages_are_shared),
		CASE(setup_all, a_copy_above_the_limit_is_refused),
		CASE(setup_all, ring_indices_are_little_endian_and_aligned),
		CASE(setup_shared,
		     all_of_ram_is_reachable_until_a_report_comes),
		CASE(setup_strict, strict_refuses_all_until_a_page_is_shared),
		CASE(setup_shared, only_shared_pages_are_reachable),
		CASE(setup_shared, a_refused_access_touches_nothing),
		CASE(setup_shared,
		     ranges_of_all_shapes_agree_with_a_plain_list),
		CASE(setup_strict, a_report_crosses_adjacent_regions),
		CASE(setup_strict, a_wrong_report_changes_nothing),
		CASE(setup_shared, a_reset_forgets_the_reports),
		CASE(setup_all, a_map_merges_what_is_adjacent),
		CASE(setup_all, a_map_that_does_not_fit_leaves_the_list_alone),
		CASE(setup_strict, reports_and_accesses_run_side_by_side),
		CASE(setup_shared,
		     the_number_of_revocations_changes_when_pages_go),
		CASE(setup_all, a_plain_guest_revokes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
