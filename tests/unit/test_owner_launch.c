/* tests/unit/test_owner_launch.c - what a host reports, honestly and not. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "owner/owner_launch.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"

#define M48 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
#define DIGEST64                                                               \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static int setup(void **state)
{
	struct owner_dir *d = calloc(1, sizeof(*d));

	owner_dir_create(d);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	owner_dir_destroy(*state);
	free(*state);
	return 0;
}

static int parse(struct owner_dir *d, const char *text, struct owner_launch *l)
{
	return owner_launch_parse(text, strlen(text), l, &d->err);
}

static void a_full_report_is_read(void **state)
{
	struct owner_launch l;

	assert_int_equal(
		parse(*state,
		      "{\"type\": \"sev-es\", \"api_major\": 1, \"api_minor\": "
		      "55, \"build\": 21, \"policy\": 855703559, "
		      "\"measurement\": \"" M48 "\", \"plan_digest\": "
		      "\"" DIGEST64 "\", \"handle\": 3, \"state\": "
		      "\"launch-secret\", \"covered\": [\"kernel\"], "
		      "\"secret\": {\"format\": \"cpio\", \"address\": 4096, "
		      "\"size\": 8192}}",
		      &l),
		0);
	assert_int_equal(l.in.api_major, 1);
	assert_int_equal(l.in.api_minor, 55);
	assert_int_equal(l.in.build, 21);
	assert_int_equal(l.in.policy, 0x33010007);
	assert_hex(l.measurement, "000102030405060708090a0b0c0d0e0f101112131415"
				  "161718191a1b1c1d1e1f202122232425262728292a2b"
				  "2c2d2e2f");
	assert_hex(l.in.mnonce, "202122232425262728292a2b2c2d2e2f");
	assert_true(l.have_digest);
	assert_hex(l.in.digest, DIGEST64);
	assert_true(l.have_area);
	assert_int_equal(l.format, SEV_SECRET_CPIO);
	assert_int_equal(l.area_size, 8192);
}

/* What QEMU shows, put into JSON by hand. */
static void a_short_report_is_enough(void **state)
{
	struct owner_launch l;

	assert_int_equal(parse(*state,
			       "{\"api_major\":0,\"api_minor\":24,\"build\":15,"
			       "\"policy\":1,\"measurement\":\"" M48 "\","
			       "\"plan_digest\":null,\"secret\":null}",
			       &l),
			 0);
	assert_false(l.have_digest);
	assert_false(l.have_area);
}

static void reports_with_one_thing_wrong_are_refused(void **state)
{
#define HEAD "\"api_major\":1,\"api_minor\":2,\"build\":3"
#define REST "\"policy\":1,\"measurement\":\"" M48 "\""
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "not JSON"},
		{"[]", "expected a JSON object"},
		{"{" HEAD "," REST, "not JSON: line 1"},
		{"{" HEAD "," REST ",\"build\":3}", "not JSON"}, /* twice */
		{"{}", "\"api_major\""},
		{"{\"api_major\":256,\"api_minor\":2,\"build\":3," REST "}",
		 "0 to 255"},
		{"{\"api_major\":-1,\"api_minor\":2,\"build\":3," REST "}",
		 "\"api_major\""},
		{"{\"api_major\":\"1\",\"api_minor\":2,\"build\":3," REST "}",
		 "\"api_major\""},
		{"{\"api_major\":1,\"build\":3," REST "}", "\"api_minor\""},
		{"{\"api_major\":1,\"api_minor\":2," REST "}", "\"build\""},
		{"{" HEAD ",\"measurement\":\"" M48 "\"}", "\"policy\""},
		{"{" HEAD ",\"policy\":4294967296,\"measurement\":\"" M48 "\"}",
		 "\"policy\""},
		{"{" HEAD ",\"policy\":1.5,\"measurement\":\"" M48 "\"}",
		 "\"policy\""},
		{"{" HEAD ",\"policy\":1}", "\"measurement\""},
		{"{" HEAD ",\"policy\":1,\"measurement\":7}",
		 "\"measurement\""},
		{"{" HEAD ",\"policy\":1,\"measurement\":\"xyz!\"}",
		 "not base64 of 48 bytes"},
		{"{" HEAD ",\"policy\":1,\"measurement\":\"\"}",
		 "0 bytes, but a measurement has 48"},
		{"{" HEAD "," REST ",\"type\":\"sev-es\"}",
		 "is \"sev-es\", but policy 0x1"},
		{"{" HEAD "," REST ",\"type\":\"tdx\"}", "\"type\""},
		{"{" HEAD "," REST ",\"type\":1}", "\"type\""},
		{"{" HEAD "," REST ",\"plan_digest\":\"00\"}",
		 "\"plan_digest\""},
		{"{" HEAD "," REST ",\"plan_digest\":\"" DIGEST64 "00\"}",
		 "\"plan_digest\""},
		{"{" HEAD "," REST ",\"secret\":1}", "\"secret\""},
		{"{" HEAD "," REST ",\"secret\":{}}", "\"format\""},
		{"{" HEAD "," REST ",\"secret\":{\"format\":\"tar\"}}",
		 "\"format\""},
		{"{" HEAD "," REST
		 ",\"secret\":{\"format\":\"cpio\",\"size\":-1}}",
		 "\"size\""},
	};
	struct owner_launch l;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int r = parse(*state, bad[i].text, &l);

		owner_assert_err(*state, r, -EINVAL, ERR_INPUT, bad[i].says);
	}
}

static void a_measurement_of_47_bytes_is_counted(void **state)
{
	uint8_t m[49] = {0};
	char text[BASE64_TEXT_LEN(49)], json[256];
	struct owner_launch l;

	for (size_t n = 47; n <= 49; n += 2) {
		char says[64];
		int r;

		base64_encode(m, n, text);
		snprintf(json, sizeof(json),
			 "{" HEAD ",\"policy\":1,\"measurement\":\"%s\"}",
			 text);
		snprintf(says, sizeof(says),
			 "%zu bytes, but a measurement has 48", n);
		r = parse(*state, json, &l);
		owner_assert_err(*state, r, -EINVAL, ERR_INPUT, says);
	}
}

static void nesting_without_end_is_refused(void **state)
{
	size_t n = 200000;
	char *text = malloc(n + 1);
	struct owner_launch l;
	int r;

	memset(text, '[', n);
	text[n] = 0;
	r = parse(*state, text, &l);
	owner_assert_err(*state, r, -EINVAL, ERR_INPUT, "not JSON");
	free(text);
}

static void values_can_be_given_without_json(void **state)
{
	struct owner_dir *d = *state;
	uint32_t policy = 5;
	struct owner_report rep = {.measurement = M48,
				   .have_api = true,
				   .api_minor = 24,
				   .build = 15,
				   .policy = &policy};
	struct owner_launch l;
	uint8_t m[48];

	assert_int_equal(owner_launch_load(&rep, &l, NULL), 0);
	assert_int_equal(l.in.policy, 5);
	assert_int_equal(l.in.build, 15);
	assert_hex(l.in.mnonce, "202122232425262728292a2b2c2d2e2f");
	count_up(m, 48, 0x80);
	rep.measurement = owner_put(d, "m", m, 48);
	assert_int_equal(owner_launch_load(&rep, &l, NULL), 0);
	assert_memory_equal(l.measurement, m, 48);
	assert_memory_equal(l.in.mnonce, m + 32, 16);
	rep.measurement = owner_put_base64(d, "m64", m, 48);
	assert_int_equal(owner_launch_load(&rep, &l, NULL), 0);
	assert_memory_equal(l.measurement, m, 48);
}

static void half_a_report_is_refused(void **state)
{
	struct owner_dir *d = *state;
	uint32_t policy = 5;
	struct owner_report full = {.measurement = M48,
				    .have_api = true,
				    .policy = &policy},
			    r;
	struct owner_launch l;

	for (int i = 0; i < 4; i++) {
		r = full;
		if (i == 0)
			r.measurement = NULL;
		else if (i == 1)
			r.have_api = false;
		else if (i == 2)
			r.policy = NULL;
		else
			r = (struct owner_report){0};
		owner_assert_err(d, owner_launch_load(&r, &l, &d->err), -EINVAL,
				 ERR_USAGE, "give --launch FILE, or");
	}
	r = full;
	r.launch = "x";
	owner_assert_err(d, owner_launch_load(&r, &l, &d->err), -EINVAL,
			 ERR_USAGE, "do not give them as well");
	assert_false(owner_report_given(&(struct owner_report){0}));
	assert_true(owner_report_given(&full));
}

static void files_that_are_no_report_are_named(void **state)
{
	struct owner_dir *d = *state;
	uint8_t m[48] = {0};
	struct owner_report r = {.launch = owner_put(d, "m", m, 48)};
	struct owner_launch l;

	owner_assert_err(d, owner_launch_load(&r, &l, &d->err), -EINVAL,
			 ERR_INPUT, "not JSON; that looks like a measurement");
	r.launch = owner_put_text(d, "j", "{\"a\":1}");
	owner_assert_err(d, owner_launch_load(&r, &l, &d->err), -EINVAL,
			 ERR_INPUT, "/j': \"api_major\"");
	r.launch = owner_path(d, "none");
	owner_assert_err(d, owner_launch_load(&r, &l, &d->err), -ENOENT,
			 ERR_INPUT, "does not exist");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_full_report_is_read),
		CASE(a_short_report_is_enough),
		CASE(reports_with_one_thing_wrong_are_refused),
		CASE(a_measurement_of_47_bytes_is_counted),
		CASE(nesting_without_end_is_refused),
		CASE(values_can_be_given_without_json),
		CASE(half_a_report_is_refused),
		CASE(files_that_are_no_report_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
