/* tests/unit/test_launch_ledger.c - every command is counted once. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/launch_ledger.h"

struct slow {
	struct sev_fw fw;
	unsigned int calls;
	int result;
};

static int count(struct sev_fw *fw, struct sev_fw_call *call)
{
	struct slow *s = (struct slow *)(void *)fw;

	(void)call;
	s->calls++;
	return s->result;
}

static const struct sev_fw_ops count_ops = {.issue = count};

static int update(struct launch_clerk *c, enum sev_fw_cmd cmd, uint64_t len)
{
	struct sev_fw_call call = {.cmd = cmd, .mem = {.len = len}};

	return sev_fw_issue(&c->fw, &call);
}

static void calls_and_bytes_add_up(void **state)
{
	struct slow s = {.fw.ops = &count_ops};
	struct launch_ledger l = {0};
	struct launch_clerk c;

	(void)state;
	launch_clerk_init(&c, &s.fw, &l);
	assert_int_equal(update(&c, SEV_FW_UPDATE_DATA, 4096), 0);
	assert_int_equal(update(&c, SEV_FW_UPDATE_DATA, 176), 0);
	assert_int_equal(update(&c, SEV_FW_PIN, 1 << 20), 0);
	assert_int_equal(s.calls, 3);
	assert_int_equal(l.cmd[SEV_FW_UPDATE_DATA].calls, 2);
	assert_int_equal(l.cmd[SEV_FW_UPDATE_DATA].bytes, 4272);
	assert_int_equal(l.cmd[SEV_FW_PIN].bytes, 1 << 20);
	assert_int_equal(l.cmd[SEV_FW_FINISH].calls, 0);
}

static void a_failure_is_handed_on_and_counted(void **state)
{
	struct slow s = {.fw.ops = &count_ops, .result = -EBUSY};
	struct launch_ledger l = {0};
	struct launch_clerk c;

	(void)state;
	launch_clerk_init(&c, &s.fw, &l);
	assert_int_equal(update(&c, SEV_FW_MEASURE, 0), -EBUSY);
	assert_int_equal(l.cmd[SEV_FW_MEASURE].calls, 1);
}

static void pinning_is_no_wait_for_the_processor(void **state)
{
	struct launch_ledger l = {0};

	(void)state;
	l.cmd[SEV_FW_PIN].ns = 100;
	l.cmd[SEV_FW_UNPIN].ns = 100;
	l.cmd[SEV_FW_START].ns = 7;
	l.cmd[SEV_FW_FINISH].ns = 3;
	assert_int_equal(launch_ledger_waited_ns(&l), 10);
}

static void what_was_not_used_is_not_printed(void **state)
{
	struct launch_ledger l = {0};
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	launch_ledger_print(&l, f);
	fflush(f);
	assert_int_equal(len, 0);
	l.cmd[SEV_FW_UPDATE_DATA] = (struct launch_cost){2, 4272, 1500000};
	launch_ledger_print(&l, f);
	fclose(f);
	assert_non_null(strstr(text, "LAUNCH_UPDATE_DATA        2         4272"
				     "     1.500 ms"));
	assert_null(strstr(text, "LAUNCH_START"));
	assert_non_null(strstr(text, "waited for 1.500 ms"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_and_bytes_add_up),
		cmocka_unit_test(a_failure_is_handed_on_and_counted),
		cmocka_unit_test(pinning_is_no_wait_for_the_processor),
		cmocka_unit_test(what_was_not_used_is_not_printed),
	};

	return cmocka_run_group_tests_name("launch_ledger", tests, NULL, NULL);
}
