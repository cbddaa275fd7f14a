/* owner/owner_chain.c - reads and judges a platform's certificates. */
#include "owner/owner_chain.h"

#include <errno.h>
#include <string.h>

#include "owner/owner_file.h"
#include "vmm/base/err.h"

bool owner_chain_fits(const uint8_t *data, size_t len)
{
	struct sev_chain c = {0};

	return len && sev_chain_add(&c, data, len, NULL) >= 0;
}

/* Say what the file is instead, when that can be seen. */
static int not_certificates(const char *what, const char *path,
			    const struct owner_bytes *b, struct err *err)
{
	struct sev_chain c = {0};
	const char *guess = owner_bytes_guess(b);
	struct err why = {0};

	sev_chain_add(&c, b->data, b->len, &why);
	if (guess && !strstr(guess, "certificate"))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "%s '%s': no certificates; that looks like "
				    "%s",
				    what, path, guess);
	return err_set_kind(err, ERR_INPUT, -EINVAL, "%s '%s': %s", what, path,
			    why.code ? why.msg : "not certificates");
}

static int add_file(const char *what, const char *path, struct sev_chain *c,
		    struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	int r = owner_file_read(what, path, &b, err);

	if (r < 0)
		return r;
	if (!owner_bytes_decode(&b, owner_chain_fits))
		return not_certificates(what, path, &b, err);
	r = sev_chain_add(c, b.data, b.len, err);
	if (r < 0)
		err_prefix(err, "%s '%s'", what, path);
	return r;
}

/* A file for one purpose must hold what it is for, and nothing else. */
static int add_only(const char *what, const char *path, unsigned int allowed,
		    struct sev_chain *c, struct err *err)
{
	struct sev_chain one = {0};
	int r = add_file(what, path, &one, err);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < SEV_CHAIN_COUNT; i++)
		if (one.have[i] && !(allowed & 1U << i))
			return err_set_kind(err, ERR_INPUT, -EINVAL,
					    "%s '%s': it holds a certificate "
					    "of the %s, which is not for this",
					    what, path,
					    sev_chain_member_name(i));
	return add_file(what, path, c, err);
}

static int check_pdh(const char *path, const struct sev_chain *c,
		     struct err *err)
{
	const struct sev_cert *pdh = &c->sev[SEV_CHAIN_PDH];

	if (!c->have[SEV_CHAIN_PDH])
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "chain '%s' has no PDH, the certificate a "
				    "session is made for",
				    path);
	if (pdh->algo != SEV_ALGO_ECDH_SHA256 &&
	    pdh->algo != SEV_ALGO_ECDH_SHA384)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "chain '%s': the key of its PDH is of %s, "
				    "not for key agreement",
				    path, sev_algo_name(pdh->algo));
	return 0;
}

int owner_chain_load(const struct owner_platform *o, struct sev_chain *ret,
		     struct err *err)
{
	int r = add_file("chain", o->chain, ret, err);

	if (r >= 0 && o->roots)
		r = add_only("--roots", o->roots,
			     1U << SEV_CHAIN_ASK | 1U << SEV_CHAIN_ARK, ret,
			     err);
	if (r >= 0 && o->cek)
		r = add_only("--cek", o->cek, 1U << SEV_CHAIN_CEK, ret, err);
	return r < 0 ? r : check_pdh(o->chain, ret, err);
}

/* More of what sev_chain_verify() says: our options. */
static int incomplete(const struct owner_platform *o, const struct sev_chain *c,
		      int r, struct err *err)
{
	if (r == -ENOENT && !c->have[SEV_CHAIN_ARK] && c->have[SEV_CHAIN_CEK])
		return err_set_kind(err, ERR_INPUT, r,
				    "chain '%s' lacks ASK or ARK: give AMD's "
				    "file of this processor generation "
				    "(ask_ark_*.cert) with --roots",
				    o->chain);
	return err_prefix(err, "chain '%s'", o->chain);
}

static int judge_root(const struct owner_platform *o,
		      const struct sev_chain_root *root, FILE *out,
		      struct err *err)
{
	if (o->simulated && root->generation)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--simulated: chain '%s' ends in AMD's "
				    "root (%s), not in a simulated one",
				    o->chain, root->generation);
	if (!root->generation && !root->is_simulated)
		return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
				    "chain '%s' ends in a root that is not "
				    "AMD's",
				    o->chain);
	if (!root->generation && !o->simulated)
		return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
				    "chain '%s' ends in a SIMULATED root: the "
				    "platform protects nothing. For tests: "
				    "--simulated",
				    o->chain);
	if (root->generation)
		fprintf(out, "platform: verified to AMD's root, %s\n",
			root->generation);
	else
		fprintf(out, "platform: SIMULATED, protects nothing\n");
	return 0;
}

int owner_chain_verify(const struct owner_platform *o,
		       const struct sev_chain *c, struct hash256 *h, FILE *out,
		       struct err *err)
{
	struct sev_chain_root root;
	int r = sev_chain_verify(c, h, &root, err);

	if (r < 0)
		return incomplete(o, c, r, err);
	return judge_root(o, &root, out, err);
}
