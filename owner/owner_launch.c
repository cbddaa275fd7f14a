/* owner/owner_launch.c - a launch's report from JSON or from options. */
#include "owner/owner_launch.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/sev_policy.h"
#include "owner/owner_file.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"

static int bad(struct err *err, const char *key, const char *want)
{
	return err_set_kind(err, ERR_INPUT, -EINVAL, "\"%s\": expected %s", key,
			    want);
}

static int get_number(const json_t *root, const char *key, uint64_t max,
		      uint64_t *ret, struct err *err)
{
	const json_t *j = json_object_get(root, key);
	json_int_t v = json_integer_value(j);

	if (!json_is_integer(j) || v < 0 || (uint64_t)v > max)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "\"%s\": expected a number of 0 to %llu",
				    key, (unsigned long long)max);
	*ret = (uint64_t)v;
	return 0;
}

static int decode_measurement(const char *text, size_t len,
			      uint8_t out[static SEV_MEASUREMENT_LEN],
			      size_t *ret_len)
{
	uint8_t plain[2 * SEV_MEASUREMENT_LEN];
	int r = base64_decode(text, len, plain, sizeof(plain), ret_len);

	if (r < 0)
		return r;
	if (*ret_len != SEV_MEASUREMENT_LEN)
		return -ERANGE;
	memcpy(out, plain, SEV_MEASUREMENT_LEN);
	return 0;
}

static int set_measurement(struct owner_launch *l, const char *text, size_t len,
			   const char *key, struct err *err)
{
	size_t n = 0;
	int r = decode_measurement(text, len, l->measurement, &n);

	if (r == -ERANGE)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "%s: %zu bytes, but a measurement has %d "
				    "(MEASURE and MNONCE)",
				    key, n, SEV_MEASUREMENT_LEN);
	if (r < 0)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "%s: not base64 of %d bytes", key,
				    SEV_MEASUREMENT_LEN);
	memcpy(l->in.mnonce, l->measurement + SEV_MEASURE_LEN, SEV_NONCE_LEN);
	return 0;
}

static int parse_digest(const json_t *root, struct owner_launch *l,
			struct err *err)
{
	const json_t *j = json_object_get(root, "plan_digest");

	if (!j || json_is_null(j))
		return 0;
	if (!json_is_string(j) ||
	    !hex_parse(json_string_value(j), l->in.digest, SEV_DIGEST_LEN))
		return bad(err, "plan_digest", "64 hexadecimal digits");
	l->have_digest = true;
	return 0;
}

/* Used to explain a mismatch only: what is too much is left out. */
static int parse_entries(const json_t *root, struct owner_launch *l,
			 struct err *err)
{
	const json_t *list = json_object_get(root, "entries"), *j;
	size_t i;

	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return bad(err, "entries", "an array");
	json_array_foreach(list, i, j)
	{
		const char *name =
			json_string_value(json_object_get(j, "name"));
		const char *hex =
			json_string_value(json_object_get(j, "sha256"));
		struct owner_launch_entry *e = &l->entry[l->n_entries];

		if (i == OWNER_ENTRIES_MAX)
			return 0;
		if (!name || strlen(name) >= sizeof(e->name) || !hex ||
		    !hex_parse(hex, e->digest, SEV_DIGEST_LEN))
			return bad(err, "entries",
				   "objects with \"name\" and \"sha256\"");
		snprintf(e->name, sizeof(e->name), "%s", name);
		l->n_entries++;
	}
	return 0;
}

static int parse_area(const json_t *root, struct owner_launch *l,
		      struct err *err)
{
	const json_t *j = json_object_get(root, "secret"), *format;
	const char *word;

	if (!j || json_is_null(j))
		return 0;
	if (!json_is_object(j))
		return bad(err, "secret", "an object");
	format = json_object_get(j, "format");
	word = json_string_value(format);
	if (!word)
		return bad(err, "format", "\"table\" or \"cpio\"");
	if (!strcmp(word, sev_secret_format_name(SEV_SECRET_TABLE)))
		l->format = SEV_SECRET_TABLE;
	else if (!strcmp(word, sev_secret_format_name(SEV_SECRET_CPIO)))
		l->format = SEV_SECRET_CPIO;
	else
		return bad(err, "format", "\"table\" or \"cpio\"");
	l->have_area = true;
	if (!json_object_get(j, "size"))
		return 0;
	return get_number(j, "size", INT64_MAX, &l->area_size, err);
}

static int parse_numbers(const json_t *root, struct owner_launch *l,
			 struct err *err)
{
	uint64_t major = 0, minor = 0, build = 0, policy = 0;
	int r = get_number(root, "api_major", UINT8_MAX, &major, err);

	if (r >= 0)
		r = get_number(root, "api_minor", UINT8_MAX, &minor, err);
	if (r >= 0)
		r = get_number(root, "build", UINT8_MAX, &build, err);
	if (r >= 0)
		r = get_number(root, "policy", UINT32_MAX, &policy, err);
	if (r < 0)
		return r;
	l->in.api_major = (uint8_t)major;
	l->in.api_minor = (uint8_t)minor;
	l->in.build = (uint8_t)build;
	l->in.policy = (uint32_t)policy;
	return 0;
}

/* "type" must say what the policy says; a contradiction is a lie. */
static int check_type(const json_t *root, const struct owner_launch *l,
		      struct err *err)
{
	const json_t *j = json_object_get(root, "type");
	const char *type = json_string_value(j);
	const char *want = l->in.policy & SEV_POLICY_ES ? "sev-es" : "sev";

	if (!j)
		return 0;
	if (!type || (strcmp(type, "sev") != 0 && strcmp(type, "sev-es") != 0))
		return bad(err, "type", "\"sev\" or \"sev-es\"");
	if (strcmp(type, want) != 0)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "\"type\" is \"%s\", but policy 0x%x is "
				    "that of \"%s\"",
				    type, l->in.policy, want);
	return 0;
}

int owner_launch_parse(const char *text, size_t len, struct owner_launch *ret,
		       struct err *err)
{
	struct owner_launch l = {0};
	json_error_t e;
	AUTO(json_decrefp)
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	const json_t *m;
	int r;

	if (!root)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "not JSON: line %d, column %d: %s", e.line,
				    e.column, e.text);
	if (!json_is_object(root))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "expected a JSON object");
	r = parse_numbers(root, &l, err);
	if (r < 0)
		return r;
	m = json_object_get(root, "measurement");
	if (!json_is_string(m))
		return bad(err, "measurement", "base64 of 48 bytes");
	r = set_measurement(&l, json_string_value(m), json_string_length(m),
			    "\"measurement\"", err);
	if (r >= 0)
		r = check_type(root, &l, err);
	if (r >= 0)
		r = parse_digest(root, &l, err);
	if (r >= 0)
		r = parse_entries(root, &l, err);
	if (r >= 0)
		r = parse_area(root, &l, err);
	if (r >= 0)
		*ret = l;
	return r;
}

static int load_json(const char *path, struct owner_launch *ret,
		     struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	const char *guess;
	int r = owner_file_read("--launch", path, &b, err);

	if (r < 0)
		return r;
	r = owner_launch_parse((const char *)b.data, b.len, ret, err);
	if (r >= 0)
		return 0;
	guess = owner_bytes_guess(&b);
	if (guess && strcmp(guess, "JSON") != 0)
		return err_set_kind(err, ERR_INPUT, r,
				    "--launch '%s': not JSON; that looks like "
				    "%s",
				    path, guess);
	return err_prefix(err, "--launch '%s'", path);
}

/* Text of base64, or the name of a file. */
static int load_measurement(const char *arg, struct owner_launch *l,
			    struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	size_t n;
	int r;

	if (base64_decode(arg, strlen(arg), l->measurement,
			  sizeof(l->measurement), &n) >= 0 ||
	    access(arg, F_OK))
		return set_measurement(l, arg, strlen(arg), "--measurement",
				       err);
	r = owner_file_read_exactly("--measurement", arg, SEV_MEASUREMENT_LEN,
				    &b, err);
	if (r < 0)
		return r;
	memcpy(l->measurement, b.data, SEV_MEASUREMENT_LEN);
	memcpy(l->in.mnonce, b.data + SEV_MEASURE_LEN, SEV_NONCE_LEN);
	return 0;
}

bool owner_report_given(const struct owner_report *r)
{
	return r->launch || r->measurement || r->have_api || r->policy;
}

int owner_launch_load(const struct owner_report *r, struct owner_launch *ret,
		      struct err *err)
{
	struct owner_launch l = {0};
	int rc;

	if (r->launch && (r->measurement || r->have_api || r->policy))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--launch has measurement, API, build and "
				    "policy: do not give them as well");
	if (r->launch)
		return load_json(r->launch, ret, err);
	if (!r->measurement || !r->have_api || !r->policy)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "give --launch FILE, or --measurement, "
				    "--api, --build and --policy");
	rc = load_measurement(r->measurement, &l, err);
	if (rc < 0)
		return rc;
	l.in.api_major = r->api_major;
	l.in.api_minor = r->api_minor;
	l.in.build = r->build;
	l.in.policy = *r->policy;
	*ret = l;
	return 0;
}
