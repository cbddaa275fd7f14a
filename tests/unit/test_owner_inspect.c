/* tests/unit/test_owner_inspect.c - files of SEV in words. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/sev_abi.h"
#include "owner/owner.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"
#include "tests/unit/sev_fixture.h"
#include "vmm/base/bytes.h"

struct fixture {
	struct owner_dir d;
	struct sev_platform p;
	uint8_t buf[SEV_CHAIN_MAX];
	size_t len;
};

static int setup_group(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	owner_dir_create(&f->d);
	sev_platform_create(&f->p, 2048, AMD_CERT_SIMULATED_ID);
	*state = f;
	return 0;
}

static int teardown_group(void **state)
{
	struct fixture *f = *state;

	owner_dir_destroy(&f->d);
	sev_platform_destroy(&f->p);
	free(f);
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = *state;

	owner_dir_clear(&f->d);
	f->len = sev_platform_export(&f->p, 6, f->buf);
	return 0;
}

static int inspect(struct fixture *f, const char *path)
{
	char *v[] = {(char *)path};

	owner_output_clear(&f->d);
	return owner_inspect(&(struct owner_inspect_opts){.files = {v, 1}},
			     f->d.out, &f->d.err);
}

static void says(struct fixture *f, const char *path, const char *words)
{
	int r = inspect(f, path);

	if (r < 0)
		fail_msg("%s", f->d.err.msg);
	if (!strstr(owner_output(&f->d), words))
		fail_msg("'%s' lacks '%s'", owner_output(&f->d), words);
}

static void chains_are_listed_and_judged(void **state)
{
	struct fixture *f = *state;
	const char *path = owner_put(&f->d, "chain", f->buf, f->len);

	says(f, path,
	     "PDH certificate\n  key: ECDH-SHA256, P-384\n  signature "
	     "1: by a key of PEK, ECDSA-SHA256\n");
	says(f, path, "the root is SIMULATED");
	says(f, path, "NOT AMD's root: SIMULATED");
	says(f, owner_put_base64(&f->d, "c64", f->buf, f->len),
	     "the root is SIMULATED");
	f->buf[0x014 + 2084] ^= 1;
	says(f, owner_put(&f->d, "bad", f->buf, f->len),
	     "signatures: NOT good");
}

static void parts_of_a_chain_are_judged_as_far_as_they_go(void **state)
{
	struct fixture *f = *state;

	says(f, owner_put(&f->d, "roots", f->buf + 8336, 1664),
	     "signatures: good among these");
	f->buf[9167] ^= 1;
	says(f, owner_put(&f->d, "roots", f->buf + 8336, 1664),
	     "the ASK is not signed by the ARK");
	says(f, owner_put(&f->d, "pdh", f->buf, 2084), "PDH certificate");
}

static void small_files_are_told_by_their_size(void **state)
{
	static const struct {
		size_t len;
		const char *words;
	} v[] = {
		{128, "session"},
		{52, "header of a secret packet"},
		{48, "measurement"},
		{16, "a key of 16 bytes"},
	};
	struct fixture *f = *state;
	uint8_t bytes[128];

	count_up(bytes, sizeof(bytes), 0x80);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		says(f, owner_put(&f->d, "raw", bytes, v[i].len), v[i].words);
		says(f, owner_put_base64(&f->d, "b64", bytes, v[i].len),
		     v[i].words);
	}
}

static void reports_are_shown_in_each_of_their_forms(void **state)
{
	struct fixture *f = *state;
	uint8_t raw[SEV_REPORT_LEN] = {0};
	char text[BASE64_TEXT_LEN(SEV_REPORT_LEN)], json[400];

	count_up(raw, 48, 0x10);
	store_le32(raw + 48, 1); /* policy */
	store_le32(raw + 52, SEV_USAGE_PEK);
	store_le32(raw + 56, SEV_ALGO_ECDSA_SHA256);
	base64_encode(raw, sizeof(raw), text);
	snprintf(json, sizeof(json), "{\"report\": \"%s\", \"x\": 1}", text);
	owner_put(&f->d, "raw", raw, sizeof(raw));
	owner_put_text(&f->d, "json", json);
	owner_put_base64(&f->d, "b64", raw, sizeof(raw));
	for (size_t i = 0; i < 3; i++)
		says(f,
		     owner_path(&f->d,
				(const char *[]){"raw", "json", "b64"}[i]),
		     "report of a guest (208 bytes)\n"
		     "  nonce: 101112131415161718191a1b1c1d1e1f\n"
		     "  launch digest: 202122232425262728292a2b2c2d2e2f"
		     "303132333435363738393a3b3c3d3e3f\n"
		     "  signature: by a key of PEK, ECDSA-SHA256; not verified "
		     "here\n"
		     "policy 0x1");
}

static void keys_are_not_shown(void **state)
{
	struct fixture *f = *state;
	uint8_t key[16];

	memset(key, 0xab, sizeof(key));
	says(f, owner_put(&f->d, "key", key, 16), "keep it secret");
	assert_null(strstr(owner_output(&f->d), "abab"));
}

static void launches_and_policies_are_explained(void **state)
{
	struct fixture *f = *state;
	uint32_t policy = 0x33010004;

	says(f,
	     owner_put_text(&f->d, "j",
			    "{\"api_major\":1,\"api_minor\":55,\"build\":21,"
			    "\"policy\":0,\"measurement\":\"AAECAwQFBgcICQoLDA0"
			    "ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\","
			    "\"secret\":{\"format\":\"cpio\"}}"),
	     "secrets: cpio");
	says(f, owner_path(&f->d, "j"), "DEBUG IS OPEN");
	says(f, owner_path(&f->d, "j"),
	     "MNONCE: 202122232425262728292a2b2c2d2e2f");
	owner_output_clear(&f->d);
	assert_int_equal(
		owner_inspect(&(struct owner_inspect_opts){.policy = &policy},
			      f->d.out, NULL),
		0);
	assert_non_null(strstr(owner_output(&f->d), "es,api=1.51"));
	assert_non_null(
		strstr(owner_output(&f->d), "firmware of API 1.51 or later"));
}

static void what_is_unknown_is_refused(void **state)
{
	struct fixture *f = *state;

	owner_assert_err(&f->d, inspect(f, owner_put_text(&f->d, "t", "hello")),
			 -EINVAL, ERR_INPUT, "5 bytes that are neither");
	owner_assert_err(&f->d, inspect(f, owner_put_text(&f->d, "j", "{}")),
			 -EINVAL, ERR_INPUT, "/j': ");
	owner_assert_err(&f->d, inspect(f, owner_path(&f->d, "none")), -ENOENT,
			 ERR_INPUT, "does not exist");
	owner_assert_err(
		&f->d,
		owner_inspect(&(struct owner_inspect_opts){.policy = NULL},
			      f->d.out, &f->d.err),
		-EINVAL, ERR_USAGE, "name a file");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		CASE(chains_are_listed_and_judged),
		CASE(parts_of_a_chain_are_judged_as_far_as_they_go),
		CASE(small_files_are_told_by_their_size),
		CASE(reports_are_shown_in_each_of_their_forms),
		CASE(keys_are_not_shown),
		CASE(launches_and_policies_are_explained),
		CASE(what_is_unknown_is_refused),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
