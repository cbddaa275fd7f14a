/* tests/unit/test_hash_store.c - what is kept, for how many, and as bytes. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/hash256_nettle.h"
#include "vmm/hash_store.h"

struct fixture {
	struct hash256 *h;
	struct hash_store s, again;
	uint8_t buf[HASH_STORE_BYTES];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->h = hash256_nettle_create();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	hash256_destroy(f->h);
	free(f);
	return 0;
}

static struct hash_key key(uint64_t ino)
{
	return (struct hash_key){7, ino, 1000, 12345678901, 12345678902};
}

static void add(struct fixture *f, uint64_t ino, uint8_t fill)
{
	struct hash_key k = key(ino);
	uint8_t digest[HASH256_LEN];

	memset(digest, fill, sizeof(digest));
	hash_store_add(&f->s, &k, digest);
}

static int found(struct fixture *f, uint64_t ino)
{
	struct hash_key k = key(ino);
	const uint8_t *d = hash_store_find(&f->s, &k);

	return d ? d[HASH256_LEN - 1] : -1;
}

static void what_was_added_is_found(void **state)
{
	struct fixture *f = *state;

	add(f, 1, 11);
	add(f, 2, 22);
	assert_int_equal(found(f, 1), 11);
	assert_int_equal(found(f, 2), 22);
	assert_int_equal(found(f, 3), -1);
}

static void another_size_or_time_is_another_file(void **state)
{
	struct fixture *f = *state;
	struct hash_key k;

	add(f, 1, 11);
	k = key(1);
	k.dev++;
	assert_null(hash_store_find(&f->s, &k));
	k = key(1);
	k.size++;
	assert_null(hash_store_find(&f->s, &k));
	k = key(1);
	k.mtime_ns++;
	assert_null(hash_store_find(&f->s, &k));
	k = key(1);
	k.ctime_ns++;
	assert_null(hash_store_find(&f->s, &k));
	/* And takes the place of what was known of that inode. */
	hash_store_add(&f->s, &k, (uint8_t[HASH256_LEN]){1});
	assert_int_equal(f->s.n, 1);
	assert_int_equal(found(f, 1), -1);
}

static void the_oldest_goes_first(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < HASH_STORE_MAX; i++)
		add(f, i, (uint8_t)i);
	add(f, 0, 200); /* again: it is the youngest now */
	add(f, 1000, 201);
	assert_int_equal(f->s.n, HASH_STORE_MAX);
	assert_int_equal(found(f, 0), 200);
	assert_int_equal(found(f, 1), -1);
	assert_int_equal(found(f, 2), 2);
	assert_int_equal(found(f, 1000), 201);
}

static void a_file_can_be_forgotten(void **state)
{
	struct fixture *f = *state;
	struct hash_key k = key(1);

	add(f, 1, 11);
	add(f, 2, 22);
	k.size = 0; /* its place is enough */
	assert_true(hash_store_remove(&f->s, &k));
	assert_false(hash_store_remove(&f->s, &k));
	assert_int_equal(found(f, 1), -1);
	assert_int_equal(found(f, 2), 22);
}

static void bytes_and_back(void **state)
{
	struct fixture *f = *state;
	size_t len;

	for (uint64_t i = 0; i <= HASH_STORE_MAX; i += HASH_STORE_MAX / 2) {
		while (f->s.n < i)
			add(f, f->s.n, (uint8_t)f->s.n);
		len = hash_store_format(&f->s, f->h, f->buf);
		assert_int_equal(len, 48 + i * HASH_STORE_ENTRY);
		assert_int_equal(hash_store_parse(f->buf, len, f->h, &f->again),
				 0);
		assert_int_equal(f->again.n, i);
		assert_memory_equal(f->again.entry, f->s.entry,
				    i * sizeof(f->s.entry[0]));
	}
	assert_int_equal(len, HASH_STORE_BYTES);
}

static void damaged_bytes_are_refused(void **state)
{
	struct fixture *f = *state;
	size_t len;

	add(f, 1, 11);
	add(f, 2, 22);
	len = hash_store_format(&f->s, f->h, f->buf);
	f->again.n = 99;
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(hash_store_parse(f->buf, cut, f->h, &f->again),
				 -EBADMSG);
	assert_int_equal(hash_store_parse(f->buf, len + 1, f->h, &f->again),
			 -EBADMSG);
	for (size_t i = 0; i < len; i++) {
		f->buf[i] ^= 1;
		assert_int_equal(hash_store_parse(f->buf, len, f->h, &f->again),
				 -EBADMSG);
		f->buf[i] ^= 1;
	}
	assert_int_equal(f->again.n, 99);
}

static void a_key_is_all_of_what_stat_says(void **state)
{
	const struct stat st = {
		.st_dev = 3,
		.st_ino = 4,
		.st_size = 5,
		.st_mtim = {.tv_sec = 6, .tv_nsec = 7},
		.st_ctim = {.tv_sec = 8, .tv_nsec = 9},
	};
	const struct hash_key want = {3, 4, 5, 6000000007, 8000000009};
	struct hash_key k;

	(void)state;
	hash_key_of(&st, &k);
	assert_memory_equal(&k, &want, sizeof(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		CASE(what_was_added_is_found),
		CASE(another_size_or_time_is_another_file),
		CASE(the_oldest_goes_first),
		CASE(a_file_can_be_forgotten),
		CASE(bytes_and_back),
		CASE(damaged_bytes_are_refused),
		CASE(a_key_is_all_of_what_stat_says),
	};

	return cmocka_run_group_tests_name("hash_store", tests, NULL, NULL);
}
