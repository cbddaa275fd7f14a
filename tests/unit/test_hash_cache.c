/*
 * tests/unit/test_hash_cache.c - what is kept in a directory from one launch to
 * the next, and what of a directory is not believed. The file that is hashed is
 * the C library: it is large enough, and has not been changed just now.
 */
#include "tests/unit/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/hash_cache.h"

struct fixture {
	char dir[64], cache[80], file[96];
	int fd; /* of the image */
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	Dl_info libc;

	*state = f;
	snprintf(f->dir, sizeof(f->dir), "/tmp/coffer-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->cache, sizeof(f->cache), "%s/cache", f->dir);
	snprintf(f->file, sizeof(f->file), "%s/hashes", f->cache);
	assert_int_not_equal(dladdr(dlsym(RTLD_DEFAULT, "strlen"), &libc), 0);
	f->fd = open(libc.dli_fname, O_RDONLY | O_CLOEXEC);
	assert_true(f->fd >= 0);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	close(f->fd);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

/* One launch: known, or hashed (to @fill) and kept. The digest's first byte. */
static int launch(struct fixture *f, int fd, uint8_t fill)
{
	AUTO(hash_cache_closep) struct hash_cache *c = NULL;
	struct hash_cache_seen seen;
	uint8_t digest[HASH256_LEN];

	if (hash_cache_open(f->cache, &c, &f->err) < 0)
		return f->err.code;
	if (hash_cache_find(c, fd, digest, &seen))
		return digest[0];
	memset(digest, fill, sizeof(digest));
	hash_cache_add(c, fd, &seen, digest);
	return 0;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void a_second_launch_does_not_hash(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(launch(f, f->fd, 7), 0);
	assert_int_equal(launch(f, f->fd, 8), 7);
	assert_int_equal(mode_of(f->cache), 0700);
	assert_int_equal(mode_of(f->file), 0600);
}

static void a_wrong_hash_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct hash_cache *c = NULL;

	assert_int_equal(launch(f, f->fd, 7), 0);
	assert_int_equal(hash_cache_open(f->cache, &c, NULL), 0);
	hash_cache_forget(c, f->fd);
	hash_cache_forget(c, -1);
	hash_cache_close(c);
	assert_int_equal(launch(f, f->fd, 8), 0);
}

/* It could change again within the same tick of the file system's clock. */
static void a_file_of_just_now_is_not_kept(void **state)
{
	struct fixture *f = *state;
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "%s/image", f->dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, HASH_CACHE_FILE_MIN), 0);
	assert_int_equal(launch(f, fd, 7), 0);
	assert_int_equal(launch(f, fd, 8), 0);
	/* Its times are set back, but that is a change of its inode. */
	assert_int_equal(futimens(fd, (struct timespec[]){{1, 0}, {1, 0}}), 0);
	assert_int_equal(launch(f, fd, 8), 0);
	assert_int_equal(launch(f, fd, 9), 0);
	close(fd);
}

static void a_file_that_changed_meanwhile_is_not_kept(void **state)
{
	AUTO(hash_cache_closep) struct hash_cache *c = NULL;
	uint8_t digest[HASH256_LEN] = {7};
	struct fixture *f = *state;
	struct hash_cache_seen seen;

	assert_int_equal(hash_cache_open(f->cache, &c, NULL), 0);
	assert_false(hash_cache_find(c, f->fd, digest, &seen));
	assert_true(seen.settled);
	seen.key.ctime_ns--;
	hash_cache_add(c, f->fd, &seen, digest);
	assert_false(hash_cache_find(c, f->fd, digest, &seen));
	hash_cache_add(c, f->fd, &seen, digest);
	assert_true(hash_cache_find(c, f->fd, digest, &seen));
}

/* Who writes there through a mapping does not change its times. */
static void a_file_in_tmpfs_is_not_looked_at(void **state)
{
	int fd = memfd_create("image", MFD_CLOEXEC);
	AUTO(hash_cache_closep) struct hash_cache *c = NULL;
	uint8_t digest[HASH256_LEN] = {7};
	struct fixture *f = *state;
	struct hash_cache_seen seen;

	assert_true(fd >= 0 && !ftruncate(fd, HASH_CACHE_FILE_MIN));
	assert_int_equal(hash_cache_open(f->cache, &c, NULL), 0);
	assert_false(hash_cache_find(c, fd, digest, &seen));
	assert_int_equal(seen.key.size, 0);
	close(fd);
}

static void a_small_file_is_not_kept(void **state)
{
	struct fixture *f = *state;
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	assert_int_equal(launch(f, fd, 7), 0);
	assert_int_equal(launch(f, fd, 8), 0);
	close(fd);
}

static void a_damaged_file_is_replaced(void **state)
{
	struct fixture *f = *state;
	int fd;

	assert_int_equal(launch(f, f->fd, 7), 0);
	fd = open(f->file, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 60), 1);
	close(fd);
	assert_int_equal(launch(f, f->fd, 8), 0);
	assert_int_equal(launch(f, f->fd, 9), 8);
}

static void a_file_that_others_may_write_is_not_read(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(launch(f, f->fd, 7), 0);
	assert_int_equal(chmod(f->file, 0622), 0);
	assert_int_equal(launch(f, f->fd, 8), 0); /* replaced */
	assert_int_equal(mode_of(f->file), 0600);
	assert_int_equal(launch(f, f->fd, 9), 8);
}

static void what_is_not_a_file_is_not_read(void **state)
{
	struct fixture *f = *state;
	char elsewhere[96];

	assert_int_equal(launch(f, f->fd, 7), 0);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", f->dir);
	assert_int_equal(rename(f->file, elsewhere), 0);
	assert_int_equal(symlink(elsewhere, f->file), 0);
	assert_int_equal(launch(f, f->fd, 8), 0);
	assert_int_equal(launch(f, f->fd, 9), 8);
	unlink(f->file);
	assert_int_equal(mkfifo(f->file, 0600), 0);
	assert_int_equal(launch(f, f->fd, 10), 0);
	assert_int_equal(launch(f, f->fd, 11), 10);
}

/* A coffer that was killed while it wrote must not end this for good. */
static void what_a_killed_writer_left_goes_in_time(void **state)
{
	struct fixture *f = *state;
	char path[128];
	int fd;

	assert_int_equal(mkdir(f->cache, 0700), 0);
	snprintf(path, sizeof(path), "%s.new", f->file);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(launch(f, f->fd, 7), 0);
	assert_int_equal(launch(f, f->fd, 8), 0);
	assert_int_equal(futimens(fd, (struct timespec[]){{1, 0}, {1, 0}}), 0);
	close(fd);
	assert_int_equal(launch(f, f->fd, 9), 0);
	assert_int_equal(launch(f, f->fd, 10), 9);
}

static void a_directory_that_was_named_must_be_usable(void **state)
{
	struct fixture *f = *state;
	struct hash_cache *c = NULL;

	assert_int_equal(mkdir(f->cache, 0700), 0);
	assert_int_equal(chmod(f->cache, 0777), 0);
	assert_int_equal(launch(f, f->fd, 7), -EPERM);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "others may write"));
	assert_int_equal(chmod(f->cache, 0700), 0);
	if (!chown(f->cache, 12345, (gid_t)-1)) /* as root */
		assert_int_equal(launch(f, f->fd, 7), -EPERM);
	assert_int_equal(hash_cache_open("/nonexistent/coffer", &c, &f->err),
			 -ENOENT);
	assert_non_null(strstr(f->err.msg, "--hash-cache: '/nonexistent/"));
	assert_int_equal(hash_cache_open("/dev/null", &c, &f->err), -ENOTDIR);
	assert_null(c);
}

static void none_keeps_nothing(void **state)
{
	struct fixture *f = *state;

	snprintf(f->cache, sizeof(f->cache), "none");
	assert_int_equal(launch(f, f->fd, 7), 0);
	assert_int_equal(launch(f, f->fd, 8), 0);
}

static void the_users_cache_is_found(void **state)
{
	struct fixture *f = *state;
	struct hash_cache *c = NULL;
	char path[128];

	if (geteuid() == 0) /* it is the host's own */
		skip();
	setenv("XDG_CACHE_HOME", f->cache, 1);
	assert_int_equal(hash_cache_open(NULL, &c, NULL), 0);
	hash_cache_close(c);
	snprintf(path, sizeof(path), "%s/coffer", f->cache);
	assert_int_equal(mode_of(path), 0700);
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", f->dir, 1);
	assert_int_equal(hash_cache_open("auto", &c, NULL), 0);
	hash_cache_close(c);
	snprintf(path, sizeof(path), "%s/.cache/coffer", f->dir);
	assert_int_equal(mode_of(path), 0700);
	unsetenv("HOME");
	assert_int_equal(hash_cache_open("auto", &c, NULL), 0); /* none */
	hash_cache_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		CASE(a_second_launch_does_not_hash),
		CASE(a_wrong_hash_is_forgotten),
		CASE(a_file_of_just_now_is_not_kept),
		CASE(a_file_that_changed_meanwhile_is_not_kept),
		CASE(a_file_in_tmpfs_is_not_looked_at),
		CASE(a_small_file_is_not_kept),
		CASE(a_damaged_file_is_replaced),
		CASE(a_file_that_others_may_write_is_not_read),
		CASE(what_is_not_a_file_is_not_read),
		CASE(what_a_killed_writer_left_goes_in_time),
		CASE(a_directory_that_was_named_must_be_usable),
		CASE(none_keeps_nothing),
		CASE(the_users_cache_is_found),
	};

	return cmocka_run_group_tests_name("hash_cache", tests, NULL, NULL);
}
