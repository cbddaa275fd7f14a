/* tests/unit/test_sev_launch.c - the order of a launch, over a fake firmware.
 */
#include "crypto/sev_launch.h"

#include <errno.h>
#include <string.h>

#include "crypto/sev_cert.h"
#include "crypto/sev_status.h"
#include "tests/fake/fake_sev_fw.h"
#include "tests/unit/unit.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

struct fixture {
	struct fake_sev_fw fw;
	struct sev_launch_params p;
	struct sev_launch *l;
	struct err err;
	uint8_t page[4096] __attribute__((aligned(4096)));
	uint8_t hdr[SEV_SECRET_HDR_LEN];
};

static int setup(void **state)
{
	struct fixture *f = aligned_alloc(4096, align_up(sizeof(*f), 4096));

	memset(f, 0, sizeof(*f));
	fake_sev_fw_init(&f->fw);
	f->p = (struct sev_launch_params){
		.fw = &f->fw.fw, .policy = 1, .api_major = 1, .api_minor = 55};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sev_launch_destroy(f->l);
	free(f);
	return 0;
}

static void create(struct fixture *f)
{
	assert_int_equal(sev_launch_create(&f->p, &f->l, &f->err), 0);
}

/* One operation with arguments that are right. */
static int do_op(struct fixture *f, enum sev_launch_op op)
{
	uint8_t report[SEV_REPORT_LEN], mnonce[SEV_NONCE_LEN] = {0};

	switch (op) {
	case SEV_LAUNCH_OP_INIT:
		return sev_launch_init(f->l, &f->err);
	case SEV_LAUNCH_OP_START:
		return sev_launch_start(f->l, &f->err);
	case SEV_LAUNCH_OP_PIN:
		return sev_launch_pin(f->l, f->page, 4096, &f->err);
	case SEV_LAUNCH_OP_UPDATE:
		return sev_launch_update(f->l, f->page, 4096, "kernel",
					 &f->err);
	case SEV_LAUNCH_OP_VMSA:
		return sev_launch_vmsa(f->l, &f->err);
	case SEV_LAUNCH_OP_MEASURE:
		return sev_launch_measure(f->l, &f->err);
	case SEV_LAUNCH_OP_SECRET:
		return sev_launch_secret(f->l, f->hdr, f->page, 64, f->page,
					 &f->err);
	case SEV_LAUNCH_OP_FINISH:
		return sev_launch_finish(f->l, &f->err);
	case SEV_LAUNCH_OP_ATTEST:
		return sev_launch_attest(f->l, mnonce, report, &f->err);
	case SEV_LAUNCH_OP_COUNT:
		break;
	}
	return -ENOSYS;
}

/* The ways into each state; VMSA only with SEV-ES. */
static const enum sev_launch_op whole[] = {
	SEV_LAUNCH_OP_INIT,   SEV_LAUNCH_OP_START, SEV_LAUNCH_OP_PIN,
	SEV_LAUNCH_OP_UPDATE, SEV_LAUNCH_OP_VMSA,  SEV_LAUNCH_OP_MEASURE,
	SEV_LAUNCH_OP_SECRET, SEV_LAUNCH_OP_FINISH};

static int run_until(struct fixture *f, size_t n)
{
	int r = 0;

	create(f);
	for (size_t i = 0; i < n && !r; i++)
		r = do_op(f, whole[i]);
	return r;
}

static void be_es(struct fixture *f)
{
	f->p.es = true;
	f->p.policy = 5;
}

static void a_launch_asks_for_each_command_and_for_the_guests_state(void **st)
{
	static const enum sev_fw_cmd want[] = {
		SEV_FW_INIT,	     SEV_FW_START,	  SEV_FW_GUEST_STATUS,
		SEV_FW_PIN,	     SEV_FW_UPDATE_DATA,  SEV_FW_GUEST_STATUS,
		SEV_FW_UPDATE_VMSA,  SEV_FW_GUEST_STATUS, SEV_FW_MEASURE,
		SEV_FW_GUEST_STATUS, SEV_FW_SECRET,	  SEV_FW_GUEST_STATUS,
		SEV_FW_FINISH,	     SEV_FW_GUEST_STATUS};
	struct fixture *f = *st;

	be_es(f);
	assert_int_equal(run_until(f, ARRAY_SIZE(whole)), 0);
	assert_int_equal(f->fw.n_calls, ARRAY_SIZE(want));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(f->fw.call[i].cmd, want[i]);
	assert_int_equal(sev_launch_state(f->l), SEV_LAUNCH_RUNNING);
	assert_int_equal(sev_launch_handle(f->l), 7);
	assert_int_equal(sev_launch_updated(f->l), 4096);
	assert_int_equal(sev_launch_secrets(f->l), 1);
	assert_int_equal(sev_launch_measurement(f->l)[0], 0x5a);
}

static void
every_operation_is_refused_where_the_table_does_not_have_it(void **st)
{
	struct fixture *f = *st;

	be_es(f);
	for (size_t n = 0; n <= ARRAY_SIZE(whole); n++) {
		fake_sev_fw_init(&f->fw);
		assert_int_equal(run_until(f, n), 0);
		for (int op = 0; op < SEV_LAUNCH_OP_COUNT; op++) {
			size_t calls = f->fw.n_calls;

			if (sev_launch_may(f->l, (enum sev_launch_op)op))
				continue;
			assert_int_equal(do_op(f, (enum sev_launch_op)op),
					 -EBUSY);
			assert_int_equal(f->fw.n_calls, calls);
			assert_non_null(strstr(
				f->err.msg,
				sev_launch_state_name(sev_launch_state(f->l))));
		}
		sev_launch_destroy(f->l);
		f->l = NULL;
	}
}

static void what_may_follow_what(void **st)
{
	/* By number of operations done of `whole`. */
	static const uint32_t legal[] = {
		[0] = BIT32(SEV_LAUNCH_OP_INIT),
		[1] = BIT32(SEV_LAUNCH_OP_START),
		[2] = BIT32(SEV_LAUNCH_OP_PIN) | BIT32(SEV_LAUNCH_OP_UPDATE) |
		      BIT32(SEV_LAUNCH_OP_VMSA) | BIT32(SEV_LAUNCH_OP_MEASURE),
		[6] = BIT32(SEV_LAUNCH_OP_SECRET) | BIT32(SEV_LAUNCH_OP_FINISH),
		[8] = BIT32(SEV_LAUNCH_OP_ATTEST),
	};
	struct fixture *f = *st;

	be_es(f);
	for (size_t n = 0; n < ARRAY_SIZE(legal); n++) {
		if (!legal[n])
			continue;
		fake_sev_fw_init(&f->fw);
		assert_int_equal(run_until(f, n), 0);
		for (unsigned int op = 0; op < SEV_LAUNCH_OP_COUNT; op++)
			assert_int_equal(
				sev_launch_may(f->l, (enum sev_launch_op)op),
				!!(legal[n] & BIT32(op)));
		sev_launch_destroy(f->l);
		f->l = NULL;
	}
}

static void a_failure_anywhere_ends_the_launch_and_unpins(void **st)
{
	struct fixture *f = *st;

	be_es(f);
	for (int cmd = 0; cmd < SEV_FW_CMD_COUNT; cmd++) {
		enum sev_fw_cmd c = (enum sev_fw_cmd)cmd;

		if (c == SEV_FW_UNPIN || c == SEV_FW_ATTESTATION ||
		    c == SEV_FW_SECRET)
			continue;
		fake_sev_fw_init(&f->fw);
		f->fw.fail_cmd = c;
		f->fw.fail_at = 1;
		f->fw.fail_code = -EIO;
		f->fw.fail_status = SEV_STATUS_HWERROR_PLATFORM;
		assert_int_equal(run_until(f, ARRAY_SIZE(whole)), -EIO);
		assert_int_equal(sev_launch_state(f->l), SEV_LAUNCH_FAILED);
		assert_non_null(strstr(f->err.msg, "0x13 HWERROR_PLATFORM"));
		for (int op = 0; op < SEV_LAUNCH_OP_COUNT; op++)
			assert_false(
				sev_launch_may(f->l, (enum sev_launch_op)op));
		assert_null(sev_launch_measurement(f->l));
		sev_launch_destroy(f->l);
		f->l = NULL;
		assert_int_equal(f->fw.pinned, 0);
	}
}

static void a_refused_secret_may_be_followed_by_another(void **st)
{
	struct fixture *f = *st;

	be_es(f);
	f->fw.fail_cmd = SEV_FW_SECRET;
	f->fw.fail_at = 1;
	f->fw.fail_code = -EIO;
	f->fw.fail_status = SEV_STATUS_BAD_MEASUREMENT;
	assert_int_equal(run_until(f, 6), 0);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_SECRET), -EIO);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_SECRET), 0);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_SECRET), 0);
	assert_int_equal(sev_launch_secrets(f->l), 2);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_FINISH), 0);
}

static void packets_that_are_none_are_refused(void **st)
{
	static const size_t len[] = {0, 15, 17, SEV_SECRET_MAX + 16, SIZE_MAX};
	struct fixture *f = *st;

	be_es(f);
	assert_int_equal(run_until(f, 6), 0);
	for (size_t i = 0; i < ARRAY_SIZE(len); i++)
		assert_int_equal(sev_launch_secret(f->l, f->hdr, f->page,
						   len[i], f->page, &f->err),
				 -EINVAL);
	assert_int_equal(sev_launch_secret(f->l, f->hdr, f->page, 16,
					   f->page + 8, &f->err),
			 -EINVAL);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_int_equal(f->fw.n[SEV_FW_SECRET], 0);
	assert_int_equal(sev_launch_state(f->l), SEV_LAUNCH_SECRET);
}

static void large_content_is_launched_in_chunks_in_order(void **st)
{
	struct fixture *f = *st;
	size_t len = 2 * SEV_LAUNCH_CHUNK + 48;
	char *big = aligned_alloc(4096, align_up(len, 4096));

	assert_int_equal(run_until(f, 2), 0);
	f->fw.n_calls = 0;
	assert_int_equal(sev_launch_update(f->l, big, len, "initrd", &f->err),
			 0);
	assert_int_equal(f->fw.n[SEV_FW_UPDATE_DATA], 3);
	for (size_t i = 0; i < 3; i++)
		assert_ptr_equal(f->fw.call[i].mem.hva,
				 big + i * SEV_LAUNCH_CHUNK);
	assert_int_equal(f->fw.call[2].mem.len, 48);
	assert_int_equal(sev_launch_updated(f->l), len);
	free(big);
}

static void content_that_is_not_in_units_of_16_is_our_bug(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(run_until(f, 2), 0);
	assert_int_equal(sev_launch_update(f->l, f->page, 24, "x", &f->err),
			 -EINVAL);
	assert_int_equal(sev_launch_update(f->l, f->page + 8, 16, "x", &f->err),
			 -EINVAL);
	assert_int_equal(sev_launch_update(f->l, f->page, 0, "x", &f->err),
			 -EINVAL);
	assert_int_equal(f->fw.n[SEV_FW_UPDATE_DATA], 0);
}

static void registers_are_launched_once_and_only_with_es(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(run_until(f, 4), 0);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_VMSA), -EINVAL);
	sev_launch_destroy(f->l);
	fake_sev_fw_init(&f->fw);
	be_es(f);
	assert_int_equal(run_until(f, 4), 0);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_MEASURE), -EINVAL);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_VMSA), 0);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_VMSA), -EINVAL);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_MEASURE), 0);
	assert_int_equal(f->fw.n[SEV_FW_UPDATE_VMSA], 1);
}

static void a_firmware_that_disagrees_ends_the_launch(void **st)
{
	struct fixture *f = *st;

	f->fw.lie_state = SEV_GUEST_RUNNING;
	assert_int_equal(run_until(f, 2), -EPROTO);
	assert_int_equal(sev_launch_state(f->l), SEV_LAUNCH_FAILED);
	sev_launch_destroy(f->l);
	fake_sev_fw_init(&f->fw);
	f->fw.lie_policy = 3;
	assert_int_equal(run_until(f, 2), -EPROTO);
	assert_non_null(strstr(f->err.msg, "policy 0x3"));
}

static void certificate_and_session_reach_the_firmware(void **st)
{
	struct fixture *f = *st;
	uint8_t cert[SEV_CERT_LEN], session[SEV_SESSION_LEN];

	memset(cert, 1, sizeof(cert));
	memset(session, 2, sizeof(session));
	f->p.dh_cert = cert;
	f->p.session = session;
	assert_int_equal(run_until(f, 1), 0);
	memset(cert, 0, sizeof(cert)); /* it has its own copy */
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_START), 0);
	assert_true(sev_launch_attested(f->l));
	assert_int_equal(f->fw.call[1].start.dh_cert_len, SEV_CERT_LEN);
	assert_int_equal(*(const uint8_t *)f->fw.call[1].start.dh_cert, 1);
	assert_int_equal(f->fw.call[1].start.session_len, SEV_SESSION_LEN);
	assert_int_equal(f->fw.call[1].start.policy, 1);
}

static void a_launch_without_session_is_not_attested(void **st)
{
	struct fixture *f = *st;
	uint8_t cert[SEV_CERT_LEN] = {0};

	assert_int_equal(run_until(f, 2), 0);
	assert_false(sev_launch_attested(f->l));
	assert_null(f->fw.call[1].start.session);
	sev_launch_destroy(f->l);
	f->l = NULL;
	f->p.dh_cert = cert;
	assert_int_equal(sev_launch_create(&f->p, &f->l, &f->err), -EINVAL);
}

static void policies_that_cannot_be_are_refused(void **st)
{
	static const struct {
		uint32_t policy;
		bool es;
		const char *why;
	} bad[] = {
		{0x40, false, "0x40"},	    {0x5, false, "SEV-ES"},
		{0x1, true, "lacks es"},    {0x38010001, false, "1.56"},
		{0x00020001, false, "2.0"},
	};
	struct fixture *f = *st;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		f->p.policy = bad[i].policy;
		f->p.es = bad[i].es;
		assert_int_equal(sev_launch_create(&f->p, &f->l, &f->err),
				 -EINVAL);
		assert_int_equal(f->err.kind, ERR_USAGE);
		assert_non_null(strstr(f->err.msg, bad[i].why));
	}
	f->p.es = false;
	f->p.policy = 0x37010001; /* API 1.55 is what there is */
	create(f);
}

static void a_report_can_be_had_once_the_guest_runs(void **st)
{
	struct fixture *f = *st;

	be_es(f);
	assert_int_equal(run_until(f, ARRAY_SIZE(whole)), 0);
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_ATTEST), 0);
	f->fw.fail_cmd = SEV_FW_ATTESTATION;
	f->fw.fail_at = 2;
	f->fw.fail_code = -EIO;
	assert_int_equal(do_op(f, SEV_LAUNCH_OP_ATTEST), -EIO);
	assert_int_equal(sev_launch_state(f->l), SEV_LAUNCH_RUNNING);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_launch_asks_for_each_command_and_for_the_guests_state),
		T(every_operation_is_refused_where_the_table_does_not_have_it),
		T(what_may_follow_what),
		T(a_failure_anywhere_ends_the_launch_and_unpins),
		T(a_refused_secret_may_be_followed_by_another),
		T(packets_that_are_none_are_refused),
		T(large_content_is_launched_in_chunks_in_order),
		T(content_that_is_not_in_units_of_16_is_our_bug),
		T(registers_are_launched_once_and_only_with_es),
		T(a_firmware_that_disagrees_ends_the_launch),
		T(certificate_and_session_reach_the_firmware),
		T(a_launch_without_session_is_not_attested),
		T(policies_that_cannot_be_are_refused),
		T(a_report_can_be_had_once_the_guest_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
