/* owner/owner_attestation.c - is the report of a guest that runs a good one? */
#include <errno.h>
#include <string.h>

#include "crypto/hash256_openssl.h"
#include "crypto/launch_fact.h"
#include "crypto/sev_chain.h"
#include "crypto/sev_key.h"
#include "crypto/sev_policy.h"
#include "crypto/sev_report.h"
#include "owner/owner.h"
#include "owner/owner_chain.h"
#include "owner/owner_content.h"
#include "owner/owner_file.h"
#include "owner/owner_report_file.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"

struct work {
	struct hash256 *h; /* owned */
	uint8_t nonce[SEV_NONCE_LEN];
	uint8_t raw[SEV_REPORT_LEN];
	struct sev_report report;
	struct sev_chain chain;
	struct owner_expected expected;
};

static void work_end(struct work *w)
{
	hash256_destroy(w->h);
	owner_expected_destroy(&w->expected);
}

/* --- what is given -------------------------------------------------------- */

static int load_report(const char *path, struct work *w, struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	int r = owner_file_read("--report", path, &b, err);

	if (r < 0)
		return r;
	r = owner_report_decode(&b, w->raw, err);
	if (r < 0)
		return err_prefix(err, "--report '%s'", path);
	sev_report_parse(w->raw, &w->report);
	return 0;
}

static int load(const struct owner_attestation_opts *o, struct work *w,
		struct err *err)
{
	int r;

	w->h = hash256_openssl_create();
	if (!w->h)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	r = sev_nonce_parse(o->nonce, w->nonce, err);
	if (r < 0)
		return err_prefix(err, "--nonce");
	r = load_report(o->report, w, err);
	if (r >= 0)
		r = owner_chain_load(&o->platform, &w->chain, err);
	if (r >= 0 && !w->chain.have[SEV_CHAIN_PEK])
		r = err_set_kind(err, ERR_INPUT, -EINVAL,
				 "chain '%s' has no PEK, the key that signs "
				 "reports",
				 o->platform.chain);
	if (r >= 0)
		r = owner_expected_load(&o->content,
					w->report.policy & SEV_POLICY_ES, w->h,
					&w->expected, err);
	return r;
}

/* --- the verdict ---------------------------------------------------------- */

static int check_nonce(const struct work *w, struct err *err)
{
	if (!memcmp(w->report.nonce, w->nonce, sizeof(w->nonce)))
		return 0;
	return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
			    "NOT VERIFIED: the report is over another nonce: "
			    "an older one, or made for somebody else");
}

static int check_signature(const struct work *w, struct err *err)
{
	const struct sev_cert *pek = &w->chain.sev[SEV_CHAIN_PEK];
	AUTO(sev_key_destroyp) struct sev_key *key = NULL;
	int r = -EKEYREJECTED;

	if (w->report.usage == SEV_USAGE_PEK && w->report.algo == pek->algo) {
		r = sev_key_of_cert(pek, &key, err);
		if (r < 0)
			return err_prefix(err, "PEK");
		r = sev_key_verify(key, pek->algo, w->raw,
				   SEV_REPORT_SIGNED_LEN, w->report.sig);
	}
	if (r == -EKEYREJECTED)
		return err_set_kind(err, ERR_INPUT, r,
				    "NOT VERIFIED: the report is not signed by "
				    "the PEK of this chain: another platform, "
				    "or keys it had before a reset");
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "libcrypto cannot verify a signature");
	return 0;
}

static int check_policy(const struct owner_attestation_opts *o,
			const struct work *w, struct err *err)
{
	if (!o->policy || *o->policy == w->report.policy)
		return 0;
	return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
			    "NOT VERIFIED: the guest has policy 0x%x, not 0x%x",
			    w->report.policy, *o->policy);
}

/* Any of those that are as good as each other. */
static int check_digest(struct work *w, struct err *err)
{
	char hex[2][2 * SEV_DIGEST_LEN + 1];
	uint8_t digest[SEV_DIGEST_LEN] = {0}, first[SEV_DIGEST_LEN];
	int r = owner_expected_digest(&w->expected, w->h, digest, err);

	memcpy(first, digest, sizeof(first));
	while (r >= 0 && memcmp(digest, w->report.digest, sizeof(digest)) != 0)
		if (owner_expected_alternative(&w->expected, err))
			r = owner_expected_digest(&w->expected, w->h, digest,
						  err);
		else
			return err_set_kind(
				err, ERR_INPUT, -EKEYREJECTED,
				"NOT VERIFIED: other content was launched: its "
				"digest is %s, expected %s",
				hex_format(w->report.digest, SEV_DIGEST_LEN,
					   hex[0]),
				hex_format(first, SEV_DIGEST_LEN, hex[1]));
	return r;
}

static void print_verified(const struct work *w, FILE *out)
{
	char hex[2 * SEV_DIGEST_LEN + 1], policy[SEV_POLICY_TEXT_MAX];

	fprintf(out, "VERIFIED\ndigest: %s\npolicy: 0x%x (%s)\n",
		hex_format(w->report.digest, SEV_DIGEST_LEN, hex),
		w->report.policy, sev_policy_format(w->report.policy, policy));
	owner_expected_print_covered(&w->expected, BIT64(LAUNCH_FACT_API), out);
	fprintf(out, "not bound: the session's keys: some guest of this "
		     "platform was launched so\n");
	if (!(w->report.policy & SEV_POLICY_NODBG))
		fprintf(out, "warning: the policy leaves debugging open: the "
			     "host can read all memory\n");
}

int owner_attestation(const struct owner_attestation_opts *o, FILE *out,
		      struct err *err)
{
	AUTO(work_end) struct work w = {0};
	int r = load(o, &w, err);

	if (r >= 0)
		r = check_signature(&w, err);
	if (r >= 0)
		r = check_nonce(&w, err);
	if (r >= 0)
		r = check_policy(o, &w, err);
	if (r >= 0)
		r = check_digest(&w, err);
	if (r >= 0) /* says whose platform it is: last, when all is well */
		r = owner_chain_verify(&o->platform, &w.chain, w.h, out, err);
	if (r >= 0)
		print_verified(&w, out);
	return r;
}
