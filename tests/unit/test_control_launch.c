/*
 * tests/unit/test_control_launch.c - secrets, the end of a launch and reports,
 * asked for by clients.
 */
#include "tests/unit/control_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* A packet of the smallest kind. */
#define SECRET                                                                 \
	"{\"header\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAA==\",\"payload\":\"AAAAAAAAAAAAAAAAAAAAAA==\","       \
	"\"address\":8192}"

static void launch(struct control_fixture *f, enum launch_state state,
		   uint32_t n)
{
	struct launch_info i = {
		.kind = LAUNCH_SEV,
		.state = state,
		.n_secrets = n,
		.secret_format = LAUNCH_SECRET_FORMAT_CPIO,
	};

	f->s.watch->ops->launch_info(f->s.watch->arg, &i);
}

static void reply_launch(struct control_fixture *f, int r, const char *msg)
{
	struct err err = {0};

	if (r < 0)
		err_set(&err, r, "%s", msg);
	f->s.watch->ops->launch_answer(f->s.watch->arg, r, &err);
}

static void a_launch_takes_secrets_and_then_runs(void **state)
{
	struct control_fixture *f = *state;

	control_ask(f, 0, "GET", "/v1/launch", "");
	control_expect(f, 0, 404, "not protected");
	control_set_state(f, SUPERVISOR_LAUNCH);
	launch(f, LAUNCH_MEASURED, 0);
	control_ask(f, 2, "GET", "/v1/events", "");
	control_ask(f, 0, "PUT", "/v1/launch/secret", SECRET);
	assert_int_equal(f->s.n_secret, 1);
	assert_int_equal(f->s.gpa, 8192);
	control_ask(f, 1, "PUT", "/v1/launch/finish", "");
	control_expect(f, 1, 503, "at once");
	launch(f, LAUNCH_MEASURED, 1);
	reply_launch(f, 0, "");
	control_expect(f, 0, 200, "\"packets\": 1");
	control_act(f, 0, "resume"); /* finishes it */
	assert_int_equal(f->s.n_finish, 1);
	launch(f, LAUNCH_RUNNING, 1);
	reply_launch(f, 0, "");
	control_expect_nothing(f, 0);
	control_set_state(f, SUPERVISOR_RUNNING);
	control_expect(f, 0, 200, "running");
	control_ask(f, 0, "PUT", "/v1/launch/secret", SECRET);
	control_expect(f, 0, 409, "\"state\":\"running\"");
	assert_int_equal(f->s.n_secret, 1);
	control_expect(f, 2, 200, "launch-finished");
	assert_non_null(strstr(f->got[2], "launch-secret"));
	assert_non_null(strstr(f->got[2], "started"));
}

static void a_secret_that_is_refused_changes_nothing(void **state)
{
	struct control_fixture *f = *state;

	control_set_state(f, SUPERVISOR_LAUNCH);
	launch(f, LAUNCH_MEASURED, 0);
	control_ask(f, 0, "PUT", "/v1/launch/secret", SECRET);
	reply_launch(f, -EINVAL, "not aligned");
	control_expect(f, 0, 400, "not aligned");
	control_ask(f, 0, "PUT", "/v1/launch/finish", "");
	reply_launch(f, -EIO, "LAUNCH_FINISH: hardware");
	control_expect(f, 0, 500, "hardware");
	control_ask(f, 0, "PUT", "/v1/launch/finish", "");
	control_set_state(f, SUPERVISOR_ENDED); /* without an answer */
	control_expect(f, 0, 409, "ended");
}

/* 16 bytes of '0' and of '1'. */
#define NONCE_0 "{\"nonce\":\"MDAwMDAwMDAwMDAwMDAwMA==\"}"
#define NONCE_1 "{\"nonce\":\"MTExMTExMTExMTExMTExMQ==\"}"

static void reply_attestation(struct control_fixture *f, char nonce, int code,
			      const char *msg)
{
	struct monitor_msg_attestation m = {.kind = ERR_HOST, .code = code};

	memset(m.nonce, nonce, sizeof(m.nonce));
	memset(m.report, nonce, 16);
	m.report[SEV_REPORT_LEN - 1] = 1;
	snprintf(m.msg, sizeof(m.msg), "%s", msg);
	f->s.watch->ops->attestation(f->s.watch->arg, &m);
}

static void a_report_is_given_to_who_asked_for_it(void **state)
{
	struct control_fixture *f = *state;

	control_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_0);
	control_expect(f, 0, 404, "not protected");
	launch(f, LAUNCH_RUNNING, 0);
	f->s.answer = -EBUSY;
	control_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_0);
	control_expect(f, 0, 409, "after its launch is finished");
	f->s.answer = 0;
	control_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_0);
	control_ask(f, 1, "PUT", "/v1/launch/attestation", NONCE_1);
	control_expect(f, 1, 503, "at once");
	assert_int_equal(f->s.nonce[15], '0');
	control_set_state(f, SUPERVISOR_PAUSED); /* changes nothing */
	reply_attestation(f, '1', 0, "");
	control_expect_nothing(f, 0);
	reply_attestation(f, '0', 0, "");
	control_expect(f, 0, 200, "\"report\"");
	assert_non_null(strstr(f->got[0], "MDAwMDAwMDAwMDAwMDAwMA=="));
	control_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_1);
	reply_attestation(f, '1', -EIO, "ATTESTATION: hardware");
	control_expect(f, 0, 500, "hardware");
	control_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_1);
	control_set_state(f, SUPERVISOR_ENDED);
	control_expect(f, 0, 409, "ended");
}

static void a_report_that_comes_too_late_is_for_nobody(void **state)
{
	struct control_fixture *f = *state;

	launch(f, LAUNCH_RUNNING, 0);
	control_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_0);
	control_destroy(TAKE(f->control)); /* gives up on it */
	assert_int_equal(control_create(f->path, &f->s, &f->control, NULL), 0);
	launch(f, LAUNCH_RUNNING, 0);
	control_ask(f, 1, "PUT", "/v1/launch/attestation", NONCE_1);
	reply_attestation(f, '0', -EIO, "of the first");
	control_expect_nothing(f, 1);
	reply_attestation(f, '1', 0, "");
	control_expect(f, 1, 200, "MTExMTExMTExMTExMTExMQ==");
	assert_int_equal(f->s.n_attest, 2);
}

int main(void)
{
#define CASE(fn)                                                               \
	cmocka_unit_test_setup_teardown(fn, control_setup, control_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_launch_takes_secrets_and_then_runs),
		CASE(a_secret_that_is_refused_changes_nothing),
		CASE(a_report_is_given_to_who_asked_for_it),
		CASE(a_report_that_comes_too_late_is_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
