/* tests/unit/test_host_config.c - /etc/coffer.conf, right and wrong. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/host_config.h"

static int parse(const char *text, struct host_config *c, struct err *e)
{
	return host_config_parse(text, strlen(text), c, e);
}

static void values_and_comments_are_read(void **state)
{
	struct host_config c;

	(void)state;
	assert_int_equal(parse("# a host\n\n  mktme-syscall =  1000 # ours\r\n",
			       &c, NULL),
			 0);
	assert_int_equal(c.mktme_syscall, 1000);
	assert_int_equal(parse("mktme-syscall=548", &c, NULL), 0);
	assert_int_equal(c.mktme_syscall, 548);
	assert_int_equal(parse("", &c, NULL), 0);
	assert_int_equal(c.mktme_syscall, 0);
}

static void mistakes_are_named_with_their_line(void **state)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
		{"\n\nmktme", "line 3: 'mktme' is not name = value"},
		{"mktme_syscall = 1000", "is not known"},
		{"mktme-syscall = 1e3", "not a number"},
		{"mktme-syscall = -1", "not a number"},
		{"mktme-syscall =", "not a number"},
		{"mktme-syscall = 99999999999999999999", "not a number"},
		{"mktme-syscall = 436",
		 "line 1: system call 436 is close_range"},
		{"mktme-syscall = 0", "every program"},
		{"mktme-syscall=548\nmktme-syscall=548", "line 2"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct host_config c = {.mktme_syscall = 7};
		struct err e = {0};

		assert_int_equal(parse(bad[i].text, &c, &e), -EINVAL);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_non_null(strstr(e.msg, bad[i].word));
		assert_int_equal(c.mktme_syscall, 7);
	}
}

static void what_is_no_text_is_refused(void **state)
{
	static const char zero[] = "mktme-syscall\0= 1000\n";
	char line[400];
	struct host_config c;

	(void)state;
	assert_int_equal(host_config_parse(zero, sizeof(zero) - 1, &c, NULL),
			 -EINVAL);
	memset(line, ' ', sizeof(line));
	assert_int_equal(host_config_parse(line, sizeof(line), &c, NULL),
			 -EINVAL);
}

static void no_file_is_no_setting(void **state)
{
	struct host_config c = {.mktme_syscall = 7};
	struct err e = {0};

	(void)state;
	assert_int_equal(host_config_read("/nonexistent/coffer.conf", &c, &e),
			 0);
	assert_int_equal(c.mktme_syscall, 0);
	assert_int_equal(host_config_read("/proc/self", &c, &e), -EISDIR);
	assert_int_equal(e.kind, ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_comments_are_read),
		cmocka_unit_test(mistakes_are_named_with_their_line),
		cmocka_unit_test(what_is_no_text_is_refused),
		cmocka_unit_test(no_file_is_no_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
