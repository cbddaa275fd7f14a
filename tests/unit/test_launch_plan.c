/*
 * tests/unit/test_launch_plan.c - the list and its digest, with and without
 * guest memory.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "crypto/hash256_nettle.h"
#include "crypto/hash256_openssl.h"
#include "crypto/launch_plan.h"
#include "mem/guest_mem.h"
#include "tests/unit/hex.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

struct fixture {
	struct launch_plan *plan;
	struct guest_mem *mem;
	struct hash256 *h;
	int fd; /* FILE_LEN bytes */
	struct err err;
};

/* Longer than a piece, and no multiple of anything. */
enum { FILE_LEN = 2500003, FILE_OFF = 5 };

static uint8_t pattern(uint64_t i)
{
	return (uint8_t)(i * 7 + (i >> 11));
}

static int make_file(void)
{
	uint8_t *p = malloc(FILE_LEN);
	int fd = memfd_create("plan", MFD_CLOEXEC);

	for (uint64_t i = 0; i < FILE_LEN; i++)
		p[i] = pattern(i);
	if (fd >= 0 && write(fd, p, FILE_LEN) != FILE_LEN)
		fd_closep(&fd);
	free(p);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct guest_mem_opts o = {0};

	*state = f;
	f->h = hash256_openssl_create();
	f->fd = make_file();
	if (guest_mem_create(&o, &f->mem, NULL) < 0 ||
	    guest_mem_add_ram(f->mem, 0, MIB(8), NULL) < 0 ||
	    launch_plan_create(&f->plan, NULL) < 0)
		return -1;
	return f->fd >= 0 && f->h ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	launch_plan_destroy(f->plan);
	guest_mem_destroy(f->mem);
	hash256_destroy(f->h);
	fd_closep(&f->fd);
	free(f);
	return 0;
}

static int add(struct fixture *f, gpa_t gpa, uint64_t len, const void *data,
	       uint64_t data_len)
{
	return launch_plan_add(f->plan, "thing", gpa, len, data, data_len,
			       &f->err);
}

static void add_file(struct fixture *f, gpa_t gpa, uint64_t len,
		     uint64_t data_len)
{
	assert_int_equal(launch_plan_add_file(f->plan, "file", gpa, len, f->fd,
					      FILE_OFF, data_len, "a.img",
					      &f->err),
			 0);
}

static void digest_is(struct fixture *f, struct guest_mem *mem, const char *hex)
{
	uint8_t d[SEV_DIGEST_LEN];

	assert_int_equal(launch_plan_digest(f->plan, mem, f->h, d, &f->err), 0);
	assert_hex(d, hex);
}

static void a_page_of_letters_has_the_known_digest(void **state)
{
	struct fixture *f = *state;
	char page[4096];

	memset(page, 'A', sizeof(page));
	assert_int_equal(add(f, 0x1000, 4096, page, 4096), 0);
	memset(page, 0, sizeof(page)); /* it was copied */
	digest_is(f, NULL,
		  "6896d9ea3f73a4434f5832bc65714e7d066f177373f36f34dc8"
		  "a6f735daa41b1");
}

static void the_digest_does_not_depend_on_addresses(void **state)
{
	struct fixture *f = *state;
	char page[4096];

	memset(page, 'A', sizeof(page));
	assert_int_equal(add(f, 0x7000, 2048, page, 2048), 0);
	assert_int_equal(add(f, 0x1000, 2048, page, 2048), 0);
	digest_is(f, NULL,
		  "6896d9ea3f73a4434f5832bc65714e7d066f177373f36f34dc8"
		  "a6f735daa41b1");
}

/* All three shapes of content, and a register page. */
static void fill_plan(struct fixture *f)
{
	uint8_t page[SEV_VMSA_LEN];

	memset(page, 'v', sizeof(page));
	assert_int_equal(add(f, 0, 8192, NULL, 0), 0);
	assert_int_equal(add(f, 0x8000, 4096, "hello", 5), 0);
	add_file(f, MIB(2), MIB(3), FILE_LEN - FILE_OFF);
	assert_int_equal(launch_plan_add_vmsa(f->plan, page, &f->err), 0);
	assert_int_equal(launch_plan_add_vmsa(f->plan, page, &f->err), 0);
}

/* What fill_plan() stands for, hashed by hand. */
static void expected_digest(struct fixture *f, uint8_t *digest)
{
	uint8_t *all = calloc(1, 8192 + 4096 + MIB(3) + 8192);
	uint8_t *p = all + 8192;

	assert_non_null(all);
	strcpy((char *)p, "hello");
	p += 4096;
	for (uint64_t i = FILE_OFF; i < FILE_LEN; i++)
		p[i - FILE_OFF] = pattern(i);
	p += MIB(3);
	memset(p, 'v', 8192);
	p += 8192;
	assert_int_equal(hash256_of(f->h, all, (size_t)(p - all), digest), 0);
	free(all);
}

static void plan_and_loaded_memory_have_the_digest_of_the_content(void **state)
{
	struct fixture *f = *state;
	uint8_t want[SEV_DIGEST_LEN], d[SEV_DIGEST_LEN];

	fill_plan(f);
	expected_digest(f, want);
	assert_int_equal(launch_plan_digest(f->plan, NULL, f->h, d, &f->err),
			 0);
	assert_memory_equal(d, want, sizeof(d));
	assert_int_equal(launch_plan_load(f->plan, f->mem, &f->err), 0);
	memset(d, 0, sizeof(d));
	assert_int_equal(launch_plan_digest(f->plan, f->mem, f->h, d, &f->err),
			 0);
	assert_memory_equal(d, want, sizeof(d));
	assert_int_equal(launch_plan_bytes(f->plan),
			 8192 + 4096 + MIB(3) + 8192);
	assert_int_equal(launch_plan_vmsas(f->plan), 2);
}

static void the_small_library_computes_the_same_digest(void **state)
{
	struct fixture *f = *state;
	AUTO(hash256_destroyp) struct hash256 *small = hash256_nettle_create();
	uint8_t want[SEV_DIGEST_LEN], d[SEV_DIGEST_LEN];

	assert_non_null(small);
	fill_plan(f);
	expected_digest(f, want);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			launch_plan_digest(f->plan, NULL, small, d, &f->err),
			0);
		assert_memory_equal(d, want, sizeof(d));
	}
}

static void memory_that_was_changed_has_another_digest(void **state)
{
	struct fixture *f = *state;
	uint8_t a[SEV_DIGEST_LEN], b[SEV_DIGEST_LEN];

	fill_plan(f);
	assert_int_equal(launch_plan_load(f->plan, f->mem, &f->err), 0);
	assert_int_equal(launch_plan_digest(f->plan, f->mem, f->h, a, NULL), 0);
	/* in the zeros behind the file */
	assert_int_equal(guest_mem_write(f->mem, MIB(5) - 1, "x", 1), 0);
	assert_int_equal(launch_plan_digest(f->plan, f->mem, f->h, b, NULL), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void the_digest_of_an_entry_is_its_own(void **state)
{
	struct fixture *f = *state;
	uint8_t d[SEV_DIGEST_LEN], want[SEV_DIGEST_LEN], text[4096] = "hello";

	fill_plan(f);
	assert_int_equal(hash256_of(f->h, text, sizeof(text), want), 0);
	assert_int_equal(
		launch_entry_digest(&f->plan->entry[1], NULL, f->h, d, &f->err),
		0);
	assert_memory_equal(d, want, sizeof(d));
}

/* What a walk hands out must cover each entry once, in order. */
struct log {
	struct fixture *f;
	size_t entry;
	uint64_t off;
	bool in_memory;
	size_t n, fail_at;
};

static int log_piece(void *arg, const struct launch_entry *e, uint64_t off,
		     const void *data, size_t len, struct err *err)
{
	struct log *l = arg;

	(void)err;
	if (l->n++ == l->fail_at)
		return -ETIME;
	if (off == 0 && l->n > 1) {
		assert_int_equal(l->off, l->f->plan->entry[l->entry].len);
		l->entry++;
		l->off = 0;
	}
	assert_ptr_equal(e, &l->f->plan->entry[l->entry]);
	assert_int_equal(off, l->off);
	assert_true(len > 0 && len <= LAUNCH_PIECE_MAX);
	assert_int_equal(len % LAUNCH_ALIGN, 0);
	if (l->in_memory && e->kind == LAUNCH_ENTRY_DATA)
		assert_ptr_equal(data,
				 guest_mem_ptr(l->f->mem, e->gpa + off, len));
	l->off += len;
	return 0;
}

static void a_walk_hands_out_everything_once_and_in_order(void **state)
{
	struct fixture *f = *state;

	fill_plan(f);
	for (int in_memory = 0; in_memory < 2; in_memory++) {
		struct log l = {
			.f = f, .in_memory = in_memory, .fail_at = SIZE_MAX};

		assert_int_equal(launch_plan_walk(f->plan,
						  in_memory ? f->mem : NULL,
						  log_piece, &l, &f->err),
				 0);
		assert_int_equal(l.entry, f->plan->n - 1);
		assert_int_equal(l.off, f->plan->entry[l.entry].len);
	}
}

static void a_walk_ends_with_the_error_of_its_function(void **state)
{
	struct fixture *f = *state;
	struct log l = {.f = f, .fail_at = 2};

	fill_plan(f);
	assert_int_equal(
		launch_plan_walk(f->plan, NULL, log_piece, &l, &f->err),
		-ETIME);
	assert_int_equal(l.n, 3);
}

static void a_file_that_shrank_is_named(void **state)
{
	struct fixture *f = *state;
	uint8_t d[SEV_DIGEST_LEN];

	add_file(f, MIB(2), MIB(3), FILE_LEN - FILE_OFF);
	assert_int_equal(ftruncate(f->fd, FILE_LEN - 1), 0);
	assert_int_equal(launch_plan_digest(f->plan, NULL, f->h, d, &f->err),
			 -ENODATA);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_string_equal(f->err.msg,
			    "'a.img' became shorter while it was read");
	assert_int_equal(launch_plan_load(f->plan, f->mem, &f->err), -ENODATA);
	/* The hash is good for the next message. */
	assert_int_equal(hash256_of(f->h, "abc", 3, d), 0);
	assert_hex(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff6"
		      "1f20015ad");
}

static void an_entry_outside_of_memory_is_a_bug(void **state)
{
	struct fixture *f = *state;
	struct log l = {.f = f, .fail_at = SIZE_MAX};

	assert_int_equal(add(f, MIB(8) - 4096, 8192, NULL, 0), 0);
	assert_int_equal(launch_plan_load(f->plan, f->mem, &f->err), -EFAULT);
	assert_int_equal(f->err.kind, ERR_INTERNAL);
	assert_int_equal(
		launch_plan_walk(f->plan, f->mem, log_piece, &l, &f->err),
		-EFAULT);
}

static void bad_shapes_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f, 8, 16, NULL, 0), -EINVAL);
	assert_int_equal(add(f, 16, 8, NULL, 0), -EINVAL);
	assert_int_equal(add(f, 16, 0, NULL, 0), -EINVAL);
	assert_int_equal(add(f, 16, 16, "", 17), -EINVAL);
	assert_int_equal(add(f, UINT64_MAX - 15, 32, NULL, 0), -EINVAL);
	assert_int_equal(add(f, 0x1000, 0x1000, NULL, 0), 0);
	assert_int_equal(add(f, 0x1ff0, 16, NULL, 0), -EINVAL);
	assert_int_equal(add(f, 0x2000, 16, NULL, 0), 0);
	assert_int_equal(f->err.kind, ERR_INTERNAL);
}

static void data_behind_a_register_page_is_refused(void **state)
{
	struct fixture *f = *state;

	fill_plan(f);
	assert_int_equal(add(f, MIB(6), 16, NULL, 0), -EINVAL);
}

static void the_list_has_an_end(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < LAUNCH_ENTRIES_MAX; i++)
		assert_int_equal(add(f, i * 16, 16, NULL, 0), 0);
	assert_int_equal(add(f, MIB(1), 16, NULL, 0), -ENOSPC);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		CASE(a_page_of_letters_has_the_known_digest),
		CASE(the_digest_does_not_depend_on_addresses),
		CASE(plan_and_loaded_memory_have_the_digest_of_the_content),
		CASE(the_small_library_computes_the_same_digest),
		CASE(memory_that_was_changed_has_another_digest),
		CASE(the_digest_of_an_entry_is_its_own),
		CASE(a_walk_hands_out_everything_once_and_in_order),
		CASE(a_walk_ends_with_the_error_of_its_function),
		CASE(a_file_that_shrank_is_named),
		CASE(an_entry_outside_of_memory_is_a_bug),
		CASE(bad_shapes_are_refused),
		CASE(data_behind_a_register_page_is_refused),
		CASE(the_list_has_an_end),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
