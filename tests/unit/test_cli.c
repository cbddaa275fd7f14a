/*
 * tests/unit/test_cli.c - the program without its machine: verbs, messages,
 * exit status, status file. run_vm() is played by this file.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/run_vm.h"

/* What the machine does next, and how often it was asked. */
static struct {
	int code;
	enum err_kind kind;
	struct run_result res;
	int calls;
} machine;

int run_vm(struct run_config *c, struct run_result *res, struct err *err)
{
	assert_true(c->kernel_file.fd >= 0);
	machine.calls++;
	if (machine.code < 0)
		return err_set_kind(err, machine.kind, machine.code,
				    "no such machine");
	*res = machine.res;
	return 0;
}

struct fixture {
	char status_file[32];
	struct capture said;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	snprintf(f->status_file, sizeof(f->status_file),
		 "/tmp/coffer-test-XXXXXX");
	fd = mkstemp(f->status_file);
	assert_true(fd >= 0);
	close(fd);
	memset(&machine, 0, sizeof(machine));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->status_file);
	log_set_level(LOG_INFO);
	free(f);
	return 0;
}

/* Run `coffer ARGS...` (NULL ends them) and return its exit status. */
static int coffer(struct fixture *f, ...)
{
	va_list ap;
	int status;

	va_start(ap, f);
	status = capture_call(&f->said, cli_main, "coffer", ap);
	va_end(ap);
	return status;
}

static void coffer_alone_prints_short_help(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(coffer(f, NULL), 0);
	assert_non_null(strstr(f->said.out, "Usage: coffer VERB"));
	assert_non_null(strstr(f->said.out, "doctor"));
	assert_string_equal(f->said.err, "");
	assert_int_equal(coffer(f, "-h", NULL), 0);
	assert_int_equal(coffer(f, "help", NULL), 0);
	assert_non_null(strstr(f->said.out, "Usage: coffer VERB"));
}

static void a_verb_has_long_and_short_help(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(coffer(f, "help", "run", NULL), 0);
	assert_non_null(strstr(f->said.out, "Exit status\n"));
	assert_non_null(strstr(f->said.out, "  124  "));
	assert_int_equal(coffer(f, "run", "--help", NULL), 0);
	assert_non_null(strstr(f->said.out, "Exit status\n"));
	assert_int_equal(coffer(f, "run", "-h", NULL), 0);
	assert_null(strstr(f->said.out, "Exit status\n"));
	assert_non_null(strstr(f->said.out, "-k, --kernel FILE"));
	assert_int_equal(coffer(f, "help", "doctor", NULL), 0);
	assert_non_null(strstr(f->said.out, "--json"));
	assert_int_equal(coffer(f, "help", "version", NULL), 0);
	assert_int_equal(machine.calls, 0);
}

static void the_version_names_release_and_machine(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(coffer(f, "--version", NULL), 0);
	assert_non_null(strstr(f->said.out, "coffer "));
	assert_non_null(strstr(f->said.out, "q35-coffer-1"));
	assert_int_equal(coffer(f, "version", NULL), 0);
	assert_int_equal(coffer(f, "run", "--version", NULL), 0);
	assert_non_null(strstr(f->said.out, "q35-coffer-1"));
	assert_int_equal(coffer(f, "version", "x", NULL), 64);
}

static void an_unknown_verb_is_bad_usage(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(coffer(f, "rnu", NULL), 64);
	assert_string_equal(
		f->said.err,
		"coffer: 'rnu': unknown verb (did you mean 'run'?)\n");
	assert_int_equal(coffer(f, "elephant", NULL), 64);
	assert_string_equal(f->said.err,
			    "coffer: 'elephant': unknown verb (coffer "
			    "help lists them)\n");
	assert_int_equal(coffer(f, "help", "rum", NULL), 64);
	assert_int_equal(coffer(f, "help", "run", "x", NULL), 64);
	assert_int_equal(coffer(f, "-k", "x", NULL), 64);
	assert_string_equal(f->said.err,
			    "coffer: '-k': a verb comes first, as in "
			    "coffer run -k\n");
}

static void a_bad_option_is_one_line_and_64(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(coffer(f, "run", "-k", "x", "-m", "1X", NULL), 64);
	assert_string_equal(f->said.err,
			    "coffer: run: --memory: '1X' is not a size "
			    "(try 512M)\n");
	assert_string_equal(f->said.out, "");
	assert_int_equal(coffer(f, "run", NULL), 64);
	assert_int_equal(coffer(f, "doctor", "--jsno", NULL), 64);
	assert_int_equal(machine.calls, 0);
}

static void a_bad_input_file_is_66(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(coffer(f, "run", "-k", "/nonexistent", NULL), 66);
	assert_string_equal(
		f->said.err,
		"coffer: run: kernel '/nonexistent' does not exist\n");
	assert_int_equal(coffer(f, "run", "-k", "/tmp", NULL), 66);
	assert_int_equal(
		coffer(f, "run", "-k", "/proc/self/exe", "-i", "/x", NULL), 66);
	assert_int_equal(coffer(f, "run", "-k", "/proc/self/exe",
				"--status-file", "/nonexistent/x", NULL),
			 66);
	assert_int_equal(machine.calls, 0);
}

static void the_end_of_the_guest_is_the_exit_status(void **state)
{
	struct fixture *f = *state;

	machine.res.how = RUN_POWEROFF;
	assert_int_equal(coffer(f, "run", "-k", "/proc/self/exe", NULL), 0);
	assert_string_equal(f->said.err, "");
	machine.res.how = RUN_DEBUG_EXIT;
	machine.res.value = 5;
	assert_int_equal(coffer(f, "run", "-k", "/proc/self/exe", NULL), 5);
	assert_string_equal(f->said.err, "");
	machine.res.how = RUN_PANIC;
	snprintf(machine.res.why, sizeof(machine.res.why),
		 "the guest panicked");
	assert_int_equal(coffer(f, "run", "-qk/proc/self/exe", NULL), 80);
	assert_string_equal(f->said.err, "coffer: run: the guest panicked\n");
	machine.res.how = RUN_TIMEOUT;
	assert_int_equal(coffer(f, "run", "-k", "/proc/self/exe", NULL), 124);
	machine.code = -ENODEV;
	machine.kind = ERR_HOST;
	assert_int_equal(coffer(f, "run", "-k", "/proc/self/exe", NULL), 69);
	assert_string_equal(f->said.err, "coffer: run: no such machine\n");
	machine.kind = ERR_UNSET;
	assert_int_equal(coffer(f, "run", "-k", "/proc/self/exe", NULL), 70);
	assert_int_equal(machine.calls, 6);
}

static void status_is(struct fixture *f, const char *how, int exit_status,
		      const char *why)
{
	json_t *j = json_load_file(f->status_file, 0, NULL);

	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "how")), how);
	assert_int_equal(json_integer_value(json_object_get(j, "exit_status")),
			 exit_status);
	assert_string_equal(json_string_value(json_object_get(j, "why")), why);
	json_decref(j);
}

static void the_status_file_tells_every_end(void **state)
{
	struct fixture *f = *state;

	machine.res.how = RUN_DEBUG_EXIT;
	machine.res.value = 1000;
	assert_int_equal(coffer(f, "run", "-k", "/proc/self/exe",
				"--status-file", f->status_file, NULL),
			 63);
	status_is(f, "debug-exit", 63, "");
	machine.code = -EPERM;
	machine.kind = ERR_PERM;
	assert_int_equal(coffer(f, "run", "-k", "/proc/self/exe",
				"--status-file", f->status_file, NULL),
			 77);
	status_is(f, "error", 77, "no such machine");
}

static void the_status_file_tells_of_mistakes_before_and_after_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(coffer(f, "run", "-c", "0", "--status-file",
				f->status_file, NULL),
			 64);
	status_is(f, "error", 64,
		  "--cpus: '0' is too small; at least 1 is needed");
	assert_int_equal(coffer(f, "run", "--xyzzy", "--status-file",
				f->status_file, NULL),
			 64);
	status_is(f, "error", 64,
		  "--xyzzy: unknown option (coffer run -h lists them)");
	assert_int_equal(coffer(f, "run", "--status-file", f->status_file, "-k",
				"/nonexistent", NULL),
			 66);
	status_is(f, "error", 66, "kernel '/nonexistent' does not exist");
}

static void doctor_reports_and_its_status_agrees(void **state)
{
	struct fixture *f = *state;
	int status = coffer(f, "doctor", "--json", NULL);
	json_t *j = json_loads(f->said.out, 0, NULL);

	assert_non_null(j);
	assert_int_equal(
		status, json_is_true(json_object_get(j, "can_start")) ? 0 : 69);
	json_decref(j);
	assert_int_equal(coffer(f, "doctor", NULL), status);
	assert_non_null(strstr(f->said.out, "kvm.device"));
	assert_null(strchr(f->said.out, '\033'));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(coffer_alone_prints_short_help),
		CASE(a_verb_has_long_and_short_help),
		CASE(the_version_names_release_and_machine),
		CASE(an_unknown_verb_is_bad_usage),
		CASE(a_bad_option_is_one_line_and_64),
		CASE(a_bad_input_file_is_66),
		CASE(the_end_of_the_guest_is_the_exit_status),
		CASE(the_status_file_tells_every_end),
		CASE(the_status_file_tells_of_mistakes_before_and_after_it),
		CASE(doctor_reports_and_its_status_agrees),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
