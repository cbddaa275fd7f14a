/* tests/unit/test_cli_group.c - a verb with commands: found, listed, refused.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/capture.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cli/cli_group.h"
#include "vmm/cli/cli_words.h"

struct config {
	bool loud;
	char *word;
};

static const struct option_desc options[] = {
	{.name = "loud",
	 .kind = OPTION_FLAG,
	 .off = OPTION_AT(struct config, loud, bool),
	 .help = "say it so"},
	{.name = "WORD",
	 .kind = OPTION_TEXT,
	 .off = OPTION_AT(struct config, word, char *),
	 .help = "what to say",
	 .operand = true,
	 .max = 16},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section sections[] = {
	{"Options", options},
	{0},
};

static void init(void *target)
{
	*(struct config *)target = (struct config){0};
}

static const struct option_table say_table = {
	.verb = "parrot say",
	.synopsis = "[WORD]",
	.summary = "Say it.",
	.sections = sections,
	.size = sizeof(struct config),
	.init = init,
};

static const struct option_table refuse_table = {
	.verb = "parrot refuse",
	.synopsis = "[WORD]",
	.summary = "Say no.",
	.sections = sections,
	.size = sizeof(struct config),
	.init = init,
};

static int say(void *config, int *ret_status, struct err *err)
{
	const struct config *c = config;

	(void)err;
	printf("%s%s\n", c->word ? c->word : "nothing", c->loud ? "!" : "");
	*ret_status = c->loud ? 3 : 0;
	return 0;
}

static int refuse(void *config, int *ret_status, struct err *err)
{
	const struct config *c = config;

	if (c->loud)
		*ret_status = 1;
	printf("I think: ");
	return err_set_kind(err, ERR_INPUT, -EINVAL, "no");
}

static const struct cli_command commands[] = {
	{"say", &say_table, say},
	{"refuse", &refuse_table, refuse},
};

static const struct cli_group group = {
	.verb = "parrot",
	.page = "parrot(6)",
	.summary = "It speaks.",
	.epilogue = "\nIt bites.\n",
	.v = commands,
	.n = ARRAY_SIZE(commands),
};

static int parrot_main(int argc, char *const *argv)
{
	struct config c;

	return cli_group_main(&group, argc, argv, &c);
}

static struct capture said;

static int parrot(const char *word, ...)
{
	va_list ap;
	int r;

	va_start(ap, word);
	r = capture_call(&said, parrot_main, word, ap);
	va_end(ap);
	return r;
}

static void help_lists_commands(void **state)
{
	static const char usage[] = "Usage: coffer parrot COMMAND [OPTION...]\n"
				    "It speaks.\n\n"
				    "  say          Say it.\n"
				    "  refuse       Say no.\n"
				    "\nIt bites.\n"
				    "\nMore: coffer parrot COMMAND --help, "
				    "parrot(6)\n";

	(void)state;
	assert_int_equal(parrot("parrot", NULL), 0);
	assert_string_equal(said.out, usage);
	assert_int_equal(parrot("parrot", "-h", NULL), 0);
	assert_string_equal(said.out, usage);
	assert_int_equal(parrot("parrot", "--help", NULL), 0);
	assert_string_equal(said.out, usage);
	assert_int_equal(parrot("parrot", "help", NULL), 0);
	assert_string_equal(said.out, usage);
	assert_string_equal(said.err, "");
	assert_int_equal(parrot("parrot", "--version", NULL), 0);
	assert_says(said.out, "coffer ");
	assert_int_equal(parrot("parrot", "say", "--help", NULL), 0);
	assert_says(said.out, "--loud");
}

static void a_command_gets_its_options(void **state)
{
	(void)state;
	assert_int_equal(parrot("parrot", "say", NULL), 0);
	assert_string_equal(said.out, "nothing\n");
	assert_int_equal(parrot("parrot", "say", "hello", "--loud", NULL), 3);
	assert_string_equal(said.out, "hello!\n");
	assert_int_equal(parrot("parrot", "say", "--quiet", NULL), 64);
	assert_says(said.err, "coffer: parrot say: --quiet: unknown option");
}

static void a_failure_has_its_status_or_that_of_its_kind(void **state)
{
	(void)state;
	assert_int_equal(parrot("parrot", "refuse", NULL), 66);
	assert_string_equal(said.err, "coffer: parrot refuse: no\n");
	assert_string_equal(said.out, "I think: ");
	assert_int_equal(parrot("parrot", "refuse", "--loud", NULL), 1);
}

static void an_unknown_command_is_bad_usage(void **state)
{
	(void)state;
	assert_int_equal(parrot("parrot", "sya", NULL), 64);
	assert_string_equal(said.err, "coffer: parrot: 'sya': unknown command "
				      "(did you mean 'say'?)\n");
	assert_int_equal(parrot("parrot", "elephant", NULL), 64);
	assert_string_equal(said.err, "coffer: parrot: 'elephant': unknown "
				      "command (coffer parrot --help lists "
				      "them)\n");
	assert_string_equal(said.out, "");
}

static void words_are_the_first_field_of_any_struct(void **state)
{
	static const struct {
		const char *name;
		int legs;
	} animals[] = {{"parrot", 2}, {"ant", 6}};
	const struct cli_words words = {
		.what = "animal",
		.help = "zoo -h",
		.v = animals,
		.n = ARRAY_SIZE(animals),
		.size = sizeof(animals[0]),
	};
	struct err err = {0};

	(void)state;
	assert_ptr_equal(cli_words_find(&words, "ant", &err), &animals[1]);
	assert_int_equal(err.code, 0);
	assert_null(cli_words_find(&words, "", &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.msg, "'': unknown animal (zoo -h lists them)");
	assert_null(cli_words_find(&words, "parot", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_lists_commands),
		cmocka_unit_test(a_command_gets_its_options),
		cmocka_unit_test(a_failure_has_its_status_or_that_of_its_kind),
		cmocka_unit_test(an_unknown_command_is_bad_usage),
		cmocka_unit_test(words_are_the_first_field_of_any_struct),
	};

	return cmocka_run_group_tests_name("cli_group", tests, NULL, NULL);
}
