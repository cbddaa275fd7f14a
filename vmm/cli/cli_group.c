/* vmm/cli/cli_group.c - finds a verb's command, and lists them. */
#include "vmm/cli/cli_group.h"

#include <stdio.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/cli/cli_words.h"
#include "vmm/exit_status.h"

static void print_usage(const struct cli_group *g)
{
	printf("Usage: coffer %s COMMAND [OPTION...]\n%s\n\n", g->verb,
	       g->summary);
	for (size_t i = 0; i < g->n; i++)
		printf("  %-12s %s\n", g->v[i].name, g->v[i].options->summary);
	printf("%s\nMore: coffer %s COMMAND --help, %s\n",
	       g->epilogue ? g->epilogue : "", g->verb, g->page);
}

int cli_group_main(const struct cli_group *g, int argc, char *const *argv,
		   void *config)
{
	char help[64];
	const struct cli_words words = {
		.what = "command",
		.help = help,
		.v = g->v,
		.n = g->n,
		.size = sizeof(g->v[0]),
	};
	const struct cli_command *c;
	struct err err = {0};

	if (argc < 2 || !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "help")) {
		print_usage(g);
		return cli_close_stdout(EXIT_STATUS_OK);
	}
	if (!strcmp(argv[1], "--version")) {
		cli_print_version();
		return cli_close_stdout(EXIT_STATUS_OK);
	}
	snprintf(help, sizeof(help), "coffer %s --help", g->verb);
	c = cli_words_find(&words, argv[1], &err);
	if (!c) {
		log_error("%s: %s", g->verb, err.msg);
		return EXIT_STATUS_USAGE;
	}
	return cli_frame(c->options, argc - 1, argv + 1, config, c->run);
}
