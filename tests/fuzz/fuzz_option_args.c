/* tests/fuzz/fuzz_option_args.c - a command line, one argument per line. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/config.h"

enum { ARGS_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(freep) char *text = malloc(size + 1);
	char *argv[ARGS_MAX] = {(char *)"run"};
	enum option_outcome outcome;
	struct err err = {0};
	struct run_config c;
	char *rest = text;
	int argc = 1;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	while (rest && argc < ARGS_MAX)
		argv[argc++] = strsep(&rest, "\n");
	/* This one would read files of the machine that fuzzes. */
	if (memmem(data, size, "--config", 8))
		return 0;
	run_config_init(&c);
	if (option_parse_args(&run_option_table, argc, argv, &c, &outcome,
			      &err) >= 0)
		run_config_finish(&c, &err);
	run_config_destroy(&c);
	return 0;
}
