/* tests/unit/test_owner_attestation.c - reports that are good, and others. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/sev_key.h"
#include "crypto/sev_report.h"
#include "owner/owner.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"
#include "tests/unit/sev_fixture.h"
#include "vmm/base/bytes.h"
#include "vmm/base/hex.h"

struct fixture {
	struct owner_dir d;
	struct sev_platform p; /* not to be changed */
	uint8_t buf[SEV_CHAIN_MAX];
	uint8_t raw[SEV_REPORT_LEN];
	char digest[65];
	struct owner_attestation_opts o;
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

/* Sign what is in f->raw and write it. */
static void sign(struct fixture *f, enum sev_chain_member who)
{
	uint8_t sig[SEV_SIG_LEN];

	store_le32(f->raw + 52, SEV_USAGE_PEK);
	store_le32(f->raw + 56, SEV_ALGO_ECDSA_SHA256);
	assert_int_equal(sev_key_sign(f->p.key[who], SEV_ALGO_ECDSA_SHA256,
				      f->raw, SEV_REPORT_SIGNED_LEN, sig),
			 0);
	memcpy(f->raw + 64, sig, 144);
	f->o.report = owner_put(&f->d, "report", f->raw, sizeof(f->raw));
}

static int setup(void **state)
{
	struct fixture *f = *state;
	size_t n = sev_platform_export(&f->p, 6, f->buf);

	owner_dir_clear(&f->d);
	memset(f->raw, 0, sizeof(f->raw));
	count_up(f->raw, 16, 0);      /* nonce */
	count_up(f->raw + 16, 32, 7); /* digest */
	store_le32(f->raw + 48, 1);
	hex_format(f->raw + 16, 32, f->digest);
	f->o = (struct owner_attestation_opts){
		.platform = {.chain = owner_put(&f->d, "chain", f->buf, n),
			     .simulated = true},
		.content = {.digest = f->digest},
		.nonce = "000102030405060708090a0b0c0d0e0f",
	};
	sign(f, SEV_CHAIN_PEK);
	return 0;
}

static void verified(struct fixture *f, const char *says)
{
	owner_output_clear(&f->d);
	if (owner_attestation(&f->o, f->d.out, &f->d.err) < 0)
		fail_msg("%s", f->d.err.msg);
	if (!strstr(owner_output(&f->d), says))
		fail_msg("'%s' lacks '%s'", owner_output(&f->d), says);
}

/* And no word on standard output. */
static void refused(struct fixture *f, int code, enum err_kind kind,
		    const char *says)
{
	owner_output_clear(&f->d);
	owner_assert_err(&f->d, owner_attestation(&f->o, f->d.out, &f->d.err),
			 code, kind, says);
	assert_string_equal(owner_output(&f->d), "");
}

static void an_honest_report_verifies(void **state)
{
	struct fixture *f = *state;
	const uint32_t policy = 1;

	verified(f, "platform: SIMULATED, protects nothing\nVERIFIED\n");
	assert_non_null(strstr(owner_output(&f->d), "policy: 0x1 (nodbg)"));
	assert_non_null(
		strstr(owner_output(&f->d), "not bound: the session's keys"));
	f->o.policy = &policy;
	verified(f, "VERIFIED\n");
}

static void reports_have_three_forms(void **state)
{
	struct fixture *f = *state;
	char text[BASE64_TEXT_LEN(SEV_REPORT_LEN)], json[400];

	f->o.report = owner_put_base64(&f->d, "b64", f->raw, sizeof(f->raw));
	verified(f, "VERIFIED\n");
	base64_encode(f->raw, sizeof(f->raw), text);
	snprintf(json, sizeof(json), "{\"policy\":7,\"report\":\"%s\"}", text);
	f->o.report = owner_put_text(&f->d, "json", json);
	verified(f, "policy: 0x1 "); /* the report's, not the host's word */
}

static void every_signed_byte_counts(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < SEV_REPORT_SIGNED_LEN; i++) {
		f->raw[i] ^= 1;
		f->o.report =
			owner_put(&f->d, "report", f->raw, sizeof(f->raw));
		f->o.platform.chain = owner_path(&f->d, "chain");
		f->raw[i] ^= 1;
		refused(f, -EKEYREJECTED, ERR_INPUT, "not signed by the PEK");
	}
}

static void only_the_pek_of_this_platform_signs_reports(void **state)
{
	struct fixture *f = *state;

	sign(f, SEV_CHAIN_OCA);
	refused(f, -EKEYREJECTED, ERR_INPUT, "not signed by the PEK");
	sign(f, SEV_CHAIN_PEK);
	store_le32(f->raw + 52, SEV_USAGE_PDH);
	owner_put(&f->d, "report", f->raw, sizeof(f->raw));
	refused(f, -EKEYREJECTED, ERR_INPUT, "not signed by the PEK");
}

static void an_old_report_is_refused(void **state)
{
	struct fixture *f = *state;

	f->o.nonce = "000102030405060708090a0b0c0d0e10";
	refused(f, -EKEYREJECTED, ERR_INPUT, "another nonce");
	f->o.nonce = "now";
	refused(f, -EINVAL, ERR_USAGE, "--nonce: 'now'");
}

static void other_content_and_policies_are_refused(void **state)
{
	struct fixture *f = *state;
	const uint32_t policy = 3;

	f->o.policy = &policy;
	refused(f, -EKEYREJECTED, ERR_INPUT, "policy 0x1, not 0x3");
	f->o.policy = NULL;
	f->digest[0] ^= 1;
	refused(f, -EKEYREJECTED, ERR_INPUT, "other content was launched");
	f->o.content.digest = NULL;
	refused(f, -EINVAL, ERR_USAGE, "give what should have been launched");
}

static void an_open_policy_is_warned_of(void **state)
{
	struct fixture *f = *state;

	store_le32(f->raw + 48, 0);
	sign(f, SEV_CHAIN_PEK);
	verified(f, "warning: the policy leaves debugging open");
}

static void the_platform_must_be_what_was_asked_for(void **state)
{
	struct fixture *f = *state;

	f->o.platform.simulated = false;
	refused(f, -EKEYREJECTED, ERR_INPUT, "SIMULATED root");
	f->o.platform.chain = owner_put(&f->d, "pdh", f->buf, 2084);
	refused(f, -EINVAL, ERR_INPUT, "has no PEK");
	f->o.platform.chain = owner_put(&f->d, "short", f->buf, 8336);
	refused(f, -ENOENT, ERR_INPUT, "--roots");
}

static void files_that_are_no_reports_are_named(void **state)
{
	struct fixture *f = *state;

	f->o.report = owner_put(&f->d, "cut", f->raw, SEV_REPORT_LEN - 1);
	refused(f, -EINVAL, ERR_INPUT, "207 bytes, but a report has 208");
	f->o.report = owner_put_text(&f->d, "j", "{");
	refused(f, -EINVAL, ERR_INPUT, "not JSON");
	f->o.report = owner_put_text(&f->d, "j", "{\"report\":\"AAAA\"}");
	refused(f, -EINVAL, ERR_INPUT, "base64 of 208 bytes");
	f->o.report = owner_put_text(&f->d, "j", "{\"report\":7}");
	refused(f, -EINVAL, ERR_INPUT, "base64 of 208 bytes");
	f->o.report = owner_path(&f->d, "none");
	refused(f, -ENOENT, ERR_INPUT, "--report '");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		CASE(an_honest_report_verifies),
		CASE(reports_have_three_forms),
		CASE(every_signed_byte_counts),
		CASE(only_the_pek_of_this_platform_signs_reports),
		CASE(an_old_report_is_refused),
		CASE(other_content_and_policies_are_refused),
		CASE(an_open_policy_is_warned_of),
		CASE(the_platform_must_be_what_was_asked_for),
		CASE(files_that_are_no_reports_are_named),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
