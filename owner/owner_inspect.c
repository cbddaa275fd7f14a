/* owner/owner_inspect.c - says in words what a file of SEV is. */
#include <errno.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/sev_chain.h"
#include "crypto/sev_policy.h"
#include "crypto/sev_report.h"
#include "crypto/sev_secret.h"
#include "owner/owner.h"
#include "owner/owner_chain.h"
#include "owner/owner_file.h"
#include "owner/owner_launch.h"
#include "owner/owner_report_file.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"

static void put_hex(FILE *out, const char *label, const uint8_t *p, size_t len)
{
	char text[2 * 64 + 1];

	fprintf(out, "  %s: %s\n", label, hex_format(p, len, text));
}

static void put_policy(uint32_t policy, FILE *out)
{
	char text[SEV_POLICY_TEXT_MAX];
	const char *line;

	fprintf(out, "policy 0x%x (%u): %s\n", policy, policy,
		sev_policy_format(policy, text));
	for (unsigned int i = 0; (line = sev_policy_explain(policy, i)); i++)
		fprintf(out, "  %s\n", line);
	if (policy >> 16)
		fprintf(out, "  firmware of API %u.%u or later\n",
			sev_policy_api_major(policy),
			sev_policy_api_minor(policy));
	else
		fprintf(out, "  firmware of any API\n");
}

static void put_sev_cert(const struct sev_cert *c, struct hash256 *h, FILE *out)
{
	uint8_t bytes[SEV_CERT_LEN], digest[HASH256_LEN];

	fprintf(out, "%s certificate\n", sev_usage_name(c->usage));
	fprintf(out, "  key: %s", sev_algo_name(c->algo));
	if (sev_algo_is_ec(c->algo))
		fprintf(out, ", P-%zu\n", 8 * sev_curve_len(sev_cert_curve(c)));
	else
		fprintf(out, ", %u bits\n", sev_cert_rsa_bits(c));
	if (c->api_major || c->api_minor)
		fprintf(out, "  firmware API: %u.%u\n", c->api_major,
			c->api_minor);
	for (size_t i = 0; i < SEV_CERT_SIGS; i++)
		if (c->sig[i].usage != SEV_USAGE_INVALID)
			fprintf(out, "  signature %zu: by a key of %s, %s\n",
				i + 1, sev_usage_name(c->sig[i].usage),
				sev_algo_name(c->sig[i].algo));
	sev_cert_serialise(c, bytes);
	if (hash256_of(h, bytes, SEV_CERT_BODY_LEN, digest) >= 0)
		put_hex(out, "sha256", digest, sizeof(digest));
}

static void put_amd_cert(const struct amd_cert *c, struct hash256 *h, FILE *out)
{
	const char *generation = NULL;
	uint8_t digest[HASH256_LEN];

	fprintf(out, "%s certificate\n", sev_usage_name(c->usage));
	fprintf(out, "  key: %s, %zu bits\n", sev_algo_name(amd_cert_algo(c)),
		8 * c->field_len);
	put_hex(out, "key id", amd_cert_key_id(c), AMD_CERT_KEY_ID_LEN);
	put_hex(out, "signer's id", amd_cert_signer_id(c), AMD_CERT_KEY_ID_LEN);
	if (!c->is_signed)
		fprintf(out, "  no signature\n");
	if (hash256_of(h, c->raw, amd_cert_body_len(c), digest) >= 0)
		put_hex(out, "sha256", digest, sizeof(digest));
	if (c->usage != SEV_USAGE_ARK)
		return;
	if (amd_cert_generation(h, c, &generation) >= 0 && generation)
		fprintf(out, "  AMD's root of %s\n", generation);
	else
		fprintf(out, "  NOT AMD's root%s\n",
			amd_cert_is_simulated(c) ? ": SIMULATED" : "");
}

static void put_verdict(const struct sev_chain *c, struct hash256 *h, FILE *out)
{
	struct sev_chain_root root;
	struct err why = {0};

	if (sev_chain_verify_links(c, h, &why) < 0)
		fprintf(out, "signatures: NOT good: %s\n", why.msg);
	else if (sev_chain_verify(c, h, &root, &why) == -ENOENT)
		fprintf(out,
			"signatures: good among these; to a full chain it "
			"%s\n",
			why.msg);
	else if (why.code)
		fprintf(out, "chain: NOT verified: %s\n", why.msg);
	else if (root.generation)
		fprintf(out, "chain: verified to AMD's root of %s\n",
			root.generation);
	else
		fprintf(out, "chain: signatures are good, but the root is %s\n",
			root.is_simulated ? "SIMULATED" : "not AMD's");
}

static void put_chain(const struct owner_bytes *b, struct hash256 *h, FILE *out)
{
	struct sev_chain c = {0};
	size_t n = 0;

	sev_chain_add(&c, b->data, b->len, NULL);
	for (unsigned int i = 0; i < SEV_CHAIN_COUNT; i++) {
		if (!c.have[i])
			continue;
		if (i < SEV_CHAIN_ASK)
			put_sev_cert(&c.sev[i], h, out);
		else
			put_amd_cert(i == SEV_CHAIN_ASK ? &c.ask : &c.ark, h,
				     out);
		n++;
	}
	if (n > 1)
		put_verdict(&c, h, out);
}

static void put_session(const uint8_t *p, FILE *out)
{
	fprintf(out, "session (%d bytes)\n", SEV_SESSION_LEN);
	put_hex(out, "nonce", p, SEV_NONCE_LEN);
	put_hex(out, "wrapping IV", p + SEV_SESSION_WRAP_IV, SEV_NONCE_LEN);
	put_hex(out, "wrapping MAC", p + SEV_SESSION_WRAP_MAC, SEV_MEASURE_LEN);
	put_hex(out, "policy MAC", p + SEV_SESSION_POLICY_MAC, SEV_MEASURE_LEN);
	fprintf(out, "  TEK and TIK are wrapped for one platform; the policy "
		     "is bound by a MAC\n");
}

static void put_header(const uint8_t *p, FILE *out)
{
	fprintf(out, "header of a secret packet (%d bytes)\n",
		SEV_SECRET_HDR_LEN);
	fprintf(out, "  flags: 0x%x\n", load_le32(p));
	put_hex(out, "IV", p + SEV_SECRET_HDR_IV, SEV_NONCE_LEN);
	put_hex(out, "MAC", p + SEV_SECRET_HDR_MAC, SEV_MEASURE_LEN);
}

static void put_measurement(const uint8_t *p, FILE *out)
{
	fprintf(out, "measurement (%d bytes)\n", SEV_MEASUREMENT_LEN);
	put_hex(out, "MEASURE", p, SEV_MEASURE_LEN);
	put_hex(out, "MNONCE", p + SEV_MEASURE_LEN, SEV_NONCE_LEN);
}

static void put_launch(const struct owner_launch *l, FILE *out)
{
	fprintf(out, "launch, as the host reports it\n");
	fprintf(out, "  firmware: API %u.%u, build %u\n", l->in.api_major,
		l->in.api_minor, l->in.build);
	if (l->have_digest)
		put_hex(out, "digest of its plan", l->in.digest,
			SEV_DIGEST_LEN);
	if (l->have_area)
		fprintf(out, "  secrets: %s\n",
			sev_secret_format_name(l->format));
	put_measurement(l->measurement, out);
	put_policy(l->in.policy, out);
}

static void put_report(const uint8_t raw[static SEV_REPORT_LEN], FILE *out)
{
	struct sev_report r;

	sev_report_parse(raw, &r);
	fprintf(out, "report of a guest (%d bytes)\n", SEV_REPORT_LEN);
	put_hex(out, "nonce", r.nonce, SEV_NONCE_LEN);
	put_hex(out, "launch digest", r.digest, SEV_DIGEST_LEN);
	fprintf(out, "  signature: by a key of %s, %s; not verified here\n",
		sev_usage_name(r.usage), sev_algo_name(r.algo));
	put_policy(r.policy, out);
}

static bool fits_small(const uint8_t *data, size_t len)
{
	(void)data;
	return len == SEV_SESSION_LEN || len == SEV_SECRET_HDR_LEN ||
	       len == SEV_MEASUREMENT_LEN || len == SEV_KEY_LEN;
}

static int inspect_small(const struct owner_bytes *b, FILE *out)
{
	switch (b->len) {
	case SEV_SESSION_LEN:
		put_session(b->data, out);
		break;
	case SEV_SECRET_HDR_LEN:
		put_header(b->data, out);
		break;
	case SEV_MEASUREMENT_LEN:
		put_measurement(b->data, out);
		break;
	default: /* its bytes are not for the screen */
		fprintf(out, "a key of 16 bytes, TEK or TIK: keep it secret\n");
		break;
	}
	return 0;
}

static int inspect_file(const char *path, struct hash256 *h, FILE *out,
			struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	uint8_t report[SEV_REPORT_LEN];
	struct owner_launch launch;
	int r = owner_file_read("file", path, &b, err);

	if (r < 0)
		return r;
	if (owner_report_decode(&b, report, NULL) >= 0) {
		put_report(report, out);
		return 0;
	}
	if (b.data[0] == '{') {
		r = owner_launch_parse((const char *)b.data, b.len, &launch,
				       err);
		if (r < 0)
			return err_prefix(err, "file '%s'", path);
		put_launch(&launch, out);
		return 0;
	}
	if (owner_bytes_decode(&b, owner_chain_fits)) {
		put_chain(&b, h, out);
		return 0;
	}
	if (owner_bytes_decode(&b, fits_small))
		return inspect_small(&b, out);
	return err_set_kind(err, ERR_INPUT, -EINVAL,
			    "file '%s': %zu bytes that are neither a "
			    "certificate, chain, session, secret header, "
			    "measurement, report nor a launch's JSON",
			    path, b.len);
}

int owner_inspect(const struct owner_inspect_opts *o, FILE *out,
		  struct err *err)
{
	AUTO(hash256_destroyp) struct hash256 *h = hash256_openssl_create();
	int r = 0;

	if (!h)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	if (!o->files.n && !o->policy)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "name a file, or a policy with --policy");
	if (o->policy)
		put_policy(*o->policy, out);
	for (size_t i = 0; r >= 0 && i < o->files.n; i++) {
		if (o->files.n > 1)
			fprintf(out, "%s:\n", o->files.v[i]);
		r = inspect_file(o->files.v[i], h, out, err);
	}
	return r;
}
