/* tests/unit/test_loop.c - sources come, fire, and go. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "vmm/base/loop.h"

struct seen {
	struct loop *l;
	struct loop_source *a, *b;
	int n, signo;
	char byte;
};

static int setup(void **state)
{
	static struct seen s;

	s = (struct seen){0};
	assert_int_equal(loop_create(&s.l, NULL), 0);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	loop_destroy(((struct seen *)*state)->l);
	return 0;
}

static void read_and_quit(void *arg, int fd, uint32_t events)
{
	struct seen *s = arg;

	assert_true(events & EPOLLIN);
	assert_int_equal(read(fd, &s->byte, 1), 1);
	s->n++;
	loop_quit(s->l);
}

static void a_readable_descriptor_is_served(void **state)
{
	struct seen *s = *state;
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(
		loop_add_fd(s->l, p[0], EPOLLIN, read_and_quit, s, &s->a), 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(loop_run(s->l), 0);
	assert_int_equal(s->byte, 'x');
	loop_remove(s->a);
	/* removing did not close it */
	assert_int_equal(write(p[1], "y", 1), 1);
	assert_int_equal(read(p[0], &s->byte, 1), 1);
	close(p[0]);
	close(p[1]);
}

static void a_regular_file_is_refused(void **state)
{
	struct seen *s = *state;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(
		loop_add_fd(s->l, fd, EPOLLIN, read_and_quit, s, &s->a),
		-EPERM);
	close(fd);
}

static void count_and_quit(void *arg)
{
	struct seen *s = arg;

	s->n++;
	loop_quit(s->l);
}

static void count_only(void *arg)
{
	((struct seen *)arg)->n += 100;
}

static void a_timer_fires_once_and_a_cancelled_one_never(void **state)
{
	struct seen *s = *state;

	assert_int_equal(loop_add_timer(s->l, count_and_quit, s, &s->a), 0);
	assert_int_equal(loop_add_timer(s->l, count_only, s, &s->b), 0);
	loop_set_timer(s->b, 1);
	loop_set_timer(s->b, 0);
	loop_set_timer(s->a, 20);
	assert_int_equal(loop_run(s->l), 0);
	assert_int_equal(s->n, 1);
	/* it can be set again */
	loop_set_timer(s->a, 1);
	assert_int_equal(loop_run(s->l), 0);
	assert_int_equal(s->n, 2);
}

static void many_wakes_are_one_call(void **state)
{
	struct seen *s = *state;

	assert_int_equal(loop_add_wake(s->l, count_and_quit, s, &s->a), 0);
	for (int i = 0; i < 1000; i++)
		loop_wake(s->a);
	assert_int_equal(loop_run(s->l), 0);
	assert_int_equal(s->n, 1);
}

/* Both are ready; whoever comes first removes itself and the other. */
static void remove_both(void *arg)
{
	struct seen *s = arg;

	s->n++;
	loop_remove(s->a);
	loop_remove(s->b);
	loop_remove(s->a);
	loop_quit(s->l);
}

static void a_source_removed_in_its_batch_is_not_called(void **state)
{
	struct seen *s = *state;

	assert_int_equal(loop_add_wake(s->l, remove_both, s, &s->a), 0);
	assert_int_equal(loop_add_wake(s->l, remove_both, s, &s->b), 0);
	loop_wake(s->a);
	loop_wake(s->b);
	assert_int_equal(loop_run(s->l), 0);
	assert_int_equal(s->n, 1);
}

static void on_signal(void *arg, int signo)
{
	struct seen *s = arg;

	s->signo = signo;
	loop_quit(s->l);
}

static void signals_arrive_in_the_loop_and_the_mask_comes_back(void **state)
{
	struct seen *s = *state;
	sigset_t set, now;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(loop_add_signals(s->l, &set, on_signal, s), 0);
	raise(SIGUSR1);
	assert_int_equal(loop_run(s->l), 0);
	assert_int_equal(s->signo, SIGUSR1);
	loop_destroy(s->l);
	s->l = NULL;
	sigprocmask(SIG_SETMASK, NULL, &now);
	assert_false(sigismember(&now, SIGUSR1));
}

static void a_quit_before_the_run_counts(void **state)
{
	struct seen *s = *state;

	loop_quit(s->l);
	assert_int_equal(loop_run(s->l), 0);
}

static void count(void *arg)
{
	struct seen *s = arg;

	s->n++;
}

static void a_step_serves_what_is_ready_and_waits_no_longer(void **state)
{
	struct seen *s = *state;

	assert_int_equal(loop_add_wake(s->l, count, s, &s->a), 0);
	assert_int_equal(loop_add_wake(s->l, count, s, &s->b), 0);
	assert_int_equal(loop_step(s->l, 0), 0);
	assert_int_equal(loop_step(s->l, 1), 0);
	loop_wake(s->a);
	loop_wake(s->b);
	loop_wake(s->b);
	assert_int_equal(loop_step(s->l, -1), 2);
	assert_int_equal(s->n, 2);
	assert_int_equal(loop_step(s->l, 0), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_readable_descriptor_is_served),
		CASE(a_regular_file_is_refused),
		CASE(a_timer_fires_once_and_a_cancelled_one_never),
		CASE(many_wakes_are_one_call),
		CASE(a_source_removed_in_its_batch_is_not_called),
		CASE(signals_arrive_in_the_loop_and_the_mask_comes_back),
		CASE(a_quit_before_the_run_counts),
		CASE(a_step_serves_what_is_ready_and_waits_no_longer),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
