/* tests/fuzz/fuzz_config_json.c - a hostile --config file. */
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/err.h"
#include "vmm/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	struct run_config c;

	run_config_init(&c);
	if (option_parse_json(&run_option_table, (const char *)data, size, NULL,
			      &c, &err) >= 0)
		run_config_finish(&c, &err);
	run_config_destroy(&c);
	return 0;
}
