/* tests/unit/test_control.c - requests of clients and states of a guest. */
#include "tests/unit/control_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/own.h"

static void pausing_is_answered_when_it_has_paused(void **state)
{
	struct control_fixture *f = *state;

	control_act(f, 0, "pause");
	assert_int_equal(f->s.n_pause, 1);
	control_expect_nothing(f, 0);
	control_set_state(f, SUPERVISOR_PAUSED);
	control_expect(f, 0, 200, "paused");
	control_act(f, 0, "pause");
	control_expect(f, 0, 200, "paused");
	control_act(f, 0, "resume");
	control_expect_nothing(f, 0);
	control_set_state(f, SUPERVISOR_RUNNING);
	control_expect(f, 0, 200, "running");
	control_act(f, 0, "resume");
	control_expect(f, 0, 200, "running");
}

static void requests_are_answered_in_their_order(void **state)
{
	struct control_fixture *f = *state;

	f->s.state = SUPERVISOR_PAUSED;
	control_act(f, 0, "resume");
	control_act(f, 1, "pause");
	control_expect_nothing(f, 1);
	control_set_state(f, SUPERVISOR_RUNNING);
	control_expect(f, 0, 200, "running");
	control_expect_nothing(f, 1);
	control_set_state(f, SUPERVISOR_PAUSED);
	control_expect(f, 1, 200, "paused");
}

static void a_restart_answers_those_who_wait(void **state)
{
	struct control_fixture *f = *state;

	control_act(f, 0, "pause");
	control_set_state(f, SUPERVISOR_STARTING);
	control_expect(f, 0, 409, "\"state\":\"starting\"");
}

static void who_is_overruled_is_told(void **state)
{
	struct control_fixture *f = *state;

	control_act(f, 0, "pause");
	control_act(f, 1, "resume");
	control_expect(f, 1, 200, "running");
	control_expect(f, 0, 409, "resumed before");
}

static void the_end_answers_those_who_wait(void **state)
{
	struct control_fixture *f = *state;

	control_act(f, 0, "pause");
	control_act(f, 1, "kill");
	assert_int_equal(f->s.n_kill, 1);
	control_set_state(f, SUPERVISOR_STOPPING);
	control_expect(f, 0, 409, "\"state\":\"stopping\"");
	control_expect(f, 1, 202, "state");
	control_act(f, 0, "stop"); /* once is enough */
	control_expect(f, 0, 202, "stopping");
	assert_int_equal(f->s.n_stop, 0);
	control_set_state(f, SUPERVISOR_ENDED);
	control_act(f, 0, "resume");
	control_expect(f, 0, 409, "has ended");
}

static void a_client_that_goes_takes_its_call_along(void **state)
{
	struct control_fixture *f = *state;

	control_act(f, 0, "pause");
	control_ask(f, 1, "GET", "/v1/vm", "");
	control_destroy(TAKE(f->control));
	assert_int_equal(f->s.n_cancel, 1);
	assert_int_equal(control_create(f->path, &f->s, &f->control, NULL), 0);
	control_set_state(f, SUPERVISOR_PAUSED); /* nobody is told */
}

static void counters_come_later_or_never(void **state)
{
	struct control_fixture *f = *state;
	struct counters c = {0};

	counters_add(&c, "net0", "rx_frames", 3);
	control_ask(f, 0, "GET", "/v1/vm", "");
	control_expect_nothing(f, 0);
	f->s.fn(f->s.fn_arg, &c);
	control_expect(f, 0, 200, "\"rx_frames\": 3");
	control_ask(f, 0, "GET", "/v1/vm", "");
	f->s.fn(f->s.fn_arg, NULL);
	control_expect(f, 0, 200, "\"counters\": null");
	f->s.answer = -EBUSY;
	control_ask(f, 0, "GET", "/v1/vm", "");
	control_expect(f, 0, 200, "\"counters\": null");
	counters_free(&c);
}

static void a_disk_that_was_resized_is_answered_with_its_size(void **state)
{
	struct control_fixture *f = *state;

	control_ask(f, 0, "PUT", "/v1/disks/size", "{\"lun\":3}");
	control_expect(f, 0, 200, "\"bytes\": 4096");
	control_ask(f, 0, "PUT", "/v1/disks/size", "{\"lun\":4}");
	control_expect(f, 0, 400, "no disk there");
	f->s.answer = -EBUSY;
	control_ask(f, 0, "PUT", "/v1/disks/size", "{\"lun\":3}");
	control_expect(f, 0, 409, "\"state\":\"running\"");
	f->s.state = SUPERVISOR_ENDED;
	control_ask(f, 0, "PUT", "/v1/disks/size", "{\"lun\":3}");
	control_expect(f, 0, 409, "has ended");
}

static void requests_that_cannot_be_made_are_409(void **state)
{
	struct control_fixture *f = *state;

	f->s.answer = -EBUSY;
	control_act(f, 0, "pause");
	control_expect(f, 0, 409, "\"state\":\"running\"");
	f->s.answer = -EPIPE;
	control_act(f, 0, "resume");
	control_expect(f, 0, 500, "not there");
}

static void states_are_told_as_events(void **state)
{
	static const char *const words[] = {
		"\"attached\"", "\"started\"",	   "\"paused\"",
		"\"resumed\"",	"\"reset\"",	   "\"starting\"",
		"\"started\"",	"\"needs-reset\"", "\"net0\"",
		"\"panic\"",	"\"ended\"",
	};
	struct control_fixture *f = *state;
	const char *at = f->got[0];

	control_ask(f, 0, "GET", "/v1/events", "");
	control_set_state(f, SUPERVISOR_RUNNING);
	control_set_state(f, SUPERVISOR_PAUSED);
	control_set_state(f, SUPERVISOR_RUNNING);
	control_set_state(f, SUPERVISOR_STARTING);
	control_set_state(f, SUPERVISOR_RUNNING);
	f->s.watch->ops->event(f->s.watch->arg, MONITOR_EVENT_NEEDS_RESET,
			       "net0");
	f->s.result.how = RUN_PANIC;
	snprintf(f->s.result.why, sizeof(f->s.result.why), "it panicked");
	control_set_state(f, SUPERVISOR_ENDED);
	control_expect(f, 0, 200, "\"event\":\"ended\"");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *found = strstr(at, words[i]);

		if (!found)
			fail_msg("%s is missing in %s", words[i], f->got[0]);
		else
			at = found;
	}
}

int main(void)
{
#define CASE(fn)                                                               \
	cmocka_unit_test_setup_teardown(fn, control_setup, control_teardown)
	const struct CMUnitTest tests[] = {
		CASE(pausing_is_answered_when_it_has_paused),
		CASE(requests_are_answered_in_their_order),
		CASE(a_restart_answers_those_who_wait),
		CASE(who_is_overruled_is_told),
		CASE(the_end_answers_those_who_wait),
		CASE(a_client_that_goes_takes_its_call_along),
		CASE(counters_come_later_or_never),
		CASE(a_disk_that_was_resized_is_answered_with_its_size),
		CASE(requests_that_cannot_be_made_are_409),
		CASE(states_are_told_as_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
