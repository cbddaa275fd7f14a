/* tests/unit/test_io_thread.c - calls posted to another thread. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <semaphore.h>

#include "vmm/base/io_thread.h"

struct seen {
	struct io_thread *t;
	struct io_call a, b;
	int order[8], n, again;
	bool in_thread;
	sem_t done;
};

static void on_a(void *arg)
{
	struct seen *s = arg;

	s->order[s->n++] = 'a';
	s->in_thread = io_thread_is_self(s->t);
	if (s->again-- > 0)
		io_thread_post(s->t, &s->a);
	else
		sem_post(&s->done);
}

static void on_b(void *arg)
{
	struct seen *s = arg;

	s->order[s->n++] = 'b';
	sem_post(&s->done);
}

static int setup(void **state)
{
	static struct seen s;

	s = (struct seen){0};
	s.a = (struct io_call){.fn = on_a, .arg = &s};
	s.b = (struct io_call){.fn = on_b, .arg = &s};
	sem_init(&s.done, 0, 0);
	assert_int_equal(io_thread_create("test", &s.t, NULL), 0);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct seen *s = *state;

	io_thread_destroy(s->t);
	sem_destroy(&s->done);
	return 0;
}

static void calls_run_in_the_thread_in_order(void **state)
{
	struct seen *s = *state;

	io_thread_post(s->t, &s->b);
	io_thread_post(s->t, &s->a);
	io_thread_post(s->t, &s->b); /* pending already */
	assert_int_equal(io_thread_start(s->t, NULL), 0);
	sem_wait(&s->done);
	sem_wait(&s->done);
	io_thread_stop(s->t);
	assert_int_equal(s->n, 2);
	assert_int_equal(s->order[0], 'b');
	assert_int_equal(s->order[1], 'a');
	assert_true(s->in_thread);
}

static void a_call_may_post_itself_again(void **state)
{
	struct seen *s = *state;

	s->again = 3;
	assert_int_equal(io_thread_start(s->t, NULL), 0);
	assert_false(io_thread_is_self(s->t));
	io_thread_post(s->t, &s->a);
	sem_wait(&s->done);
	io_thread_stop(s->t);
	assert_int_equal(s->n, 4);
}

static void stopping_twice_and_never_starting_are_fine(void **state)
{
	struct seen *s = *state;

	io_thread_stop(s->t);
	assert_true(io_thread_is_self(s->t));
	io_thread_post(s->t, &s->a); /* dropped with the thread */
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(calls_run_in_the_thread_in_order),
		CASE(a_call_may_post_itself_again),
		CASE(stopping_twice_and_never_starting_are_fine),
	};

	return cmocka_run_group_tests_name("io_thread", tests, NULL, NULL);
}
