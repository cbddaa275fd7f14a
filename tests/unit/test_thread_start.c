/* tests/unit/test_thread_start.c - the hook, and waiting for it. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "vmm/base/thread_start.h"

enum { N = 8 };

static atomic_uint n_through, kinds_seen;

static void slow_hook(enum thread_kind kind)
{
	const struct timespec t = {.tv_nsec = 20000000};

	nanosleep(&t, NULL);
	atomic_fetch_or(&kinds_seen, 1u << kind);
	atomic_fetch_add(&n_through, 1);
}

static void *body(void *arg)
{
	thread_start(*(enum thread_kind *)arg);
	return NULL;
}

static void who_waits_goes_on_when_all_hooks_are_through(void **state)
{
	static enum thread_kind kind[N];
	pthread_t t[N];

	(void)state;
	thread_start_set_hook(slow_hook);
	for (unsigned int round = 1; round <= 2; round++) {
		for (size_t i = 0; i < N; i++) {
			kind[i] = (enum thread_kind)(THREAD_VCPU + i % 3);
			assert_int_equal(
				pthread_create(&t[i], NULL, body, &kind[i]), 0);
			thread_start_created();
		}
		thread_start_wait();
		assert_int_equal(atomic_load(&n_through), round * N);
		for (size_t i = 0; i < N; i++)
			pthread_join(t[i], NULL);
	}
	assert_int_equal(atomic_load(&kinds_seen), 1u << THREAD_VCPU |
							   1u << THREAD_IO |
							   1u << THREAD_WORKER);
	thread_start_set_hook(NULL);
}

static void a_thread_may_be_through_before_it_is_counted(void **state)
{
	enum thread_kind kind = THREAD_IO;
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, body, &kind), 0);
	pthread_join(t, NULL);
	thread_start_created();
	thread_start_wait();
}

static void with_no_thread_nobody_waits(void **state)
{
	(void)state;
	thread_start_wait();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_no_thread_nobody_waits),
		cmocka_unit_test(who_waits_goes_on_when_all_hooks_are_through),
		cmocka_unit_test(a_thread_may_be_through_before_it_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
