/* tests/unit/test_monitor_log.c - what somebody may write who has the monitor.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/base/own.h"
#include "vmm/supervisor/monitor_log.h"

enum { SEEN_MAX = 4 * MONITOR_LOG_MAX };

struct fixture {
	struct loop *loop;
	struct monitor_log *log;
	int pipe[2];
	int real_stderr, file; /* ours, while the test has another */
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	log_set_level(LOG_INFO);
	assert_int_equal(pipe2(f.pipe, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(loop_create(&f.loop, NULL), 0);
	assert_int_equal(monitor_log_create(f.loop, f.pipe[0], &f.log, NULL),
			 0);
	f.file = memfd_create("stderr", MFD_CLOEXEC);
	f.real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(f.file >= 0 && f.real_stderr >= 0);
	assert_true(dup2(f.file, STDERR_FILENO) >= 0);
	*state = &f;
	return 0;
}

/* Ends the log; what stands on standard error now. */
static const char *seen(struct fixture *f)
{
	static char text[SEEN_MAX];
	ssize_t n;

	monitor_log_destroy(f->log);
	f->log = NULL;
	n = pread(f->file, text, sizeof(text) - 1, 0);
	text[n < 0 ? 0 : n] = 0;
	return text;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dup2(f->real_stderr, STDERR_FILENO);
	close(f->real_stderr);
	close(f->file);
	monitor_log_destroy(f->log);
	loop_destroy(f->loop);
	fd_closep(&f->pipe[0]);
	fd_closep(&f->pipe[1]);
	log_set_level(LOG_INFO);
	return 0;
}

static void say(struct fixture *f, const char *text, size_t len)
{
	assert_int_equal(write(f->pipe[1], text, len), len);
	loop_step(f->loop, 0);
}

#define SAY(f, text) say(f, text, sizeof(text) - 1)

static void its_own_messages_come_as_they_are(void **state)
{
	struct fixture *f = *state;

	SAY(f, "coffer: warning: slow\n");
	assert_string_equal(seen(f), "coffer: warning: slow\n");
}

static void others_are_named(void **state)
{
	struct fixture *f = *state;

	SAY(f, "free(): invalid pointer\n");
	assert_string_equal(seen(f),
			    "coffer: monitor: free(): invalid pointer\n");
}

static void a_line_may_come_in_pieces(void **state)
{
	struct fixture *f = *state;

	SAY(f, "coffer: a");
	SAY(f, "b\ncoffer: c");
	SAY(f, "d\n");
	assert_string_equal(seen(f), "coffer: ab\ncoffer: cd\n");
}

static void a_line_without_its_end(void **state)
{
	struct fixture *f = *state;

	SAY(f, "coffer: the last");
	assert_string_equal(seen(f), "coffer: the last\n");
}

static void what_nobody_has_read_yet_is_read_at_the_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(write(f->pipe[1], "coffer: x\n", 10), 10);
	assert_string_equal(seen(f), "coffer: x\n");
}

static void empty_lines_vanish(void **state)
{
	struct fixture *f = *state;

	SAY(f, "\n\n\ncoffer: x\n\n");
	assert_string_equal(seen(f), "coffer: x\n");
}

static void a_terminal_gets_no_commands(void **state)
{
	struct fixture *f = *state;

	SAY(f, "coffer: \033[2J\007 \r\b\0x\x9b\x7f \xc2\x9b"
	       "1m\n");
	assert_string_equal(seen(f), "coffer: ?[2J? ???x?? \xc2?1m\n");
}

static void names_in_utf_8_stay(void **state)
{
	struct fixture *f = *state;

	SAY(f, "coffer: gr\xc3\xb6\xc3\x9f"
	       "er \xe2\x80\x99\n");
	assert_string_equal(seen(f), "coffer: gr\xc3\xb6\xc3\x9f"
				     "er \xe2\x80\x99\n");
}

static void a_long_line_is_cut_into_lines(void **state)
{
	struct fixture *f = *state;
	static char line[3 * MONITOR_LOG_LINE];
	const char *text, *end;
	size_t total = 0;

	memset(line, 'x', sizeof(line));
	say(f, line, sizeof(line));
	for (text = seen(f); *text; text = end + 1) {
		end = strchr(text, '\n');
		assert_non_null(end);
		assert_true(end - text < MONITOR_LOG_LINE + 32);
		total += (size_t)(end - text) - strlen("coffer: monitor: ");
	}
	assert_int_equal(total, sizeof(line));
}

static void shout(struct fixture *f)
{
	static const char line[] = "coffer: 0123456789 0123456789 0123456789\n";

	for (size_t n = 0; n < 2UL * MONITOR_LOG_MAX; n += sizeof(line) - 1)
		say(f, line, sizeof(line) - 1);
}

static void who_says_too_much_is_not_heard(void **state)
{
	struct fixture *f = *state;
	const char *text, *said;

	shout(f);
	text = seen(f);
	assert_true(strlen(text) < MONITOR_LOG_MAX + 200);
	said = strstr(text, "says too much");
	assert_non_null(said);
	assert_null(strstr(said + 1, "says too much")); /* once */
	assert_null(strstr(said, "0123456789"));
}

static void who_debugs_hears_it_all(void **state)
{
	struct fixture *f = *state;

	log_set_level(LOG_DEBUG);
	shout(f);
	assert_true(strlen(seen(f)) >= 2UL * MONITOR_LOG_MAX);
}

static void the_end_of_the_pipe_is_the_end(void **state)
{
	struct fixture *f = *state;

	SAY(f, "coffer: x\n");
	close(f->pipe[1]);
	f->pipe[1] = -1;
	/* a source that stays would be ready for ever */
	loop_step(f->loop, 0);
	assert_int_equal(loop_step(f->loop, 0), 0);
	assert_string_equal(seen(f), "coffer: x\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_own_messages_come_as_they_are),
		TEST(others_are_named),
		TEST(a_line_may_come_in_pieces),
		TEST(a_line_without_its_end),
		TEST(what_nobody_has_read_yet_is_read_at_the_end),
		TEST(empty_lines_vanish),
		TEST(a_terminal_gets_no_commands),
		TEST(names_in_utf_8_stay),
		TEST(a_long_line_is_cut_into_lines),
		TEST(who_says_too_much_is_not_heard),
		TEST(who_debugs_hears_it_all),
		TEST(the_end_of_the_pipe_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
