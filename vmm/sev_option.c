/* vmm/sev_option.c - a guest's policy, a firmware's version. */
#include "vmm/sev_option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/sev_policy.h"
#include "vmm/base/err.h"

int sev_option_policy(void *field, const char *text, struct err *err)
{
	struct policy_config p = {.given = true};
	int r = sev_policy_parse(text, &p.value, err);

	if (r >= 0)
		*(struct policy_config *)field = p;
	return r;
}

int sev_option_api(void *field, const char *text, struct err *err)
{
	char form[32];
	uint32_t policy;

	/* The form in which a policy has it. */
	snprintf(form, sizeof(form), "api=%s", text);
	if (strlen(text) > 7 || sev_policy_parse(form, &policy, NULL) < 0)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "'%.32s': expected MAJOR.MINOR, as 1.51",
				    text);
	*(struct sev_api_config *)field =
		(struct sev_api_config){true, sev_policy_api_major(policy),
					sev_policy_api_minor(policy)};
	return 0;
}
