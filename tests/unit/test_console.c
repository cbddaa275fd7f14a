/* tests/unit/test_console.c - readers that are slow, absent, or type Ctrl-A. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/base/loop.h"
#include "vmm/base/own.h"
#include "vmm/console.h"

/* The guest's end: takes @room bytes and holds @held back until flushed. */
struct fixture {
	struct loop *loop;
	struct console *con;
	struct console_port port;
	char got[1024];
	size_t n_got, room, quit_at;
	const char *held;
	int commands[4], n_commands;
	int in[2], out[2];
	struct loop_source *stop;
};

static size_t port_input(struct console_port *p, const uint8_t *buf, size_t n)
{
	struct fixture *f = container_of(p, struct fixture, port);

	if (n > f->room)
		n = f->room;
	memcpy(f->got + f->n_got, buf, n);
	f->n_got += n;
	f->room -= n;
	if (f->n_got >= f->quit_at)
		loop_quit(f->loop);
	return n;
}

static void port_flush(struct console_port *p)
{
	struct fixture *f = container_of(p, struct fixture, port);

	if (!f->held)
		return;
	console_output(f->con, (const uint8_t *)f->held, strlen(f->held));
	f->held = NULL;
	loop_set_timer(f->stop, 1);
}

static const struct console_port_ops port_ops = {port_input, port_flush};

static void on_command(void *arg, enum console_command cmd)
{
	struct fixture *f = arg;

	f->commands[f->n_commands++] = (int)cmd;
}

static const struct console_owner_ops owner_ops = {on_command};

static void on_stop(void *arg)
{
	loop_quit(arg);
}

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.port = {&port_ops},
			     .room = 1000,
			     .quit_at = 1000,
			     .in = {-1, -1},
			     .out = {-1, -1}};
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(loop_create(&f.loop, NULL), 0);
	assert_int_equal(loop_add_timer(f.loop, on_stop, f.loop, &f.stop), 0);
	assert_int_equal(pipe2(f.in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(f.out, O_CLOEXEC), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	console_destroy(f->con);
	loop_destroy(f->loop);
	for (int i = 0; i < 2; i++) {
		fd_closep(&f->in[i]);
		fd_closep(&f->out[i]);
	}
	return 0;
}

static void start(struct fixture *f, enum console_style style, int in, int out,
		  bool escapes)
{
	const struct console_params p = {style, in, out, escapes};

	assert_int_equal(
		console_create(&p, f->loop, &owner_ops, f, &f->con, NULL), 0);
	console_plug(f->con, &f->port);
}

static void say(struct fixture *f, const char *text)
{
	console_output(f->con, (const uint8_t *)text, strlen(text));
}

static void output_reaches_the_reader_when_flushed(void **state)
{
	struct fixture *f = *state;
	char buf[16] = "";

	start(f, CONSOLE_STYLE_STREAM, -1, f->out[1], false);
	say(f, "hello\n");
	console_flush(f->con);
	assert_int_equal(read(f->out[0], buf, sizeof(buf)), 6);
	assert_string_equal(buf, "hello\n");
}

static void a_prompt_comes_without_a_line_feed(void **state)
{
	struct fixture *f = *state;
	char buf[16] = "";

	start(f, CONSOLE_STYLE_STREAM, -1, f->out[1], false);
	f->held = "login: ";
	console_output_pending(f->con);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(read(f->out[0], buf, sizeof(buf)), 7);
	assert_string_equal(buf, "login: ");
}

static void input_waits_until_the_guest_has_room(void **state)
{
	struct fixture *f = *state;

	start(f, CONSOLE_STYLE_STREAM, f->in[0], f->out[1], false);
	f->room = 3;
	f->quit_at = 3;
	assert_int_equal(write(f->in[1], "abcdef", 6), 6);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->got, "abc");
	f->room = 10;
	f->quit_at = 6;
	console_input_ready(f->con);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->got, "abcdef");
}

static void a_file_as_stdin_is_read_to_its_end(void **state)
{
	struct fixture *f = *state;
	FILE *file = tmpfile();

	assert_non_null(file);
	fputs("from a file", file);
	fflush(file);
	lseek(fileno(file), 0, SEEK_SET);
	start(f, CONSOLE_STYLE_STREAM, fileno(file), f->out[1], false);
	f->quit_at = 11;
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->got, "from a file");
	fclose(file);
}

/* As the port of a monitor that has gone. */
static size_t takes_all(struct console_port *p, const uint8_t *buf, size_t n)
{
	(void)p;
	(void)buf;
	return n;
}

static void a_file_without_end_leaves_others_their_turn(void **state)
{
	static const struct console_port_ops ops = {takes_all, port_flush};
	AUTO(fd_closep) int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct fixture *f = *state;

	assert_true(zero >= 0);
	f->port.ops = &ops;
	start(f, CONSOLE_STYLE_STREAM, zero, f->out[1], false);
	loop_set_timer(f->stop, 20);
	assert_int_equal(loop_run(f->loop), 0);
	console_plug(f->con, NULL);
}

static void ctrl_a_is_for_us_only_where_a_person_types(void **state)
{
	struct fixture *f = *state;

	start(f, CONSOLE_STYLE_STREAM, f->in[0], f->out[1], true);
	f->quit_at = 3;
	assert_int_equal(write(f->in[1], "a\001xb\001p\001a", 8), 8);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->got, "ab\001");
	assert_int_equal(f->n_commands, 2);
	assert_int_equal(f->commands[0], CONSOLE_CMD_END);
	assert_int_equal(f->commands[1], CONSOLE_CMD_POWER_BUTTON);
}

static void without_a_person_ctrl_a_goes_to_the_guest(void **state)
{
	struct fixture *f = *state;

	start(f, CONSOLE_STYLE_STREAM, f->in[0], f->out[1], false);
	f->quit_at = 2;
	assert_int_equal(write(f->in[1], "\001x", 2), 2);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->got, "\001x");
	assert_int_equal(f->n_commands, 0);
}

static void a_broken_pipe_stops_the_output_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	start(f, CONSOLE_STYLE_STREAM, -1, f->out[1], false);
	close(f->out[0]);
	f->out[0] = -1;
	for (int i = 0; i < 3; i++) {
		say(f, "into the void\n");
		console_flush(f->con);
	}
}

static int listen_at(struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	/* abstract: leaves nothing in the file system */
	snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1,
		 "coffer-test-console-%d", (int)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)a, sizeof(*a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int connect_to(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)a, sizeof(*a)),
			 0);
	return fd;
}

static void a_client_that_comes_late_sees_the_last_lines(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un a;
	int fd = listen_at(&a), client;
	static char line[CONSOLE_BUFFER + 1];
	char buf[16] = "";

	start(f, CONSOLE_STYLE_LISTEN, -1, fd, false);
	/* more than is kept: nobody blocks, the oldest go */
	memset(line, 'x', CONSOLE_BUFFER);
	say(f, line);
	console_flush(f->con);
	say(f, "last\n");
	console_flush(f->con);
	assert_int_equal(console_lost(f->con), CONSOLE_BUFFER / 2);
	client = connect_to(&a);
	loop_set_timer(f->stop, 50);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(recv(client, line, CONSOLE_BUFFER / 2, MSG_WAITALL),
			 CONSOLE_BUFFER / 2);
	assert_int_equal(read(client, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "last\n");
	close(client);
	close(fd);
}

static void the_next_client_is_served_when_one_leaves(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un a;
	int fd = listen_at(&a), first, second;

	start(f, CONSOLE_STYLE_LISTEN, -1, fd, false);
	f->quit_at = 3;
	first = connect_to(&a);
	second = connect_to(&a);
	assert_int_equal(write(first, "one", 3), 3);
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->got, "one");
	assert_int_equal(write(second, "two", 3), 3);
	close(first);
	f->quit_at = 6;
	assert_int_equal(loop_run(f->loop), 0);
	assert_string_equal(f->got, "onetwo");
	close(second);
	close(fd);
}

static void *flush_full_pipe(void *arg)
{
	console_flush(arg);
	return NULL;
}

static void no_op(int signo)
{
	(void)signo;
}

static void a_blocked_writer_gives_up_when_the_machine_stops(void **state)
{
	struct sigaction sa = {.sa_handler = no_op};
	struct fixture *f = *state;
	char fill[4096] = "";
	pthread_t t;

	start(f, CONSOLE_STYLE_STREAM, -1, f->out[1], false);
	fcntl(f->out[1], F_SETFL, O_NONBLOCK);
	while (write(f->out[1], fill, sizeof(fill)) > 0)
		;
	fcntl(f->out[1], F_SETFL, 0);
	say(f, "does not fit\n");
	sigaction(SIGUSR2, &sa, NULL);
	pthread_create(&t, NULL, flush_full_pipe, f->con);
	usleep(10000);
	console_abandon(f->con);
	/* before or after it blocks: one of these interrupts the write */
	while (pthread_tryjoin_np(t, NULL) == EBUSY) {
		pthread_kill(t, SIGUSR2);
		usleep(1000);
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(output_reaches_the_reader_when_flushed),
		CASE(a_prompt_comes_without_a_line_feed),
		CASE(input_waits_until_the_guest_has_room),
		CASE(a_file_as_stdin_is_read_to_its_end),
		CASE(a_file_without_end_leaves_others_their_turn),
		CASE(ctrl_a_is_for_us_only_where_a_person_types),
		CASE(without_a_person_ctrl_a_goes_to_the_guest),
		CASE(a_broken_pipe_stops_the_output_and_nothing_else),
		CASE(a_client_that_comes_late_sees_the_last_lines),
		CASE(the_next_client_is_served_when_one_leaves),
		CASE(a_blocked_writer_gives_up_when_the_machine_stops),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
