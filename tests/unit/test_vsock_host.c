/* tests/unit/test_vsock_host.c - the host's end: its clients, the channel to
 * the device, its life. */
#include "tests/unit/unit.h"

#include <sys/resource.h>

#include "tests/unit/vsock_host_fixture.h"

/* --- host to guest
 * ------------------------------------------------------------- */

static void a_client_is_handed_over_with_its_port(void **state)
{
	struct fixture *f = *state;
	int fd = client(f, "CONNECT 4294967294\n");

	assert_true(device_hears(f));
	assert_int_equal(f->m.type, VSOCK_MSG_OFFER);
	assert_int_equal(f->m.guest_port, 4294967294);
	assert_int_equal(write(f->fd, "OK 7\n", 5), 5);
	close(f->fd);
	f->fd = -1;
	{
		char buf[8] = "";

		assert_int_equal(read(fd, buf, sizeof(buf)), 5);
		assert_string_equal(buf, "OK 7\n");
	}
	assert_int_equal(counters(f).offered, 1);
	close(fd);
}

static void what_follows_the_line_is_left_for_the_guest(void **state)
{
	struct fixture *f = *state;
	int fd = client(f, "CONNECT 22\nCONNECT 23\nand more");
	char buf[64] = "";

	assert_true(device_hears(f));
	assert_int_equal(f->m.guest_port, 22);
	assert_true(read(f->fd, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "CONNECT 23\nand more");
	close(fd);
}

static void a_line_may_come_in_pieces(void **state)
{
	struct fixture *f = *state;
	int fd = client(f, "CON");

	turn(f);
	assert_int_equal(write(fd, "NECT 4", 6), 6);
	turn(f);
	assert_int_equal(write(fd, "2", 1), 1);
	turn(f);
	assert_int_equal(write(fd, "\nx", 2), 2);
	assert_true(device_hears(f));
	assert_int_equal(f->m.guest_port, 42);
	close(fd);
}

static void a_bad_line_closes_the_client(void **state)
{
	const char *bad[] = {
		"\n",
		"CONNECT\n",
		"CONNECT \n",
		"CONNECT -1\n",
		"CONNECT +1\n",
		"CONNECT  1\n",
		"CONNECT 1 \n",
		"CONNECT 1\r\n",
		"CONNECT 0x10\n",
		"CONNECT 4294967295\n",
		"CONNECT 4294967296\n",
		"CONNECT 00000000022\n",
		"CONNECT 99999999999999999999\n",
		"connect 22\n",
		" CONNECT 22\n",
		"GET / HTTP/1.1\r\n",
		"CONNECT 1111111111111111111111111111111111111111",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int fd = client(f, bad[i]);

		assert_true(is_closed(f, fd));
		close(fd);
	}
	assert_int_equal(counters(f).bad_clients, ARRAY_SIZE(bad));
	assert_int_equal(counters(f).offered, 0);
	assert_int_equal(vsock_msg_recv(f->device, &f->m, &f->fd), -EAGAIN);
}

static void a_zero_byte_does_not_end_a_line(void **state)
{
	struct fixture *f = *state;
	int fd = at(f->path, false, 0);

	assert_int_equal(send(fd, "CONNECT 22\0 \n", 13, 0), 13);
	assert_true(is_closed(f, fd));
	close(fd);
}

static void a_client_that_leaves_early_is_forgotten(void **state)
{
	struct fixture *f = *state;

	close(client(f, "CONNECT 2"));
	close(client(f, ""));
	while (counters(f).bad_clients < 2)
		turn(f);
	assert_int_equal(counters(f).clients, 2);
}

static void a_client_that_says_nothing_is_closed_in_time(void **state)
{
	struct fixture *f = *state;
	int a = client(f, ""), b = client(f, "CONNECT 22");

	assert_true(is_closed(f, a));
	assert_true(is_closed(f, b));
	assert_int_equal(counters(f).bad_clients, 2);
	close(a);
	close(b);
}

static void more_clients_than_allowed_wait_for_their_turn(void **state)
{
	enum { N = VSOCK_HOST_CLIENTS_MAX + 20 };
	struct fixture *f = *state;
	static int fd[N];

	for (int i = 0; i < N; i++) {
		fd[i] = client(f, "CONNECT ");
		if (i % 16 == 0)
			turn(f);
	}
	for (int i = 0; i < 40; i++)
		turn(f);
	assert_int_equal(counters(f).clients, VSOCK_HOST_CLIENTS_MAX);
	assert_int_equal(write(fd[0], "22\n", 3), 3);
	assert_true(device_hears(f)); /* one leaves, one comes */
	while (counters(f).clients < VSOCK_HOST_CLIENTS_MAX + 1)
		turn(f);
	for (int i = 1; i < N; i++)
		assert_int_equal(write(fd[i], "22\n", 3), 3);
	for (int i = 1; i < N; i++)
		assert_true(device_hears(f));
	for (int i = 0; i < N; i++)
		close(fd[i]);
	assert_int_equal(counters(f).offered, N);
}

static void without_descriptors_clients_wait(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, low;
	int fd = client(f, "CONNECT 22\n");

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (int i = 0; i < 5; i++)
		turn(f);
	assert_int_equal(counters(f).clients, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(device_hears(f));
	assert_int_equal(f->m.guest_port, 22);
	close(fd);
}

/* --- the channel
 * ------------------------------------------------------------------- */

static void a_device_that_is_behind_gets_every_answer(void **state)
{
	enum { N = 600 };
	struct fixture *f = *state;
	bool seen[N] = {false};

	for (uint64_t sent = 0; sent < N; sent++) {
		struct vsock_msg m = {
			.type = VSOCK_MSG_CONNECT, .host_port = 9, .id = sent};

		while (vsock_msg_send(f->device, &m, -1) == -EAGAIN)
			turn(f);
	}
	for (int i = 0; i < 50; i++)
		turn(f);
	assert_true(counters(f).dials_refused < N); /* the channel is full */
	for (int i = 0; i < N; i++) {
		assert_true(device_hears(f));
		assert_int_equal(f->m.type, VSOCK_MSG_REFUSED);
		assert_false(seen[f->m.id]);
		seen[f->m.id] = true;
	}
}

/* Nor does it keep more than it can have asked for. */
static void a_device_that_asks_without_end_is_not_remembered(void **state)
{
	enum { N = VSOCK_HOST_DIALS_MAX + 1500 };
	const struct vsock_msg m = {.type = VSOCK_MSG_CONNECT, .host_port = 9};
	struct fixture *f = *state;
	unsigned int answers = 0;

	for (unsigned int i = 0; i < N; i++)
		while (vsock_msg_send(f->device, &m, -1) == -EAGAIN)
			turn(f);
	for (int i = 0; i < 20; i++)
		turn(f);
	/* what was dropped counts at once, what waits does not yet */
	assert_true(counters(f).dials_refused > 0);
	while (counters(f).dials_refused < N) {
		assert_true(device_hears(f));
		answers++;
	}
	while (vsock_msg_recv(f->device, &f->m, &f->fd) == 1)
		answers++;
	assert_true(answers >= VSOCK_HOST_DIALS_MAX);
	assert_true(answers < N);
}

static void messages_that_are_not_for_us_are_dropped(void **state)
{
	const struct vsock_msg refused = {.type = VSOCK_MSG_REFUSED};
	const struct vsock_msg offer = {.type = VSOCK_MSG_OFFER};
	struct fixture *f = *state;
	int fd[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	assert_int_equal(vsock_msg_send(f->device, &refused, -1), 0);
	assert_int_equal(vsock_msg_send(f->device, &offer, fd[0]), 0);
	assert_int_equal(send(f->device, "junk", 4, 0), 4);
	close(fd[0]);
	assert_true(is_closed(f, fd[1]));
	close(fd[1]);
	ask(f, 9, 3);
	assert_true(device_hears(f));
	assert_int_equal(f->m.id, 3);
}

static void when_the_device_is_gone_clients_are_closed(void **state)
{
	struct fixture *f = *state;
	int fd = client(f, "CONN");

	turn(f);
	close(f->device);
	f->device = -1;
	assert_true(is_closed(f, fd));
	close(fd);
	turn(f);
}

/* --- life
 * ----------------------------------------------------------------------------
 */

static void the_socket_is_removed_in_the_end(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(lstat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	vsock_host_destroy(f->h);
	f->h = NULL;
	assert_int_equal(lstat(f->path, &st), -1);
}

static void a_path_in_use_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	struct vsock_host_params p = {
		.path = f->path, .loop = f->loop, .channel = f->device};
	struct vsock_host *other = NULL;
	struct err err = {0};

	assert_int_equal(vsock_host_create(&p, &other, &err), -EADDRINUSE);
	assert_non_null(strstr(err.msg, f->path));
	close(client(f, "CONNECT 22\n"));
	assert_true(device_hears(f)); /* the channel is open, too */
}

static void a_path_without_room_for_a_port_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[VSOCK_HOST_PATH_MAX + 2];
	struct vsock_host_params p = {
		.path = path, .loop = f->loop, .channel = f->device};
	struct vsock_host *other = NULL;
	struct err err = {0};

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = 0;
	assert_int_equal(vsock_host_create(&p, &other, &err), -ENAMETOOLONG);
	assert_int_equal(err.kind, ERR_USAGE);
	path[sizeof(path) - 2] = 0; /* this one just fits */
	memcpy(path, "/none/", 6);
	assert_int_equal(vsock_host_create(&p, &other, &err), -ENOENT);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define HASTY(f) cmocka_unit_test_setup_teardown(f, setup_hasty, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_client_is_handed_over_with_its_port),
		CASE(what_follows_the_line_is_left_for_the_guest),
		CASE(a_line_may_come_in_pieces),
		CASE(a_bad_line_closes_the_client),
		CASE(a_zero_byte_does_not_end_a_line),
		CASE(a_client_that_leaves_early_is_forgotten),
		HASTY(a_client_that_says_nothing_is_closed_in_time),
		CASE(more_clients_than_allowed_wait_for_their_turn),
		HASTY(without_descriptors_clients_wait),
		CASE(a_device_that_is_behind_gets_every_answer),
		CASE(a_device_that_asks_without_end_is_not_remembered),
		CASE(messages_that_are_not_for_us_are_dropped),
		CASE(when_the_device_is_gone_clients_are_closed),
		CASE(the_socket_is_removed_in_the_end),
		CASE(a_path_in_use_is_refused_and_left_alone),
		CASE(a_path_without_room_for_a_port_is_refused),
	};

	return cmocka_run_group_tests_name("vsock_host", tests, NULL, NULL);
}
