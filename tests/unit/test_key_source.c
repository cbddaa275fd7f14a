/* tests/unit/test_key_source.c - a user's key from everywhere. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/supervisor/key_source.h"

#define KEY "00112233445566778899aabbccddeeff"
#define TWEAK "f0e1d2c3b4a5968778695a4b3c2d1e0f"

static void is_the_key(const struct mktme_secret *s)
{
	assert_int_equal(s->key[1], 0x11);
	assert_int_equal(s->tweak[15], 0x0f);
}

static void refused(const struct key_source *src, int code, const char *word)
{
	struct mktme_secret *s = NULL;
	struct err e = {0};

	assert_int_equal(key_source_read(src, &s, &e), code);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_non_null(strstr(e.msg, word));
	assert_null(strstr(e.msg, "0011"));
	assert_null(s);
}

static void a_file_is_read(void **state)
{
	char path[] = "/tmp/coffer-test-XXXXXX";
	struct key_source src = {.file = path, .fd = -1};
	struct mktme_secret *s = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(write(fd, KEY "\n" TWEAK "\n", 66) == 66);
	close(fd);
	assert_int_equal(key_source_read(&src, &s, NULL), 0);
	is_the_key(s);
	key_source_free(s);
	assert_int_equal(truncate(path, 40), 0);
	refused(&src, -EINVAL, "key-file=/tmp/");
	assert_int_equal(truncate(path, 100000), 0);
	refused(&src, -EINVAL, "not a key");
	unlink(path);
	refused(&src, -ENOENT, "No such file");
}

/* What is said on stderr while @src is read; it has the key. */
static void reading_says(const struct key_source *src, char *buf, size_t size)
{
	char path[] = "/tmp/coffer-test-XXXXXX";
	int said = mkstemp(path), old = dup(STDERR_FILENO);
	struct mktme_secret *s = NULL;
	ssize_t n;
	int r;

	assert_true(said >= 0 && old >= 0);
	unlink(path);
	dup2(said, STDERR_FILENO);
	r = key_source_read(src, &s, NULL);
	dup2(old, STDERR_FILENO);
	close(old);
	assert_int_equal(r, 0);
	key_source_free(s);
	n = pread(said, buf, size - 1, 0);
	assert_true(n >= 0);
	buf[n] = 0;
	close(said);
}

static void a_file_that_others_may_read_is_warned_of(void **state)
{
	static const mode_t open_modes[] = {0640, 0604, 0666, 0620, 0602};
	char path[] = "/tmp/coffer-test-XXXXXX", said[512];
	struct key_source src = {.file = path, .fd = -1};
	int fd = mkstemp(path);

	(void)state;
	assert_true(write(fd, KEY "\n" TWEAK "\n", 66) == 66);
	for (size_t i = 0; i < ARRAY_SIZE(open_modes); i++) {
		assert_int_equal(fchmod(fd, open_modes[i]), 0);
		reading_says(&src, said, sizeof(said));
		assert_non_null(strstr(said, path));
		assert_non_null(strstr(said, "others than its owner"));
		assert_non_null(strstr(said, "chmod 600"));
		assert_null(strstr(said, "0011"));
	}
	assert_int_equal(fchmod(fd, 0600), 0);
	reading_says(&src, said, sizeof(said));
	assert_string_equal(said, "");
	close(fd);
	unlink(path);
}

static void a_descriptor_is_read_to_its_end(void **state)
{
	struct mktme_secret *s = NULL;
	struct key_source src = {0};
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(write(ends[1], KEY " ", 33) == 33);
	assert_true(write(ends[1], TWEAK, 32) == 32);
	close(ends[1]);
	src.fd = ends[0];
	assert_int_equal(key_source_read(&src, &s, NULL), 0);
	is_the_key(s);
	key_source_free(s);
	refused(&src, -EINVAL, "fd="); /* nothing is left */
	close(ends[0]);
	src.fd = 9999;
	refused(&src, -EBADF, "fd=9999");
}

static void a_command_writes_the_key(void **state)
{
	struct key_source src = {
		.fd = -1, .command = "echo key=" KEY "; echo tweak=" TWEAK};
	struct mktme_secret *s = NULL;

	(void)state;
	assert_int_equal(key_source_read(&src, &s, NULL), 0);
	is_the_key(s);
	key_source_free(s);
}

static void a_command_that_fails_is_named(void **state)
{
	struct key_source src = {.fd = -1};

	(void)state;
	src.command = "echo " KEY " " TWEAK "; exit 3";
	refused(&src, -ECHILD, "failed with status 3");
	src.command = "kill -9 $$";
	refused(&src, -ECHILD, "signal 9");
	src.command = "/nonexistent/fetch 2>/dev/null";
	refused(&src, -ECHILD, "status 127");
	src.command = "echo " KEY;
	refused(&src, -EINVAL, "key-command: not a key");
	src.command = "yes";
	refused(&src, -EINVAL, "not a key");
}

static void a_pipe_that_nobody_writes_to_is_not_waited_for_long(void **state)
{
	char path[] = "/tmp/coffer-test-XXXXXX";
	const struct key_source src = {
		.file = path, .fd = -1, .command_seconds = 1};
	struct mktme_secret *s = NULL;
	int status = -1;
	pid_t child;

	(void)state;
	close(mkstemp(path));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(&src, -ETIMEDOUT, "in time");
	child = fork();
	if (!child) { /* in pieces, and later */
		int fd;

		usleep(20000);
		fd = open(path, O_WRONLY);
		if (write(fd, KEY "\n", 33) == 33)
			usleep(20000);
		_exit(write(fd, TWEAK "\n", 33) != 33);
	}
	assert_int_equal(key_source_read(&src, &s, NULL), 0);
	is_the_key(s);
	key_source_free(s);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	unlink(path);
}

static void a_command_that_hangs_is_ended(void **state)
{
	struct key_source src = {
		.fd = -1,
		.command = "sleep 100 & wait",
		.command_seconds = 1,
	};

	(void)state;
	refused(&src, -ETIMEDOUT, "in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read),
		cmocka_unit_test(a_file_that_others_may_read_is_warned_of),
		cmocka_unit_test(a_descriptor_is_read_to_its_end),
		cmocka_unit_test(a_command_writes_the_key),
		cmocka_unit_test(a_command_that_fails_is_named),
		cmocka_unit_test(
			a_pipe_that_nobody_writes_to_is_not_waited_for_long),
		cmocka_unit_test(a_command_that_hangs_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
