/* tests/unit/test_sev_error.c - every command, every answer of the firmware. */
#include "crypto/sev_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/sev_status.h"
#include "tests/unit/unit.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* Whole, one line, and with everything an operator needs. */
static void check(const struct err *e, const char *cmd, const char *status)
{
	assert_non_null(strstr(e->msg, cmd));
	if (status)
		assert_non_null(strstr(e->msg, status));
	assert_null(strchr(e->msg, '\n'));
	assert_null(strstr(e->msg, "..."));
	assert_non_null(strstr(e->msg, "; ")); /* cause; fix */
	assert_true(e->kind != ERR_UNSET);
}

static void every_code_of_every_command_has_a_whole_message(void **state)
{
	uint32_t code;

	(void)state;
	for (int cmd = 0; cmd < SEV_FW_CMD_COUNT; cmd++) {
		for (size_t i = 0; sev_status_at(i, &code); i++) {
			enum sev_fw_cmd c = (enum sev_fw_cmd)cmd;
			struct err e = {0};

			if (!code)
				continue;
			assert_int_equal(sev_error_set(&e, c, -EIO, code),
					 -EIO);
			check(&e, sev_fw_cmd_name(c),
			      code == SEV_STATUS_NO_FW_CALL
				      ? "not asked"
				      : sev_status_name(code));
		}
	}
}

static void every_errno_of_every_command_has_a_whole_message(void **state)
{
	static const int codes[] = {EPERM,  EIO,    EBADF,  ENOMEM,
				    EACCES, EFAULT, EBUSY,  ENODEV,
				    EINVAL, ENOTTY, EINTR,  ETIMEDOUT,
				    E2BIG,  ENOSPC, EAGAIN, 524};

	(void)state;
	for (int cmd = 0; cmd < SEV_FW_CMD_COUNT; cmd++) {
		for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
			struct err e = {0};

			sev_error_set(&e, (enum sev_fw_cmd)cmd, -codes[i], 0);
			check(&e, sev_fw_cmd_name((enum sev_fw_cmd)cmd), NULL);
		}
	}
	for (int cmd = 0; cmd < SEV_PLATFORM_CMD_COUNT; cmd++) {
		for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
			struct err e = {0};

			sev_platform_error_set(&e, (enum sev_platform_cmd)cmd,
					       -codes[i], 0x7f);
			check(&e, "SEV", "0x7f (without a name)");
		}
	}
}

static void the_usual_mistakes_are_named(void **state)
{
	static const struct {
		enum sev_fw_cmd cmd;
		int code;
		uint32_t status;
		enum err_kind kind;
		const char *says;
	} want[] = {
		{SEV_FW_START, EIO, SEV_STATUS_BAD_MEASUREMENT, ERR_INPUT,
		 "another platform key (PDH), for another policy"},
		{SEV_FW_START, EIO, SEV_STATUS_INVALID_CERTIFICATE, ERR_INPUT,
		 "dh-cert"},
		{SEV_FW_START, EIO, SEV_STATUS_POLICY_FAILURE, ERR_USAGE,
		 "policy"},
		{SEV_FW_INIT, EIO, SEV_STATUS_HWERROR_PLATFORM, ERR_HOST,
		 "SMEE"},
		{SEV_FW_INIT, ENOTTY, 0, ERR_HOST, "minimum SEV non-ES ASID"},
		{SEV_FW_INIT, EBUSY, 0, ERR_HOST, "ASIDs"},
		{SEV_FW_PIN, ENOMEM, 0, ERR_HOST, "locked memory"},
		{SEV_FW_SECRET, EINVAL, 0, ERR_INPUT, "next to each other"},
		{SEV_FW_SECRET, EIO, SEV_STATUS_BAD_MEASUREMENT, ERR_INPUT,
		 "another launch"},
		{SEV_FW_UPDATE_DATA, EPERM, 0, ERR_PERM, "udev"},
		{SEV_FW_FINISH, EIO, SEV_STATUS_INVALID_GUEST_STATE, ERR_HOST,
		 "another state"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct err e = {0};

		sev_error_set(&e, want[i].cmd, -want[i].code, want[i].status);
		assert_int_equal(e.kind, want[i].kind);
		assert_int_equal(e.code, -want[i].code);
		assert_non_null(strstr(e.msg, want[i].says));
	}
}

static void
an_errno_that_comes_with_a_status_is_explained_by_the_status(void **state)
{
	struct err e = {0};

	(void)state;
	sev_error_set(&e, SEV_FW_INIT, -EBUSY, SEV_STATUS_SECURE_DATA_INVALID);
	assert_non_null(strstr(e.msg, "damaged"));
	sev_error_set(&e, SEV_FW_INIT, -EBUSY, SEV_STATUS_NO_FW_CALL);
	assert_non_null(strstr(e.msg, "ASIDs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_code_of_every_command_has_a_whole_message),
		cmocka_unit_test(
			every_errno_of_every_command_has_a_whole_message),
		cmocka_unit_test(the_usual_mistakes_are_named),
		cmocka_unit_test(
			an_errno_that_comes_with_a_status_is_explained_by_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
