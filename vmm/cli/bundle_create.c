/*
 * vmm/cli/bundle_create.c - `coffer bundle create`: the options of a run, kept.
 *
 * They are described by the tables of `coffer run` and checked like its own, so
 * that a bundle that was made can be run.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash256_openssl.h"
#include "crypto/sev_policy.h"
#include "owner/owner_file.h"
#include "owner/owner_sign.h"
#include "vmm/base/err.h"
#include "vmm/bundle/bundle.h"
#include "vmm/bundle/bundle_write.h"
#include "vmm/cli/bundle_cli.h"
#include "vmm/config.h"
#include "vmm/config_boot.h"
#include "vmm/config_bundle.h"
#include "vmm/config_firmware.h"

struct maker {
	struct bundle_config *c; /* borrowed */
	struct hash256 *h;
	struct bundle b;
	void *image[BUNDLE_PARTS]; /* owned; what b points to */
	struct owner_sign_key *key;
	void *file; /* owned */
	size_t len;
};

static void maker_destroy(struct maker *m)
{
	run_config_destroy(&m->c->run);
	hash256_destroy(m->h);
	for (size_t i = 0; i < BUNDLE_PARTS; i++)
		free(m->image[i]);
	owner_sign_key_destroy(m->key);
	free(m->file);
}

/* Would `coffer run` take it, with the protection that its policy is for? */
static int check(struct maker *m, struct err *err)
{
	struct run_config *run = &m->c->run;
	struct devices_config *d = &run->devices;
	const struct policy_config *p = &d->sev.policy;
	AUTO(config_images_close) struct config_images images = {0};
	struct measured_boot_args a;
	int r;

	if (p->given && !option_was_given(&run->given, "protect"))
		d->protect =
			p->value & SEV_POLICY_ES ? PROTECT_SEV_ES : PROTECT_SEV;
	if (p->given && !protect_is_sev(d->protect))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--policy: needs --protect sev or sev-es");
	r = run_config_finish(run, err);
	if (r >= 0)
		r = config_images_open(&images, run, err);
	if (r < 0 || !protect_is_sev(d->protect))
		return r;
	config_boot_args(run, &images, &a);
	return measured_boot_check(&a, err);
}

static int read_image(const struct input_file *in, const char *name,
		      uint8_t *buf, struct err *err)
{
	size_t done = 0;

	while (done < in->size) {
		ssize_t n =
			pread(in->fd, buf + done, in->size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set_kind(err, ERR_INPUT, n ? -errno : -EIO,
					    "'%s': %s", name,
					    n ? strerror(errno)
					      : "it became shorter while it "
						"was read");
		done += (size_t)n;
	}
	return 0;
}

static int take_image(struct maker *m, enum bundle_part part,
		      const struct input_file *in, const char *name,
		      struct err *err)
{
	struct bundle_image *image = &m->b.image[part];
	int r;

	if (in->fd < 0)
		return 0;
	if (in->size > BUNDLE_MAX)
		return err_set_kind(err, ERR_INPUT, -EFBIG,
				    "'%s' is larger than 2 GiB", name);
	m->image[part] = malloc(in->size);
	if (!m->image[part])
		return err_set_kind(err, ERR_HOST, -ENOMEM,
				    "no memory for the %llu bytes of '%s'",
				    (unsigned long long)in->size, name);
	r = read_image(in, name, m->image[part], err);
	if (r < 0)
		return r;
	image->data = m->image[part];
	image->len = in->size;
	if (hash256_of(m->h, image->data, image->len, image->sha256) < 0)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "cannot compute SHA-256");
	return 0;
}

static int fill(struct maker *m, struct err *err)
{
	const struct run_config *run = &m->c->run;
	int r = config_bundle_make(run, &m->b, err);

	m->b.description = m->c->description;
	if (r >= 0)
		r = take_image(m, BUNDLE_KERNEL, &run->kernel_file, run->kernel,
			       err);
	if (r >= 0)
		r = take_image(m, BUNDLE_RAMDISK, &run->initrd_file,
			       run->initrd, err);
	if (r >= 0)
		r = take_image(m, BUNDLE_FIRMWARE, &run->firmware_file,
			       config_firmware_name(run), err);
	return r;
}

static int sign(struct maker *m, struct err *err)
{
	struct bundle_signature *sig = &m->b.signature;
	struct bundle_signed s;

	if (!m->key)
		return 0;
	if (bundle_signed_text(&m->b, m->h, &s) < 0)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "cannot compute SHA-256");
	sig->algo = owner_sign_kind(m->key) == OWNER_SIGN_ED25519
			    ? BUNDLE_ED25519
			    : BUNDLE_ECDSA384;
	sig->key = owner_sign_name(m->key);
	return owner_sign(m->key, s.text, s.len, sig->value, err);
}

/* What we cannot read ourselves is not written: such as a line's end. */
static int lay_out(struct maker *m, struct err *err)
{
	struct bundle again;
	int r = bundle_write(&m->b, &m->file, &m->len, err);

	if (r < 0)
		return r;
	r = bundle_parse(m->file, m->len, &again, err);
	if (r < 0)
		err_prefix(err, "that cannot be put into a bundle");
	return r;
}

static int write_out(const struct maker *m, struct err *err)
{
	const struct owner_output out = {
		.path = m->c->output,
		.data = m->file,
		.len = m->len,
		.mode = 0644,
	};
	int r = owner_files_write(&out, 1, m->c->force, err);

	if (r < 0)
		return r;
	printf("%s: %zu bytes, %s%s\n", m->c->output, m->len,
	       m->key ? "signed by key " : "not signed",
	       m->key ? owner_sign_name(m->key) : "");
	return 0;
}

int bundle_create(void *config, int *ret_status, struct err *err)
{
	struct bundle_config *c = config;
	AUTO(maker_destroy) struct maker m = {.c = c};
	int r = 0;

	(void)ret_status;
	if (!c->run.kernel || !c->output)
		return err_set_kind(err, ERR_USAGE, -EINVAL, "%s is missing",
				    c->run.kernel ? "--output" : "--kernel");
	m.h = hash256_openssl_create();
	if (!m.h)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	if (c->sign)
		r = owner_sign_key_load(c->sign, &m.key, err);
	if (r >= 0)
		r = check(&m, err);
	if (r >= 0)
		r = fill(&m, err);
	if (r >= 0)
		r = sign(&m, err);
	if (r >= 0)
		r = lay_out(&m, err);
	return r < 0 ? r : write_out(&m, err);
}
