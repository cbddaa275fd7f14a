/*
 * tests/unit/test_vcpu.c - the thread's life before KVM has made what it runs:
 * a start may fail in between. What it does then needs KVM (tests/guest).
 */
#include "tests/unit/unit.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "vmm/base/own.h"
#include "vmm/base/thread_start.h"
#include "vmm/vcpu.h"

struct fixture {
	struct vcpu_owner owner;
	atomic_uint n_held;
	struct vcpu *v;
};

static void on_held(struct vcpu_owner *o)
{
	atomic_fetch_add(&container_of(o, struct fixture, owner)->n_held, 1);
}

static const struct vcpu_owner_ops ops = {.held = on_held};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.owner.ops = &ops;
	*state = &f;
	return vcpu_create(3, NULL, NULL, &f.owner, &f.v, NULL);
}

static int teardown(void **state)
{
	vcpu_destroy(((struct fixture *)*state)->v);
	return 0;
}

static void end(struct fixture *f)
{
	vcpu_stop(f->v);
	vcpu_join(f->v);
	vcpu_join(f->v); /* nothing is left to wait for */
}

static void it_is_held_from_the_start(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vcpu_start(f->v, NULL), 0);
	thread_start_wait();
	while (!vcpu_is_held(f->v))
		sched_yield();
	end(f);
	assert_int_equal(atomic_load(&f->n_held), 1);
}

static void it_ends_at_once_and_was_given_nothing(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(vcpu_start(f->v, NULL), 0);
		end(f);
		teardown(state);
		assert_int_equal(setup(state), 0);
	}
}

static void it_need_not_have_started(void **state)
{
	end(*state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_held_from_the_start),
		CASE(it_ends_at_once_and_was_given_nothing),
		CASE(it_need_not_have_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
