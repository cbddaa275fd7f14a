/* tests/unit/test_owner_file.c - base64 or raw, and all files or none. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/sev_key.h"
#include "owner/owner_file.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"

static int setup(void **state)
{
	struct owner_dir *d = calloc(1, sizeof(*d));

	owner_dir_create(d);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	owner_dir_destroy(*state);
	free(*state);
	return 0;
}

static void base64_and_raw_are_both_read(void **state)
{
	struct owner_dir *d = *state;
	const char *paths[2];
	uint8_t key[16];

	count_up(key, 16, 0xf0);
	paths[0] = owner_put(d, "raw", key, 16);
	paths[1] = owner_put_base64(d, "base64", key, 16);
	for (size_t i = 0; i < 2; i++) {
		AUTO(owner_bytes_wipe) struct owner_bytes b = {0};

		assert_int_equal(
			owner_file_read_exactly("key", paths[i], 16, &b, NULL),
			0);
		assert_int_equal(b.len, 16);
		assert_memory_equal(b.data, key, 16);
	}
}

/* A raw key can look like base64: 16 letters that decode to 12 bytes. */
static void raw_bytes_that_look_like_base64_stay(void **state)
{
	struct owner_dir *d = *state;
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};

	assert_int_equal(owner_file_read_exactly(
				 "key",
				 owner_put_text(d, "k", "abcdefghABCDEFGH"), 16,
				 &b, NULL),
			 0);
	assert_memory_equal(b.data, "abcdefghABCDEFGH", 16);
}

static void refuse(struct owner_dir *d, const void *data, size_t len,
		   size_t want, const char *says)
{
	struct owner_bytes b = {0};
	const char *path = owner_put(d, "file", data, len);
	int r = owner_file_read_exactly("session", path, want, &b, &d->err);

	assert_null(b.data);
	assert_non_null(strstr(d->err.msg, path));
	owner_assert_err(d, r, -EINVAL, ERR_INPUT, says);
}

static void what_a_file_is_instead_is_said(void **state)
{
	struct owner_dir *d = *state;
	AUTO(sev_key_destroyp) struct sev_key *k = NULL;
	uint8_t bytes[2 * SEV_CERT_LEN];
	struct sev_cert c;
	struct owner_bytes b = {0};
	int r;

	assert_int_equal(sev_key_generate_ec(SEV_CURVE_P384, &k), 0);
	sev_cert_init(&c, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256);
	assert_int_equal(sev_key_to_cert(k, &c), 0);
	sev_cert_serialise(&c, bytes);
	sev_cert_serialise(&c, bytes + SEV_CERT_LEN);
	refuse(d, bytes, SEV_CERT_LEN, 128,
	       "2084 bytes, but it has 128; that "
	       "looks like a SEV certificate");
	refuse(d, bytes, sizeof(bytes), 128, "a chain of certificates");
	refuse(d, bytes, 127, 128, "127 bytes, but it has 128");
	refuse(d, bytes, 48, 128, "looks like a measurement");
	refuse(d, bytes, 52, 128, "looks like the header of a secret");
	refuse(d, bytes, 128, 16, "looks like a session");
	refuse(d, "{\"a\": 1}", 8, 16, "looks like JSON");
	owner_put_base64(d, "b64", bytes, SEV_CERT_LEN);
	r = owner_file_read_exactly("session", owner_path(d, "b64"), 128, &b,
				    &d->err);
	owner_assert_err(d, r, -EINVAL, ERR_INPUT,
			 "2084 bytes of base64, but it has 128; that looks "
			 "like a SEV certificate");
}

static void files_that_cannot_be_read_are_named(void **state)
{
	struct owner_dir *d = *state;
	struct owner_bytes b = {0};
	static char big[OWNER_FILE_MAX + 1];
	int r = owner_file_read("key", owner_path(d, "none"), &b, &d->err);

	owner_assert_err(d, r, -ENOENT, ERR_INPUT, "does not exist");
	r = owner_file_read("key", d->path, &b, &d->err);
	owner_assert_err(d, r, -EISDIR, ERR_INPUT, d->path);
	r = owner_file_read("key", owner_put(d, "e", "", 0), &b, &d->err);
	owner_assert_err(d, r, -ENODATA, ERR_INPUT, "is empty");
	r = owner_file_read("key", owner_put(d, "b", big, sizeof(big)), &b,
			    &d->err);
	owner_assert_err(d, r, -EFBIG, ERR_INPUT, "larger than 1 MiB");
	r = owner_file_read("key", owner_put(d, "b", big, OWNER_FILE_MAX), &b,
			    &d->err);
	assert_int_equal(r, 0);
	assert_int_equal(b.len, OWNER_FILE_MAX);
	owner_bytes_wipe(&b);
	assert_null(b.data);
}

static void outputs_get_their_modes(void **state)
{
	struct owner_dir *d = *state;
	struct owner_output v[] = {
		{owner_path(d, "public"), "hello", 5, 0644},
		{owner_path(d, "key"), "x", 1, 0600},
	};
	mode_t old = umask(0);
	char buf[8];

	assert_int_equal(owner_files_write(v, 2, false, NULL), 0);
	umask(old);
	assert_int_equal(owner_mode(d, "public"), 0644);
	assert_int_equal(owner_mode(d, "key"), 0600);
	assert_int_equal(owner_get(d, "public", buf, 8), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(owner_count(d), 2);
}

static void what_is_there_is_not_replaced_unless_forced(void **state)
{
	struct owner_dir *d = *state;
	struct owner_output v[] = {
		{owner_path(d, "new"), "n", 1, 0644},
		{owner_path(d, "old"), "new", 3, 0600},
	};
	char buf[8];
	int r;

	owner_put_text(d, "old", "old");
	r = owner_files_write(v, 2, false, &d->err);
	owner_assert_err(d, r, -EEXIST, ERR_INPUT, v[1].path);
	assert_int_equal(owner_count(d), 1);
	assert_int_equal(owner_get(d, "old", buf, 8), 3);
	assert_memory_equal(buf, "old", 3);
	assert_int_equal(owner_files_write(v, 2, true, NULL), 0);
	assert_int_equal(owner_get(d, "old", buf, 8), 3);
	assert_memory_equal(buf, "new", 3);
	assert_int_equal(owner_mode(d, "old"), 0600);
	assert_int_equal(owner_count(d), 2);
}

static void two_outputs_of_one_name_are_refused(void **state)
{
	struct owner_dir *d = *state;
	struct owner_output v[] = {
		{owner_path(d, "one"), "1", 1, 0644},
		{owner_path(d, "one"), "2", 1, 0644},
	};

	for (int force = 0; force < 2; force++)
		owner_assert_err(d, owner_files_write(v, 2, force, &d->err),
				 -EINVAL, ERR_USAGE, "two files");
	assert_int_equal(owner_count(d), 0);
}

static void a_failure_leaves_nothing_behind(void **state)
{
	struct owner_dir *d = *state;
	struct owner_output v[] = {
		{owner_path(d, "one"), "1", 1, 0644},
		{owner_path(d, "no/such/directory"), "2", 1, 0644},
	};
	int r = owner_files_write(v, 2, false, &d->err);

	owner_assert_err(d, r, -ENOENT, ERR_INPUT, v[1].path);
	assert_int_equal(owner_count(d), 0);
	/* and where the last step fails: a directory takes no rename */
	assert_int_equal(mkdir(owner_path(d, "dir"), 0700), 0);
	v[1].path = owner_path(d, "dir");
	r = owner_files_write(v, 2, true, &d->err);
	owner_assert_err(d, r, -EISDIR, ERR_INPUT, v[1].path);
	assert_int_equal(owner_mode(d, "dir"), 0700);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(base64_and_raw_are_both_read),
		CASE(raw_bytes_that_look_like_base64_stay),
		CASE(what_a_file_is_instead_is_said),
		CASE(files_that_cannot_be_read_are_named),
		CASE(outputs_get_their_modes),
		CASE(what_is_there_is_not_replaced_unless_forced),
		CASE(two_outputs_of_one_name_are_refused),
		CASE(a_failure_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
