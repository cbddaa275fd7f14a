/*
 * tests/unit/test_owner_cli.c - the owner's program as it is typed: operands,
 * statuses, one message.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/capture.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"
#include "vmm/base/own.h"
#include "vmm/cli/owner_cli.h"
#include "vmm/cli/owner_options.h"

#define MEASUREMENT                                                            \
	"lswbxWxI9gckya16JQvdFtpYmNO4b+3inAPpqsgoBI7DE/q1EcIWsVBbGy6pkDxA"
#define DIGEST "xkvRAfyaSizgonxAjZIAkR8TmolUabBKQKb6KJCDDSM="

struct fixture {
	struct owner_dir d;
	struct capture said;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	owner_dir_create(&f->d);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	owner_dir_destroy(&f->d);
	free(f);
	return 0;
}

/* Run with these words (NULL ends them); the exit status. */
static int owner(struct fixture *f, ...)
{
	va_list ap;
	int status;

	va_start(ap, f);
	status = capture_call(&f->said, owner_cli_main, "owner", ap);
	va_end(ap);
	return status;
}

static void help_lists_commands_and_statuses(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(owner(f, NULL), 0);
	assert_says(f->said.out, "  session  ");
	assert_says(f->said.out, "  66  ");
	assert_int_equal(owner(f, "--help", NULL), 0);
	assert_says(f->said.out, "Usage: coffer owner");
	assert_int_equal(owner(f, "--version", NULL), 0);
	assert_says(f->said.out, "coffer ");
	assert_int_equal(owner(f, "verify", "--help", NULL), 0);
	assert_says(f->said.out, "--min-build");
	assert_int_equal(owner(f, "secret", "-h", NULL), 0);
	assert_says(f->said.out, "  HEADER  ");
	assert_says(f->said.out, "coffer-owner(1)");
}

static void every_table_has_help_in_80_columns(void **state)
{
	static const struct option_table *const tables[] = {
		&owner_session_table, &owner_measure_table, &owner_verify_table,
		&owner_secret_table,  &owner_inspect_table,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		char *text = NULL;
		size_t len = 0, column = 0;
		FILE *out = open_memstream(&text, &len);

		option_print_long_help(tables[i], out);
		fclose(out);
		for (const char *p = text; *p; p++) {
			column = *p == '\n' ? 0 : column + 1;
			assert_true(column < 80);
		}
		free(text);
	}
}

static void mistyped_commands_name_the_nearest(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(owner(f, "sesion", NULL), 64);
	assert_says(f->said.err, "did you mean 'session'?");
	assert_int_equal(owner(f, "zzzzzz", NULL), 64);
	assert_says(f->said.err, "unknown command");
}

static void operands_are_required_and_counted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(owner(f, "session", NULL), 64);
	assert_says(f->said.err, "CHAIN is missing");
	assert_int_equal(owner(f, "session", "chain", NULL), 64);
	assert_says(f->said.err, "POLICY is missing");
	assert_int_equal(owner(f, "session", "chain", "1", "x", NULL), 64);
	assert_says(f->said.err, "'x': not an option, and no other argument");
	assert_int_equal(owner(f, "session", "chain", "0xg", NULL), 64);
	assert_says(f->said.err, "POLICY: policy '0xg'");
	assert_int_equal(owner(f, "session", "chain", "0x40", NULL), 64);
	assert_says(f->said.err, "reserved");
	/* an operand is no option */
	assert_int_equal(owner(f, "session", "--CHAIN", "x", "1", NULL), 64);
	assert_says(f->said.err, "--CHAIN: unknown option");
}

static void operands_and_options_mix(void **state)
{
	struct fixture *f = *state;
	const char *none = owner_path(&f->d, "none");

	assert_int_equal(owner(f, "session", none, "--force", "-n", "x",
			       "nodbg,es", NULL),
			 66);
	assert_says(f->said.err, "does not exist");
	assert_int_equal(owner(f, "session", "--", none, "1", NULL), 66);
	assert_int_equal(owner(f, "session", "--simulated", "--unverified",
			       none, "1", NULL),
			 64);
}

static void what_a_command_needs_is_named(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(owner(f, "verify", NULL), 64);
	assert_says(f->said.err, "--tik is missing");
	assert_int_equal(owner(f, "verify", "--tik", "x", "--api", "1.2", NULL),
			 64);
	assert_says(f->said.err, "--build is missing");
	assert_int_equal(owner(f, "verify", "--tik", "x", "--build", "2", NULL),
			 64);
	assert_says(f->said.err, "--api is missing");
	assert_int_equal(owner(f, "verify", "--api", "1", NULL), 64);
	assert_says(f->said.err, "expected MAJOR.MINOR");
	assert_int_equal(owner(f, "verify", "--min-api", "1.256", NULL), 64);
	assert_int_equal(owner(f, "verify", "--min-build", "256", NULL), 64);
	assert_int_equal(owner(f, "secret", "--tik", "x", "a", "b", NULL), 64);
	assert_says(f->said.err, "--tek is missing");
	assert_int_equal(
		owner(f, "secret", "--tik", "x", "--tek", "y", "a", "b", NULL),
		64);
	assert_says(f->said.err, "--secret is missing");
	assert_int_equal(owner(f, "inspect", NULL), 64);
	assert_int_equal(owner(f, "measure", NULL), 64);
}

static const char *put_tik(struct fixture *f)
{
	uint8_t tik[16];

	unhex("3569cf61a32a602b87185ac6e0f55913", tik, 16);
	return owner_put(&f->d, "tik", tik, 16);
}

/* The measurement that sevctl's own test expects. */
static void a_launch_given_by_its_values_verifies(void **state)
{
	struct fixture *f = *state;
	const char *tik = put_tik(f);

	assert_int_equal(owner(f, "verify", "--tik", tik, "--measurement",
			       MEASUREMENT, "--api", "1.40", "--build", "40",
			       "--policy", "3", "--digest", DIGEST, "--min-api",
			       "1.40", "--min-build", "40", NULL),
			 0);
	assert_says(f->said.out, "VERIFIED\n");
	assert_string_equal(f->said.err, "");
}

static void no_is_said_by_status_1(void **state)
{
	struct fixture *f = *state;
	const char *tik = put_tik(f);

	assert_int_equal(owner(f, "verify", "--tik", tik, "--measurement",
			       MEASUREMENT, "--api", "1.40", "--build", "41",
			       "--policy", "3", "--digest", DIGEST, NULL),
			 1);
	assert_string_equal(f->said.out, "");
	assert_says(f->said.err, "owner verify: NOT VERIFIED");
	assert_ptr_equal(strchr(f->said.err, '\n'),
			 f->said.err + strlen(f->said.err) - 1);
	assert_int_equal(owner(f, "verify", "--tik", tik, "--measurement",
			       MEASUREMENT, "--api", "1.40", "--build", "40",
			       "--policy", "3", "--digest", DIGEST,
			       "--min-build", "41", NULL),
			 1);
	assert_says(f->said.err, "--min-build 41");
}

static void measure_prints_what_sevctl_does(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(owner(f, "measure", "--tik", put_tik(f),
			       "--measurement", MEASUREMENT, "--api", "1.40",
			       "--build", "40", "--policy", "3", "--digest",
			       DIGEST, NULL),
			 0);
	assert_string_equal(f->said.out,
			    "c64bd101fc9a4a2ce0a27c408d9200911f139a895469b04a4"
			    "0a6fa2890830d23\n" MEASUREMENT "\n");
}

static void inspect_takes_many_files(void **state)
{
	struct fixture *f = *state;
	const char *tik = put_tik(f);

	assert_int_equal(
		owner(f, "inspect", tik, tik, "--policy", "0x37", NULL), 0);
	assert_says(f->said.out, "policy 0x37 (55)");
	assert_says(f->said.out, "/tik:\na key of 16 bytes");
	assert_int_equal(owner(f, "inspect", owner_path(&f->d, "none"), NULL),
			 66);
}

static int owner_with_a_full_disk(int argc, char *const *argv)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), status;

	assert_true(full >= 0 && dup2(full, STDOUT_FILENO) >= 0);
	close(full);
	status = owner_cli_main(argc, argv);
	clearerr(stdout);
	return status;
}

static int owner_fails(struct fixture *f, ...)
{
	va_list ap;
	int status;

	va_start(ap, f);
	status = capture_call(&f->said, owner_with_a_full_disk, "owner", ap);
	va_end(ap);
	return status;
}

static void a_full_disk_is_no_success(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(owner_fails(f, "inspect", "--policy", "1", NULL), 69);
	assert_says(f->said.err, "cannot write");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(help_lists_commands_and_statuses),
		CASE(every_table_has_help_in_80_columns),
		CASE(mistyped_commands_name_the_nearest),
		CASE(operands_are_required_and_counted),
		CASE(operands_and_options_mix),
		CASE(what_a_command_needs_is_named),
		CASE(a_launch_given_by_its_values_verifies),
		CASE(no_is_said_by_status_1),
		CASE(measure_prints_what_sevctl_does),
		CASE(inspect_takes_many_files),
		CASE(a_full_disk_is_no_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
