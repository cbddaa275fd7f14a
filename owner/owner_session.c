/* owner/owner_session.c - verifies a platform and makes a session for it. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/sev_chain.h"
#include "crypto/sev_key.h"
#include "crypto/sev_policy.h"
#include "crypto/sev_session.h"
#include "owner/owner.h"
#include "owner/owner_chain.h"
#include "owner/owner_file.h"
#include "vmm/base/err.h"

/* Everything a session is made of; wiped as a whole. */
struct material {
	struct sev_session_keys keys;
	struct sev_session_fresh fresh;
	uint8_t z[SEV_SHARED_MAX];
	size_t z_len;
	uint8_t godh[SEV_CERT_LEN];
	uint8_t blob[SEV_SESSION_LEN];
};

static void material_wipe(struct material *m)
{
	explicit_bzero(m, sizeof(*m));
}

static int failed(int r, struct err *err)
{
	return err_set_kind(err, ERR_HOST, r, "cannot make a session: %s",
			    strerror(-r));
}

/* getrandom() gives up to 256 bytes at once and uninterrupted. */
static int fill(void *p, size_t len)
{
	return getrandom(p, len, 0) == (ssize_t)len ? 0 : -EIO;
}

/* The owner's certificate, and the secret shared with the platform. */
static int agree(const struct sev_cert *pdh, struct material *m)
{
	AUTO(sev_key_destroyp) struct sev_key *own = NULL;
	AUTO(sev_key_destroyp) struct sev_key *peer = NULL;
	struct sev_cert godh;
	int r = sev_key_generate_ec(sev_cert_curve(pdh), &own);

	if (r >= 0)
		r = sev_key_of_cert(pdh, &peer, NULL);
	if (r >= 0)
		r = sev_key_agree(own, peer, m->z, &m->z_len);
	if (r < 0)
		return r;
	sev_cert_init(&godh, SEV_USAGE_PDH, pdh->algo);
	r = sev_key_to_cert(own, &godh);
	if (r >= 0)
		sev_cert_serialise(&godh, m->godh);
	return r;
}

static int make(const struct sev_cert *pdh, uint32_t policy, struct hash256 *h,
		struct material *m)
{
	int r = fill(&m->keys, sizeof(m->keys));

	if (r >= 0)
		r = fill(&m->fresh, sizeof(m->fresh));
	if (r >= 0)
		r = agree(pdh, m);
	if (r >= 0)
		r = sev_session_seal(h, m->z, m->z_len, policy, &m->keys,
				     &m->fresh, m->blob);
	return r;
}

/* The names and encodings of sevctl. */
static int write_files(const struct owner_session_opts *o,
		       const struct material *m, struct err *err)
{
	static const char *const suffixes[] = {"godh.b64", "session.b64",
					       "tek.bin", "tik.bin"};
	char godh[BASE64_TEXT_LEN(SEV_CERT_LEN)];
	char blob[BASE64_TEXT_LEN(SEV_SESSION_LEN)];
	char paths[ARRAY_SIZE(suffixes)][4096];
	struct owner_output v[] = {
		{NULL, godh, sizeof(godh) - 1, 0644},
		{NULL, blob, sizeof(blob) - 1, 0644},
		{NULL, m->keys.tek, SEV_KEY_LEN, 0600},
		{NULL, m->keys.tik, SEV_KEY_LEN, 0600},
	};

	base64_encode(m->godh, SEV_CERT_LEN, godh);
	base64_encode(m->blob, SEV_SESSION_LEN, blob);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if (snprintf(paths[i], sizeof(paths[i]), "%s_%s", o->name,
			     suffixes[i]) >= (int)sizeof(paths[i]))
			return err_set_kind(err, ERR_USAGE, -ENAMETOOLONG,
					    "--name: too long");
		v[i].path = paths[i];
	}
	return owner_files_write(v, ARRAY_SIZE(v), o->force, err);
}

static void report(const struct owner_session_opts *o, FILE *out)
{
	char text[SEV_POLICY_TEXT_MAX];

	fprintf(out, "policy: 0x%x (%s)\n", o->policy,
		sev_policy_format(o->policy, text));
	if (!(o->policy & SEV_POLICY_NODBG))
		fprintf(out, "warning: the policy leaves debugging open: the "
			     "host can read all memory\n");
	fprintf(out,
		"for the host: %s_godh.b64 %s_session.b64\n"
		"keep secret:  %s_tek.bin %s_tik.bin (for one launch)\n",
		o->name, o->name, o->name, o->name);
}

int owner_session(const struct owner_session_opts *o, FILE *out,
		  struct err *err)
{
	AUTO(hash256_destroyp) struct hash256 *h = hash256_openssl_create();
	AUTO(material_wipe) struct material m = {0};
	struct sev_chain chain = {0};
	int r;

	if (!h)
		return failed(-ENOMEM, err);
	r = sev_policy_check(o->policy, err);
	if (r >= 0)
		r = owner_chain_load(&o->platform, &chain, err);
	if (r >= 0 && !o->unverified)
		r = owner_chain_verify(&o->platform, &chain, h, out, err);
	else if (r >= 0)
		fprintf(out, "warning: nobody vouches for this platform: "
			     "--unverified\n");
	if (r < 0)
		return r;
	r = make(&chain.sev[SEV_CHAIN_PDH], o->policy, h, &m);
	if (r == -EINVAL)
		return err_set_kind(err, ERR_INPUT, r,
				    "'%s': the key of the PDH is not a point "
				    "of its curve",
				    o->platform.chain);
	if (r < 0)
		return failed(r, err);
	r = write_files(o, &m, err);
	if (r >= 0)
		report(o, out);
	return r;
}
