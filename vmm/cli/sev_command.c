/* vmm/cli/sev_command.c - questions to the platform, and its answers. */
#include "vmm/cli/sev_command.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/amd_cert.h"
#include "crypto/sev_files.h"
#include "owner/owner_file.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"
#include "vmm/cli/cli_words.h"
#include "vmm/kvm/sev_dev.h"

/* --- what is printed ------------------------------------------------------
 */

static int print_json(const struct sev_command *c, json_t *j, struct err *err)
{
	int r = j ? json_dumpf(j, c->out, JSON_INDENT(2)) : -1;

	json_decref(j);
	if (r < 0 || fputc('\n', c->out) == EOF)
		return err_set_kind(err, ERR_HOST, -EIO, "cannot write JSON");
	return 0;
}

static int show_status(const struct sev_command *c, const struct sev_dev *d,
		       struct err *err)
{
	struct sev_platform_status s;
	int r = sev_dev_status(d, &s, err);

	if (r < 0)
		return r;
	if (c->json)
		return print_json(
			c,
			json_pack("{s:i, s:i, s:i, s:s, s:b, s:b, s:i, s:b}",
				  "api_major", s.api_major, "api_minor",
				  s.api_minor, "build", s.build, "state",
				  sev_platform_state_name(s.state), "owned",
				  (int)s.owned, "es", (int)s.es, "guests",
				  (int)s.guests, "simulated",
				  (int)!d->is_device),
			err);
	fprintf(c->out,
		"API version  %u.%u\nbuild        %u\nstate        %s\n"
		"owner        %s\nSEV-ES       %s\nguests       %u\n",
		s.api_major, s.api_minor, s.build,
		sev_platform_state_name(s.state),
		s.owned ? "somebody (PEK signed by an OCA of theirs)"
			: "nobody (self-owned)",
		s.es ? "initialised" : "not initialised", s.guests);
	if (!d->is_device)
		fprintf(c->out,
			"SIMULATED    this is not the driver's device\n");
	return 0;
}

static int show_id(const struct sev_command *c, const struct sev_dev *d,
		   struct err *err)
{
	uint8_t id[SEV_ID_LEN * SEV_ID_SOCKETS_MAX];
	char text[2 * SEV_ID_LEN + 1];
	json_t *list = json_array();
	size_t len = 0;
	int r = sev_dev_id(d, id, &len, err);

	for (size_t at = 0; !r && at < len; at += SEV_ID_LEN) {
		hex_format(id + at, SEV_ID_LEN, text);
		if (c->json)
			json_array_append_new(list, json_string(text));
		else
			fprintf(c->out, "%s\n", text);
	}
	if (r < 0 || !c->json) {
		json_decref(list);
		return r;
	}
	return print_json(c, json_pack("{s:o}", "ids", list), err);
}

/* --- what is written ------------------------------------------------------
 */

static int need_files(const struct sev_command *c, size_t n, const char *which,
		      struct err *err)
{
	if (c->n_files == n)
		return 0;
	return err_set_kind(err, ERR_USAGE, -EINVAL, "%s: %s", c->name, which);
}

static int write_file(const char *path, const void *data, size_t len,
		      struct err *err)
{
	const struct owner_output o = {
		.path = path, .data = data, .len = len, .mode = 0644};

	return owner_files_write(&o, 1, true, err);
}

/*
 * The firmware's CEK lacks AMD's signature: AMD hands the signed one out, by
 * the chip's id, and the operator keeps it on the host.
 */
static int add_amds(const struct sev_command *c, uint8_t *cek,
		    struct owner_bytes *roots, struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	char signed_cek[512], ask_ark[512];
	int r;

	snprintf(signed_cek, sizeof(signed_cek), "%s%s", c->root, SEV_FILE_CEK);
	snprintf(ask_ark, sizeof(ask_ark), "%s%s", c->root, SEV_FILE_ASK_ARK);
	r = owner_file_read_exactly("--full", signed_cek, SEV_CERT_LEN, &b,
				    err);
	if (!r)
		r = owner_file_read("--full", ask_ark, roots, err);
	if (r < 0) {
		err_prefix(err,
			   "export: AMD's certificates of this processor are "
			   "not on this host (coffer-sev(1), FILES)");
		return r;
	}
	/* Another chip's would make a chain that leads nowhere. */
	if (memcmp(b.data, cek, SEV_CERT_BODY_LEN) != 0)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "--full '%s': the certificate of another "
				    "chip; get the one of 'coffer sev id'",
				    signed_cek);
	memcpy(cek, b.data, SEV_CERT_LEN);
	return 0;
}

static int export_chain(const struct sev_command *c, const struct sev_dev *d,
			struct err *err)
{
	enum { PLAIN = SEV_CERT_LEN + SEV_CHAIN_LEN };
	AUTO(owner_bytes_wipe) struct owner_bytes roots = {0};
	AUTO(freep) uint8_t *all = NULL;
	uint8_t plain[PLAIN];
	int r = need_files(c, 1, "give the file to write", err);

	if (!r)
		r = sev_dev_export(d, plain, plain + SEV_CERT_LEN, err);
	if (!r && c->full)
		r = add_amds(c, plain + PLAIN - SEV_CERT_LEN, &roots, err);
	if (r < 0)
		return r;
	all = malloc(PLAIN + roots.len);
	if (!all)
		return err_set(err, -ENOMEM, "out of memory");
	memcpy(all, plain, PLAIN);
	if (roots.len)
		memcpy(all + PLAIN, roots.data, roots.len);
	return write_file(c->files[0], all, PLAIN + roots.len, err);
}

static int make_request(const struct sev_command *c, const struct sev_dev *d,
			struct err *err)
{
	uint8_t csr[SEV_CERT_LEN];
	int r = need_files(c, 1, "give the file to write", err);

	if (!r)
		r = sev_dev_pek_csr(d, csr, err);
	return r < 0 ? r : write_file(c->files[0], csr, sizeof(csr), err);
}

/* --- what changes the platform --------------------------------------------
 */

/* A certificate of that usage, base64 or raw. */
static int read_cert(const char *what, const char *path, enum sev_usage usage,
		     struct owner_bytes *ret, struct err *err)
{
	struct sev_cert cert;
	int r = owner_file_read_exactly(what, path, SEV_CERT_LEN, ret, err);

	if (r >= 0)
		r = sev_cert_parse(ret->data, ret->len, &cert, err);
	if (r < 0)
		return r;
	if (cert.usage != usage)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "%s '%s': a %s certificate; expected %s",
				    what, path, sev_usage_name(cert.usage),
				    sev_usage_name(usage));
	return 0;
}

static int import(const struct sev_command *c, const struct sev_dev *d,
		  struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes pek = {0};
	AUTO(owner_bytes_wipe) struct owner_bytes oca = {0};
	int r = need_files(c, 2, "give the signed PEK, then the OCA", err);

	if (!r)
		r = read_cert("PEK", c->files[0], SEV_USAGE_PEK, &pek, err);
	if (!r)
		r = read_cert("OCA", c->files[1], SEV_USAGE_OCA, &oca, err);
	return r < 0 ? r : sev_dev_pek_import(d, pek.data, oca.data, err);
}

/* 0: go on; -ECANCELED. */
static int ask(const struct sev_command *c, const char *question,
	       struct err *err)
{
	char line[16] = "";

	if (c->yes)
		return 0;
	if (!c->ask(c->arg, question, line, sizeof(line)))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "%s: asks first, and there is no terminal; "
				    "--yes does not ask",
				    c->name);
	if (!strcmp(line, "yes\n"))
		return 0;
	return err_set_kind(err, ERR_USAGE, -ECANCELED,
			    "%s: not done, as the answer was not yes", c->name);
}

static int new_pdh(const struct sev_command *c, const struct sev_dev *d,
		   struct err *err)
{
	int r = ask(c,
		    "A new PDH makes every session that owners have made for "
		    "this platform useless.",
		    err);

	return r < 0 ? r : sev_dev_pdh_gen(d, err);
}

static int reset(const struct sev_command *c, const struct sev_dev *d,
		 struct err *err)
{
	int r = ask(c,
		    "A reset deletes the platform's keys and its owner's "
		    "certificate; every session becomes useless.",
		    err);

	return r < 0 ? r : sev_dev_factory_reset(d, err);
}

/* --- the commands --------------------------------------------------------- */

static const struct action {
	const char *name;
	int (*run)(const struct sev_command *c, const struct sev_dev *d,
		   struct err *err);
	bool files, json, full, yes; /* what it takes */
} actions[] = {
	{"status", show_status, .json = true},
	{"export", export_chain, .files = true, .full = true},
	{"id", show_id, .json = true},
	{"pdh-gen", new_pdh, .yes = true},
	{"pek-csr", make_request, .files = true},
	{"pek-import", import, .files = true},
	{"reset", reset, .yes = true},
};

static const struct action *find(const char *name, struct err *err)
{
	static const struct cli_words known = {
		.what = "command",
		.help = "coffer help sev",
		.v = actions,
		.n = ARRAY_SIZE(actions),
		.size = sizeof(actions[0]),
	};

	return cli_words_find(&known, name, err);
}

int sev_command_check(const struct sev_command *c, struct err *err)
{
	const struct action *a = find(c->name, err);
	const char *bad;

	if (!a)
		return -EINVAL;
	bad = c->n_files && !a->files ? "a file"
	      : c->json && !a->json   ? "--json"
	      : c->full && !a->full   ? "--full"
	      : c->yes && !a->yes     ? "--yes"
				      : NULL;

	if (!bad)
		return 0;
	return err_set_kind(err, ERR_USAGE, -EINVAL, "%s: takes no %s", a->name,
			    bad[0] == 'a' ? "file" : bad);
}

int sev_command_run(const struct sev_command *c, const struct sev_dev *d,
		    struct err *err)
{
	const struct action *a = find(c->name, err);

	return a ? a->run(c, d, err) : -EINVAL;
}
