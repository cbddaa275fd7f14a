/* owner/owner_verify.c - expected digests, and whether a launch has them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/hmac256.h"
#include "crypto/launch_fact.h"
#include "crypto/sev_policy.h"
#include "crypto/sev_session.h"
#include "owner/owner.h"
#include "owner/owner_content.h"
#include "owner/owner_file.h"
#include "owner/owner_launch.h"
#include "owner/owner_used.h"
#include "owner/owner_vmsa.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"

/* What both commands work with; wiped, it holds TIK. */
struct work {
	struct hash256 *h; /* owned */
	struct owner_bytes tik;
	struct owner_launch launch;
	struct owner_expected expected;
};

static void work_end(struct work *w)
{
	hash256_destroy(w->h);
	owner_bytes_wipe(&w->tik);
	owner_expected_destroy(&w->expected);
}

static int no_hash(struct err *err)
{
	return err_set_kind(err, ERR_HOST, -EIO, "cannot compute SHA-256");
}

static int begin(struct work *w, struct err *err)
{
	w->h = hash256_openssl_create();
	return w->h ? 0 : no_hash(err);
}

/* MEASURE for @digest. */
static int measure(const struct work *w,
		   const uint8_t digest[static SEV_DIGEST_LEN],
		   uint8_t out[static SEV_MEASURE_LEN], struct err *err)
{
	struct sev_measure_input in = w->launch.in;

	memcpy(in.digest, digest, SEV_DIGEST_LEN);
	return sev_measure(w->h, w->tik.data, &in, out) < 0 ? no_hash(err) : 0;
}

int owner_measure(const struct owner_measure_opts *o, FILE *out,
		  struct err *err)
{
	AUTO(work_end) struct work w = {0};
	bool with_key = o->tik, report = owner_report_given(&o->report);
	char hex[2 * SEV_DIGEST_LEN + 1];
	char text[BASE64_TEXT_LEN(SEV_MEASUREMENT_LEN)];
	uint8_t digest[SEV_DIGEST_LEN];
	bool is_es = o->is_es;
	int r = begin(&w, err);

	if (r >= 0 && with_key != report)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "the expected measurement needs --tik and "
				    "the launch (--launch, or --measurement "
				    "and what goes with it)");
	if (r >= 0 && report)
		r = owner_launch_load(&o->report, &w.launch, err);
	if (r >= 0 && report)
		is_es = w.launch.in.policy & SEV_POLICY_ES;
	if (r >= 0 && with_key)
		r = owner_file_read_exactly("--tik", o->tik, SEV_KEY_LEN,
					    &w.tik, err);
	if (r >= 0)
		r = owner_expected_load(&o->content, is_es, w.h, &w.expected,
					err);
	if (r >= 0)
		r = owner_expected_digest(&w.expected, w.h, digest, err);
	if (r < 0)
		return r;
	if (with_key) {
		r = measure(&w, digest, w.launch.measurement, err);
		if (r < 0)
			return r;
	}
	r = owner_vmsa_write(&w.expected, o->vmsa_cpu0, o->vmsa_cpu1, o->force,
			     err);
	if (r < 0)
		return r;
	fprintf(out, "%s\n", hex_format(digest, sizeof(digest), hex));
	if (with_key) {
		base64_encode(w.launch.measurement, SEV_MEASUREMENT_LEN, text);
		fprintf(out, "%s\n", text);
	}
	return 0;
}

static int distrust(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int distrust(struct err *err, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set_kind(err, ERR_INPUT, -EKEYREJECTED, "%s", text);
}

static int check_firmware(const struct owner_verify_opts *o,
			  const struct sev_measure_input *in, struct err *err)
{
	uint8_t major = o->min_api_major, minor = o->min_api_minor;

	if (o->have_min_api &&
	    (in->api_major < major ||
	     (in->api_major == major && in->api_minor < minor)))
		return distrust(err,
				"firmware API %u.%u is below --min-api %u.%u",
				in->api_major, in->api_minor, major, minor);
	if (in->build < o->min_build)
		return distrust(err,
				"firmware build %u is below --min-build "
				"%u",
				in->build, o->min_build);
	if (!sev_policy_admits_api(in->policy, in->api_major, in->api_minor))
		return distrust(err,
				"firmware API %u.%u is below that of "
				"policy 0x%x",
				in->api_major, in->api_minor, in->policy);
	return 0;
}

/* NAME_tik.bin has NAME_session.b64 beside it; else NULL. Freed by caller. */
static char *session_beside(const char *tik)
{
	static const char suffix[] = "_tik.bin";
	size_t len = strlen(tik), cut = sizeof(suffix) - 1;
	char *path = NULL;

	if (len <= cut || strcmp(tik + len - cut, suffix) != 0)
		return NULL;
	if (asprintf(&path, "%.*s_session.b64", (int)(len - cut), tik) < 0)
		return NULL;
	if (!access(path, F_OK))
		return path;
	free(path);
	return NULL;
}

/* *ret_how: what to say about the policy. */
static int check_policy(const struct owner_verify_opts *o, struct work *w,
			const char **ret_how, struct err *err)
{
	AUTO(freep) char *beside = o->session ? NULL : session_beside(o->tik);
	AUTO(owner_bytes_wipe) struct owner_bytes blob = {0};
	const char *path = o->session ? o->session : beside;
	uint32_t policy = w->launch.in.policy;
	int r = sev_policy_check(policy, err);

	if (r < 0)
		return distrust(err,
				"the host reports policy 0x%x, which no "
				"firmware accepts",
				policy);
	*ret_how = "bound by TIK";
	if (!path)
		return 0;
	r = owner_file_read_exactly("session", path, SEV_SESSION_LEN, &blob,
				    err);
	if (r < 0)
		return r;
	r = sev_session_check_policy(w->h, w->tik.data, blob.data, policy);
	if (r == -EKEYREJECTED)
		return distrust(err,
				"the host reports policy 0x%x, but session "
				"'%s' is not for that policy, or not of "
				"this TIK",
				policy, path);
	*ret_how = "that of the session";
	return r < 0 ? no_hash(err) : 0;
}

/* 0: @digest is what was launched. -ENOMSG: it is not. */
static int compare(const struct work *w,
		   const uint8_t digest[static SEV_DIGEST_LEN], struct err *err)
{
	uint8_t want[SEV_MEASURE_LEN];
	int r = measure(w, digest, want, err);

	if (r < 0)
		return r;
	return equal_constant_time(want, w->launch.measurement, sizeof(want))
		       ? 0
		       : -ENOMSG;
}

/*
 * The same with each content that is as good as the other. @digest is then the
 * one that was launched, or the first.
 */
static int compare_any(struct work *w, uint8_t digest[static SEV_DIGEST_LEN],
		       struct err *err)
{
	uint8_t first[SEV_DIGEST_LEN] = {0};
	int r = owner_expected_digest(&w->expected, w->h, digest, err);

	if (r >= 0)
		r = compare(w, digest, err);
	if (r == -ENOMSG)
		memcpy(first, digest, sizeof(first));
	while (r == -ENOMSG && owner_expected_alternative(&w->expected, err)) {
		r = owner_expected_digest(&w->expected, w->h, digest, err);
		if (r >= 0)
			r = compare(w, digest, err);
	}
	if (r == -ENOMSG)
		memcpy(digest, first, sizeof(first));
	return r;
}

static bool has_entry(const struct owner_launch *l, const char *name)
{
	for (size_t i = 0; i < l->n_entries; i++)
		if (!strcmp(l->entry[i].name, name))
			return true;
	return false;
}

static bool list_names(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *p = list;

	while ((p = strstr(p, word))) {
		if ((p == list || p[-1] == ' ') && (!p[len] || p[len] == ','))
			return true;
		p += len;
	}
	return false;
}

/*
 * The host's account is that of what was measured, and what @differ names is
 * the same for every size and number of CPUs: hashing it some forty times more
 * would find nothing.
 */
static bool is_other_content(struct work *w, const char *differ)
{
	static const char *const contents[] = {"kernel", "initrd"};

	if (!w->launch.have_digest || compare(w, w->launch.in.digest, NULL))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++)
		if (list_names(differ, contents[i]) &&
		    has_entry(&w->launch, contents[i]))
			return true;
	return false;
}

/* What has been launched instead, as far as that can be found out. */
static int explain(struct work *w,
		   const uint8_t expected[static SEV_DIGEST_LEN],
		   struct err *err)
{
	char says[128], differ[128], hex[2][2 * SEV_DIGEST_LEN + 1];
	uint8_t digest[SEV_DIGEST_LEN];
	bool is_content;

	/* First, since the rest changes what is expected. */
	owner_expected_differ(&w->expected, &w->launch, w->h, differ,
			      sizeof(differ));
	is_content = is_other_content(w, differ);
	for (unsigned int i = 0;
	     !is_content &&
	     owner_expected_vary(&w->expected, i, says, sizeof(says));
	     i++) {
		int r = owner_expected_digest(&w->expected, w->h, digest, err);

		if (r >= 0)
			r = compare(w, digest, err);
		if (!r)
			return distrust(err,
					"NOT VERIFIED: the host did "
					"something else: %s",
					says);
		if (r != -ENOMSG)
			return r;
	}
	if (w->launch.have_digest && !compare(w, w->launch.in.digest, NULL))
		return distrust(
			err,
			"NOT VERIFIED: other content was launched: its "
			"digest is %s, expected %s%s%s",
			hex_format(w->launch.in.digest, SEV_DIGEST_LEN, hex[0]),
			hex_format(expected, SEV_DIGEST_LEN, hex[1]),
			*differ ? "; by the host's account these differ: " : "",
			differ);
	return distrust(err,
			"NOT VERIFIED: the measurement is not that of "
			"digest %s: other content, another policy or "
			"firmware than reported, or a launch with other "
			"keys than this TIK",
			hex_format(expected, SEV_DIGEST_LEN, hex[0]));
}

static int check_word(const struct owner_expected *e, const char *word,
		      struct err *err)
{
	bool known;
	uint64_t covered = owner_expected_covered(e, &known);
	const char *name;

	for (unsigned int i = 0; (name = launch_fact_name(i)); i++) {
		if (strcmp(name, word) != 0)
			continue;
		if (covered & BIT64(i))
			return 0;
		return distrust(err,
				"--require %s: this measurement does not "
				"bind it%s",
				word,
				known ? "" : ", as far as a digest can tell");
	}
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "--require '%.32s': nothing that a measurement "
			    "could cover is called that",
			    word);
}

static int check_required(const struct owner_verify_opts *o,
			  const struct owner_expected *e, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < o->require.n; i++) {
		AUTO(freep) char *copy = strdup(o->require.v[i]);
		char *next = copy;

		if (!copy)
			return err_set_kind(err, ERR_HOST, -ENOMEM,
					    "out of memory");
		while (r >= 0 && next)
			r = check_word(e, strsep(&next, ","), err);
	}
	return r;
}

static void print_verified(const struct work *w, const char *how,
			   const uint8_t digest[static SEV_DIGEST_LEN],
			   FILE *out)
{
	const struct sev_measure_input *in = &w->launch.in;
	char hex[2 * SEV_DIGEST_LEN + 1], policy[SEV_POLICY_TEXT_MAX];

	fprintf(out,
		"VERIFIED\n"
		"digest: %s\n"
		"policy: 0x%x (%s), %s\n"
		"firmware: API %u.%u, build %u\n",
		hex_format(digest, SEV_DIGEST_LEN, hex), in->policy,
		sev_policy_format(in->policy, policy), how, in->api_major,
		in->api_minor, in->build);
	owner_expected_print_covered(&w->expected, 0, out);
	if (!(in->policy & SEV_POLICY_NODBG))
		fprintf(out, "warning: the policy leaves debugging open: the "
			     "host can read all memory\n");
}

static int load(const struct owner_verify_opts *o, struct work *w,
		struct err *err)
{
	int r = begin(w, err);

	if (r >= 0)
		r = owner_file_read_exactly("--tik", o->tik, SEV_KEY_LEN,
					    &w->tik, err);
	if (r >= 0)
		r = owner_launch_load(&o->report, &w->launch, err);
	if (r >= 0)
		r = owner_expected_load(&o->content,
					w->launch.in.policy & SEV_POLICY_ES,
					w->h, &w->expected, err);
	return r;
}

int owner_verify(const struct owner_verify_opts *o, FILE *out, struct err *err)
{
	AUTO(work_end) struct work w = {0};
	uint8_t digest[SEV_DIGEST_LEN];
	const char *how = NULL;
	int r = load(o, &w, err);

	if (r >= 0)
		r = check_firmware(o, &w.launch.in, err);
	if (r >= 0)
		r = check_policy(o, &w, &how, err);
	if (r >= 0)
		r = check_required(o, &w.expected, err);
	if (r >= 0)
		r = compare_any(&w, digest, err);
	if (r == -ENOMSG)
		return explain(&w, digest, err);
	if (r >= 0)
		r = owner_used_claim(w.h,
				     &(struct owner_use){o->tik, w.tik.data,
							 w.launch.measurement},
				     err);
	if (r >= 0)
		print_verified(&w, how, digest, out);
	return r;
}
