/* vmm/sev_option.h - values of SEV as options have them, for option_desc.parse.
 */
#ifndef VMM_SEV_OPTION_H
#define VMM_SEV_OPTION_H

#include <stdbool.h>
#include <stdint.h>

struct err;

struct policy_config {
	bool given;
	uint32_t value;
};

/* A version of the firmware's API. */
struct sev_api_config {
	bool given;
	uint8_t major, minor;
};

/* @field: a struct policy_config. Errors of sev_policy_parse(). */
int sev_option_policy(void *field, const char *text, struct err *err);

/* @field: a struct sev_api_config; "1.51". -EINVAL */
int sev_option_api(void *field, const char *text, struct err *err);

#endif
