/* tests/unit/test_console_relay.c - a monitor that talks, listens, and goes. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/loop.h"
#include "vmm/base/own.h"
#include "vmm/console.h"
#include "vmm/supervisor/console_relay.h"

enum { MUCH = 1 << 20 };

struct fixture {
	struct loop *loop;
	struct console *con;
	struct console_relay *relay;
	int monitor; /* its end of the relay */
	int in[2];   /* what a person types: into in[1] */
	int out[2];  /* what the person sees: from out[0] */
};

static void on_command(void *arg, enum console_command cmd)
{
	(void)arg;
	(void)cmd;
}

static const struct console_owner_ops owner_ops = {on_command};

static int setup(void **state)
{
	static struct fixture f;
	struct console_params p = {.style = CONSOLE_STYLE_STREAM};

	f = (struct fixture){.monitor = -1};
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(f.in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(f.out, O_CLOEXEC | O_NONBLOCK), 0);
	p.in_fd = f.in[0];
	p.out_fd = f.out[1];
	assert_int_equal(loop_create(&f.loop, NULL), 0);
	assert_int_equal(
		console_create(&p, f.loop, &owner_ops, NULL, &f.con, NULL), 0);
	assert_int_equal(
		console_relay_create(f.loop, f.con, &f.relay, &f.monitor, NULL),
		0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	console_relay_destroy(f->relay);
	console_destroy(f->con);
	loop_destroy(f->loop);
	fd_closep(&f->monitor);
	for (int i = 0; i < 2; i++) {
		fd_closep(&f->in[i]);
		fd_closep(&f->out[i]);
	}
	return 0;
}

/* Until nothing happens any more. */
static void settle(struct fixture *f)
{
	for (int i = 0; i < 10000 && loop_step(f->loop, 10) > 0; i++)
		;
}

/* What the person sees from here on, at most @max bytes. */
static size_t see(struct fixture *f, char *buf, size_t max)
{
	size_t n = 0;
	ssize_t r;

	while (n < max && (r = read(f->out[0], buf + n, max - n)) > 0)
		n += (size_t)r;
	return n;
}

static void end_relay(struct fixture *f)
{
	console_relay_destroy(f->relay);
	f->relay = NULL;
}

static void output_reaches_the_reader(void **state)
{
	struct fixture *f = *state;
	char buf[16] = "";

	assert_int_equal(send(f->monitor, "hello\n", 6, 0), 6);
	settle(f);
	assert_int_equal(see(f, buf, sizeof(buf)), 6);
	assert_string_equal(buf, "hello\n");
}

static void input_reaches_the_monitor(void **state)
{
	struct fixture *f = *state;
	char buf[16] = "";

	assert_int_equal(write(f->in[1], "ls\n", 3), 3);
	settle(f);
	assert_int_equal(recv(f->monitor, buf, sizeof(buf), MSG_DONTWAIT), 3);
	assert_string_equal(buf, "ls\n");
}

/* Byte @i of a long text; any loss or repetition shows. */
static char pattern(size_t i)
{
	return (char)('a' + (i / 251 + i) % 26);
}

static void a_slow_reader_loses_nothing(void **state)
{
	struct fixture *f = *state;
	static char text[MUCH], got[MUCH];
	size_t sent = 0, seen = 0;
	bool stuck = false;

	for (size_t i = 0; i < MUCH; i++)
		text[i] = pattern(i);
	for (int round = 0; round < 10000 && seen < MUCH; round++) {
		ssize_t n = send(f->monitor, text + sent, MUCH - sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		else
			stuck |= sent < MUCH;
		for (int i = 0; i < 50; i++)
			loop_step(f->loop, 0);
		seen += see(f, got + seen,
			    MUCH - seen < 5000 ? MUCH - seen : 5000);
	}
	assert_true(stuck); /* the monitor had to wait at least once */
	assert_int_equal(seen, MUCH);
	assert_memory_equal(got, text, MUCH);
	assert_int_equal(console_lost(f->con), 0);
}

static void input_waits_for_a_monitor_that_does_not_read(void **state)
{
	struct fixture *f = *state;
	static char got[MUCH];
	size_t typed = 0, taken = 0;

	fcntl(f->in[1], F_SETFL, O_NONBLOCK);
	for (int round = 0; round < 1000; round++) {
		char c[512];
		ssize_t n;

		for (size_t i = 0; i < sizeof(c); i++)
			c[i] = pattern(typed + i);
		n = write(f->in[1], c, sizeof(c));
		typed += n > 0 ? (size_t)n : 0;
		for (int i = 0; i < 10; i++)
			loop_step(f->loop, 0);
		if (n < 0)
			break;
	}
	for (int round = 0; round < 10000 && taken < typed; round++) {
		ssize_t n = recv(f->monitor, got + taken, sizeof(got) - taken,
				 MSG_DONTWAIT);

		taken += n > 0 ? (size_t)n : 0;
		for (int i = 0; i < 10; i++)
			loop_step(f->loop, 0);
	}
	assert_int_equal(taken, typed);
	for (size_t i = 0; i < taken; i++)
		assert_int_equal(got[i], pattern(i));
}

static void last_words_come_at_the_end(void **state)
{
	struct fixture *f = *state;
	char buf[16] = "";

	assert_int_equal(send(f->monitor, "panic", 5, 0), 5);
	close(f->monitor);
	f->monitor = -1;
	end_relay(f); /* before the loop has seen anything */
	assert_int_equal(see(f, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "panic");
}

/* More than the console holds, from a monitor that is dead already. */
static void long_last_words_are_whole(void **state)
{
	struct fixture *f = *state;
	static char got[MUCH];
	char text[512];
	size_t sent = 0, seen = 0;

	for (;;) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = pattern(sent + i);
		ssize_t n = send(f->monitor, text, sizeof(text), MSG_DONTWAIT);

		if (n <= 0)
			break;
		sent += (size_t)n;
		if (sent > 40000)
			break;
	}
	close(f->monitor);
	f->monitor = -1;
	settle(f);
	seen = see(f, got, sizeof(got));
	end_relay(f);
	seen += see(f, got + seen, sizeof(got) - seen);
	assert_int_equal(seen, sent);
	for (size_t i = 0; i < seen; i++)
		assert_int_equal(got[i], pattern(i));
}

static void typing_to_a_monitor_that_is_gone(void **state)
{
	struct fixture *f = *state;

	close(f->monitor);
	f->monitor = -1;
	settle(f);
	assert_int_equal(write(f->in[1], "x\n", 2), 2);
	settle(f);
	assert_int_equal(write(f->in[1], "y\n", 2), 2);
	settle(f);
}

static void another_monitor_takes_its_place(void **state)
{
	struct fixture *f = *state;
	char buf[16] = "";

	close(f->monitor);
	f->monitor = -1;
	settle(f);
	end_relay(f);
	assert_int_equal(console_relay_create(f->loop, f->con, &f->relay,
					      &f->monitor, NULL),
			 0);
	assert_int_equal(send(f->monitor, "again\n", 6, 0), 6);
	assert_int_equal(write(f->in[1], "in\n", 3), 3);
	settle(f);
	assert_int_equal(see(f, buf, sizeof(buf)), 6);
	assert_int_equal(recv(f->monitor, buf, sizeof(buf), MSG_DONTWAIT), 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output_reaches_the_reader),
		TEST(input_reaches_the_monitor),
		TEST(a_slow_reader_loses_nothing),
		TEST(input_waits_for_a_monitor_that_does_not_read),
		TEST(last_words_come_at_the_end),
		TEST(long_last_words_are_whole),
		TEST(typing_to_a_monitor_that_is_gone),
		TEST(another_monitor_takes_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
