/* owner/owner_report_file.c - a report in JSON, in base64 or as it is. */
#include "owner/owner_report_file.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "crypto/base64.h"
#include "owner/owner_file.h"
#include "vmm/base/err.h"

static bool fits(const uint8_t *data, size_t len)
{
	(void)data;
	return len == SEV_REPORT_LEN;
}

static int parse_json(const struct owner_bytes *b, uint8_t *raw,
		      struct err *err)
{
	json_error_t e;
	json_t *root = json_loadb((const char *)b->data, b->len,
				  JSON_REJECT_DUPLICATES, &e);
	const json_t *j = json_object_get(root, "report");
	size_t n = 0;
	int r = -EINVAL;

	if (json_is_string(j))
		r = base64_decode(json_string_value(j), json_string_length(j),
				  raw, SEV_REPORT_LEN, &n);
	json_decref(root);
	if (!root)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "not JSON: line %d, column %d: %s", e.line,
				    e.column, e.text);
	if (r < 0 || n != SEV_REPORT_LEN)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "\"report\": expected base64 of %d bytes",
				    SEV_REPORT_LEN);
	return 0;
}

int owner_report_decode(struct owner_bytes *b,
			uint8_t raw[static SEV_REPORT_LEN], struct err *err)
{
	const char *guess;

	if (b->len && b->data[0] == '{')
		return parse_json(b, raw, err);
	if (owner_bytes_decode(b, fits)) {
		memcpy(raw, b->data, SEV_REPORT_LEN);
		return 0;
	}
	guess = owner_bytes_guess(b);
	return err_set_kind(err, ERR_INPUT, -EINVAL,
			    "%zu bytes, but a report has %d%s%s", b->len,
			    SEV_REPORT_LEN, guess ? "; that looks like " : "",
			    guess ? guess : "");
}
