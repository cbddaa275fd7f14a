/* tests/unit/test_vsock_host_guest.c - what the guest asks of the host's end:
 * connections to its sockets. */
#include "tests/unit/unit.h"

#include "tests/unit/vsock_host_fixture.h"

static void the_guest_reaches_the_socket_of_its_port(void **state)
{
	struct fixture *f = *state;
	int listener = serve(f, 1234, 4), fd;
	char c = 0;

	ask(f, 1234, 99);
	assert_true(device_hears(f));
	assert_int_equal(f->m.type, VSOCK_MSG_CONNECTED);
	assert_int_equal(f->m.host_port, 1234);
	assert_int_equal(f->m.guest_port, 1000);
	assert_int_equal(f->m.id, 99);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(write(f->fd, "x", 1), 1);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(recv(f->fd, &c, 1, 0), -1); /* it does not block */
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(counters(f).dialled, 1);
	close(fd);
	stop_serving(f, 1234, listener);
}

static void a_port_nobody_serves_is_refused(void **state)
{
	struct fixture *f = *state;
	int listener = serve(f, 5, 4);

	ask(f, 6, 1);
	assert_true(device_hears(f));
	assert_int_equal(f->m.type, VSOCK_MSG_REFUSED);
	assert_int_equal(f->m.id, 1);
	close(listener); /* and one that is stale */
	ask(f, 5, 2);
	assert_true(device_hears(f));
	assert_int_equal(f->m.type, VSOCK_MSG_REFUSED);
	assert_int_equal(counters(f).dials_refused, 2);
	stop_serving(f, 5, -1);
}

static void the_longest_path_takes_the_longest_port(void **state)
{
	struct fixture *f = *state;
	int listener = serve(f, 4294967294, 4);

	ask(f, 4294967294, 1);
	assert_true(device_hears(f));
	assert_int_equal(f->m.type, VSOCK_MSG_CONNECTED);
	stop_serving(f, 4294967294, listener);
}

static void a_listener_that_is_behind_is_tried_again(void **state)
{
	enum { N = 6 };
	struct fixture *f = *state;
	int listener = serve(f, 80, 0), fd, got = 0;

	for (uint64_t i = 0; i < N; i++)
		ask(f, 80, i);
	for (int i = 0; i < 10; i++)
		turn(f);
	while (vsock_msg_recv(f->device, &f->m, &f->fd) == 1) {
		assert_int_equal(f->m.type, VSOCK_MSG_CONNECTED);
		close(f->fd);
		got++;
	}
	f->fd = -1;
	assert_in_range(got, 1, N - 1);
	for (; got < N; got++) { /* now it accepts, one after the other */
		fd = accept(listener, NULL, NULL);
		assert_true(fd >= 0);
		close(fd);
		assert_true(device_hears(f));
		assert_int_equal(f->m.type, VSOCK_MSG_CONNECTED);
	}
	stop_serving(f, 80, listener);
}

static void a_listener_that_stays_behind_is_given_up(void **state)
{
	struct fixture *f = *state;
	int listener = serve(f, 80, 0);

	for (uint64_t i = 0; i < 3; i++)
		ask(f, 80, i);
	while (!counters(f).dials_refused)
		turn(f);
	stop_serving(f, 80, listener);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define BRISK(f) cmocka_unit_test_setup_teardown(f, setup_brisk, teardown)
#define HASTY(f) cmocka_unit_test_setup_teardown(f, setup_hasty, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_guest_reaches_the_socket_of_its_port),
		CASE(a_port_nobody_serves_is_refused),
		CASE(the_longest_path_takes_the_longest_port),
		BRISK(a_listener_that_is_behind_is_tried_again),
		HASTY(a_listener_that_stays_behind_is_given_up),
	};

	return cmocka_run_group_tests_name("vsock_host_guest", tests, NULL,
					   NULL);
}
