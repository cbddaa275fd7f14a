/* owner/owner_secret.c - packs secrets for a launch that was verified. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/sev_secret.h"
#include "crypto/sev_secret_area.h"
#include "owner/owner.h"
#include "owner/owner_file.h"
#include "owner/owner_launch.h"
#include "owner/owner_used.h"
#include "vmm/base/err.h"

static const char luks_key[] = "736869e5-84f0-4973-92ec-06879ce3da0b";

/* Plain and encrypted; wiped as a whole. */
struct packet {
	struct hash256 *h; /* owned */
	struct sev_session_keys keys;
	struct owner_launch launch;
	struct owner_bytes files[SEV_SECRETS_MAX];
	struct sev_secret_entry entries[SEV_SECRETS_MAX];
	uint8_t area[SEV_SECRET_MAX], payload[SEV_SECRET_MAX];
	size_t len;
	uint8_t hdr[SEV_SECRET_HDR_LEN];
};

static void packet_destroyp(struct packet **p)
{
	if (!*p)
		return;
	hash256_destroy((*p)->h);
	for (size_t i = 0; i < SEV_SECRETS_MAX; i++)
		owner_bytes_wipe(&(*p)->files[i]);
	explicit_bzero(*p, sizeof(**p));
	free(*p);
}

static int load_key(const char *option, const char *path,
		    uint8_t key[static SEV_KEY_LEN], struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	int r = owner_file_read_exactly(option, path, SEV_KEY_LEN, &b, err);

	if (r >= 0)
		memcpy(key, b.data, SEV_KEY_LEN);
	return r;
}

/* "GUID:FILE" */
static int load_secret(const char *arg, struct owner_bytes *b,
		       struct sev_secret_entry *e, struct err *err)
{
	const char *colon = strchr(arg, ':');
	char guid[GUID_TEXT_LEN] = "";
	int r;

	if (!colon || !colon[1])
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--secret '%.64s': expected GUID:FILE, or "
				    "luks-key:FILE",
				    arg);
	if ((size_t)(colon - arg) < sizeof(guid))
		memcpy(guid, arg, (size_t)(colon - arg));
	if (!guid_parse(!strcmp(guid, "luks-key") ? luks_key : guid, e->guid))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--secret '%.64s': what is before the "
				    "colon is neither a GUID nor luks-key",
				    arg);
	r = owner_file_read("--secret", colon + 1, b, err);
	if (r < 0)
		return r;
	e->data = b->data;
	e->len = b->len;
	return 0;
}

/* The launch says which format it takes; another would be lost in the guest. */
static int choose_format(const struct owner_secret_opts *o,
			 const struct owner_launch *l,
			 enum sev_secret_format *ret, struct err *err)
{
	const char *has = sev_secret_format_name(l->format);

	*ret = l->have_area ? l->format : SEV_SECRET_TABLE;
	if (!o->format)
		return 0;
	if (!strcmp(o->format, "table"))
		*ret = SEV_SECRET_TABLE;
	else if (!strcmp(o->format, "cpio"))
		*ret = SEV_SECRET_CPIO;
	else
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--format '%.16s': expected table or cpio",
				    o->format);
	if (l->have_area && *ret != l->format)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--format %s: this launch takes %s",
				    o->format, has);
	return 0;
}

static int build(const struct owner_secret_opts *o, struct packet *p,
		 struct err *err)
{
	enum sev_secret_format format;
	size_t max = sizeof(p->area);
	int r = choose_format(o, &p->launch, &format, err);

	if (r < 0)
		return r;
	if (o->secrets.n > SEV_SECRETS_MAX)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--secret: at most %d", SEV_SECRETS_MAX);
	for (size_t i = 0; i < o->secrets.n; i++) {
		r = load_secret(o->secrets.v[i], &p->files[i], &p->entries[i],
				err);
		if (r < 0)
			return r;
	}
	if (p->launch.have_area && p->launch.area_size &&
	    p->launch.area_size < max)
		max = (size_t)p->launch.area_size;
	r = sev_secret_area_build(format, p->entries, o->secrets.n, p->area,
				  max, &p->len, err);
	return r < 0 ? err_prefix(err, "--secret") : 0;
}

static int seal(struct packet *p, struct err *err)
{
	uint8_t iv[SEV_NONCE_LEN];
	int r = 0;

	if (getrandom(iv, sizeof(iv), 0) != (ssize_t)sizeof(iv))
		r = -EIO;
	if (r >= 0)
		r = sev_secret_seal(p->h, &p->keys, p->launch.measurement, iv,
				    p->area, p->len, p->hdr, p->payload);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "cannot encrypt the secrets");
	return 0;
}

static int write_packet(const struct owner_secret_opts *o,
			const struct packet *p, struct err *err)
{
	char hdr[BASE64_TEXT_LEN(SEV_SECRET_HDR_LEN)];
	char payload[BASE64_TEXT_LEN(SEV_SECRET_MAX)];

	base64_encode(p->hdr, sizeof(p->hdr), hdr);
	base64_encode(p->payload, p->len, payload);
	return owner_files_write(
		(struct owner_output[]){
			{o->header, hdr, strlen(hdr), 0644},
			{o->payload, payload, strlen(payload), 0644},
		},
		2, o->force, err);
}

int owner_secret(const struct owner_secret_opts *o, FILE *out, struct err *err)
{
	AUTO(packet_destroyp) struct packet *p = calloc(1, sizeof(*p));
	struct owner_use use = {.tik_path = o->tik};
	int r;

	if (p)
		p->h = hash256_openssl_create();
	if (!p || !p->h)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	r = load_key("--tik", o->tik, p->keys.tik, err);
	if (r >= 0)
		r = load_key("--tek", o->tek, p->keys.tek, err);
	if (r >= 0 && !memcmp(p->keys.tik, p->keys.tek, SEV_KEY_LEN))
		r = err_set_kind(err, ERR_INPUT, -EINVAL,
				 "--tik '%s' and --tek '%s' are the same key",
				 o->tik, o->tek);
	if (r >= 0)
		r = owner_launch_load(&o->report, &p->launch, err);
	use.tik = p->keys.tik;
	use.measurement = p->launch.measurement;
	if (r >= 0 && !o->unverified)
		r = owner_used_check(p->h, &use, err);
	if (r >= 0)
		r = build(o, p, err);
	if (r >= 0)
		r = seal(p, err);
	if (r >= 0)
		r = write_packet(o, p, err);
	if (r >= 0)
		fprintf(out, "%zu bytes for this launch only: %s %s\n", p->len,
			o->header, o->payload);
	return r;
}
