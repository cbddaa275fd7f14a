/* owner/owner_content.c - the expected launch digest from files. */
#include "owner/owner_content.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "crypto/launch_fact.h"
#include "crypto/sev_abi.h"
#include "firmware/kernel_image.h"
#include "owner/owner_file.h"
#include "owner/owner_form.h"
#include "owner/owner_vmsa.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"

enum { CHUNK = 1 << 18 }; /* bytes hashed at a time; fits the cache */

void owner_expected_destroy(struct owner_expected *e)
{
	free(e->vmsa);
	*e = (struct owner_expected){0};
}

static int usage(struct err *err, const char *text)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL, "%s", text);
}

static int hash_failed(struct err *err)
{
	return err_set_kind(err, ERR_HOST, -EIO, "cannot compute SHA-256");
}

static int read_failed(const char *what, const char *path, int e,
		       struct err *err)
{
	return err_set_kind(err, e == EACCES ? ERR_PERM : ERR_INPUT, -e,
			    "%s '%s': %s", what, path, strerror(e));
}

/* Feed the whole file to @h; *ret_len (or NULL) is how much that was. */
static int feed_file(struct hash256 *h, const char *what, const char *path,
		     uint64_t *ret_len, struct err *err)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO(freep) uint8_t *buf = malloc(CHUNK);
	uint64_t len = 0;
	ssize_t n;

	if (fd < 0)
		return read_failed(what, path, errno, err);
	if (!buf)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	while ((n = read(fd, buf, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return read_failed(what, path, errno, err);
		hash256_update(h, buf, (size_t)n);
		len += (uint64_t)n;
	}
	if (!len)
		return read_failed(what, path, ENODATA, err);
	if (ret_len)
		*ret_len = len;
	return 0;
}

/* The digest of a file, or of nothing when @path is NULL. */
static int hash_file(struct hash256 *h, const char *what, const char *path,
		     uint8_t digest[static HASH256_LEN], struct err *err)
{
	uint8_t ignored[HASH256_LEN];
	int r = path ? feed_file(h, what, path, NULL, err) : 0;

	if (r < 0) {
		hash256_finish(h, ignored);
		return r;
	}
	return hash256_finish(h, digest) < 0 ? hash_failed(err) : 0;
}

/* -- a digest that is given -- */

static bool digest_matches(const struct owner_content *c)
{
	return c->digest;
}

static bool parse_digest(const char *text, size_t len,
			 uint8_t out[static SEV_DIGEST_LEN])
{
	char copy[2 * SEV_DIGEST_LEN + 1];
	size_t n = 0;

	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r' ||
		       text[len - 1] == ' '))
		len--;
	if (len == sizeof(copy) - 1) {
		memcpy(copy, text, len);
		copy[len] = 0;
		return hex_parse(copy, out, SEV_DIGEST_LEN);
	}
	return base64_decode(text, len, out, SEV_DIGEST_LEN, &n) >= 0 &&
	       n == SEV_DIGEST_LEN;
}

static int digest_load(struct owner_expected *e, bool is_es, struct hash256 *h,
		       struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	const struct owner_content *c = e->c;
	int r;

	(void)is_es;
	(void)h;
	if (c->firmware || c->kernel || c->initrd || c->cmdline || c->vmsa.n ||
	    c->cpus)
		return usage(err, "--digest stands for all that was launched: "
				  "it goes with no other input");
	if (parse_digest(c->digest, strlen(c->digest), e->digest))
		return 0;
	if (access(c->digest, F_OK))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--digest '%.80s': neither 64 hexadecimal "
				    "digits, nor base64 of 32 bytes, nor a "
				    "file",
				    c->digest);
	r = owner_file_read("--digest", c->digest, &b, err);
	if (r < 0)
		return r;
	if (parse_digest((const char *)b.data, b.len, e->digest))
		return 0;
	if (b.len != SEV_DIGEST_LEN)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "--digest '%s': not a SHA-256 digest",
				    c->digest);
	memcpy(e->digest, b.data, SEV_DIGEST_LEN);
	return 0;
}

static int digest_digest(const struct owner_expected *e, struct hash256 *h,
			 uint8_t digest[static SEV_DIGEST_LEN], struct err *err)
{
	(void)h;
	(void)err;
	memcpy(digest, e->digest, SEV_DIGEST_LEN);
	return 0;
}

/* -- a firmware image, kernel hashes, VMSA pages -- */

static bool firmware_matches(const struct owner_content *c)
{
	return !c->digest && c->firmware && strcmp(c->firmware, "none") != 0;
}

/*
 * Hosts start a unified kernel image by its parts. *ret stays NULL for every
 * other file, which is hashed as it is: whether it can start is not asked here.
 */
static void open_unified(const char *path, int *ret_fd,
			 struct kernel_image **ret)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO(kernel_image_destroyp) struct kernel_image *k = NULL;

	if (fd < 0 || kernel_image_open(fd, path, &k, NULL) < 0 || !k->unified)
		return;
	*ret_fd = TAKE_FD(fd);
	*ret = TAKE(k);
}

static int hash_part(struct hash256 *h, const struct image_file *f,
		     uint8_t digest[static HASH256_LEN], struct err *err)
{
	AUTO(freep) uint8_t *buf = malloc(CHUNK);
	int r = buf ? 0 : err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");

	for (uint64_t off = 0; off < f->len && !r; off += CHUNK) {
		size_t n =
			f->len - off < CHUNK ? (size_t)(f->len - off) : CHUNK;

		r = image_file_read(f, off, buf, n, err);
		if (!r)
			hash256_update(h, buf, n);
	}
	if (hash256_finish(h, digest) < 0 && !r)
		r = hash_failed(err);
	return r;
}

static int load_hashes(struct owner_expected *e, struct hash256 *h,
		       struct err *err)
{
	const char *line = e->c->cmdline ? e->c->cmdline : "";
	uint8_t cmdline[HASH256_LEN], initrd[HASH256_LEN], kernel[HASH256_LEN];
	AUTO(kernel_image_destroyp) struct kernel_image *k = NULL;
	AUTO(fd_closep) int fd = -1;
	int r;

	if (!e->c->kernel)
		return e->c->initrd || e->c->cmdline
			       ? usage(err, "--initrd and --append are "
					    "measured with a kernel: --kernel "
					    "is missing")
			       : 0;
	open_unified(e->c->kernel, &fd, &k);
	if (k)
		line = kernel_image_cmdline(k, line);
	if (hash256_of(h, line, strlen(line) + 1, cmdline) < 0)
		return hash_failed(err);
	r = k && !e->c->initrd
		    ? hash_part(h, &k->initrd, initrd, err)
		    : hash_file(h, "--initrd", e->c->initrd, initrd, err);
	if (r >= 0)
		r = k ? hash_part(h, &k->file, kernel, err)
		      : hash_file(h, "--kernel", e->c->kernel, kernel, err);
	if (r < 0)
		return r;
	sev_kernel_hashes(cmdline, initrd, kernel, e->hashes);
	e->have_hashes = true;
	return 0;
}

static int firmware_load(struct owner_expected *e, bool is_es,
			 struct hash256 *h, struct err *err)
{
	int r = owner_vmsa_load(e, is_es, err);

	return r < 0 ? r : load_hashes(e, h, err);
}

static int firmware_digest(const struct owner_expected *e, struct hash256 *h,
			   uint8_t digest[static SEV_DIGEST_LEN],
			   struct err *err)
{
	uint64_t len = 0;
	int r = feed_file(h, "--firmware", e->c->firmware, &len, err);

	/* Nothing is launched in other pieces: libvirt and QEMU agree. */
	if (r >= 0 && len % SEV_SECRET_ALIGN)
		r = err_set_kind(err, ERR_INPUT, -EINVAL,
				 "--firmware '%s': %llu bytes, which is not a "
				 "multiple of %d: no host can launch it",
				 e->c->firmware, (unsigned long long)len,
				 SEV_SECRET_ALIGN);
	if (r < 0) {
		hash256_finish(h, digest);
		return r;
	}
	if (e->have_hashes)
		hash256_update(h, e->hashes, sizeof(e->hashes));
	for (size_t i = 0; i < e->cpus; i++) {
		size_t n = i < e->n_vmsa ? i : e->n_vmsa - 1;

		hash256_update(h, e->vmsa + n * SEV_VMSA_LEN, SEV_VMSA_LEN);
	}
	return hash256_finish(h, digest) < 0 ? hash_failed(err) : 0;
}

static uint64_t firmware_covered(const struct owner_expected *e)
{
	return launch_facts_firmware(e->cpus > 0, e->have_hashes);
}

static bool firmware_vary(struct owner_expected *e, unsigned int i, char *says,
			  size_t size)
{
	if (e->have_hashes && i == 0) {
		e->have_hashes = false;
		snprintf(says, size,
			 "it launched the firmware without kernel hashes: "
			 "kernel, initrd and command line are not bound");
		return true;
	}
	i -= e->c->kernel ? 1 : 0; /* the case above */
	if (!e->cpus || i >= OWNER_CPUS_MAX)
		return false;
	e->have_hashes = e->c->kernel;
	e->cpus = i + 1;
	snprintf(says, size, "it launched %u VMSA pages: for so many CPUs",
		 i + 1);
	return true;
}

static bool firmware_alternative(struct owner_expected *e, struct err *err)
{
	(void)err;
	return owner_vmsa_alternative(e);
}

static const struct owner_form digest_form = {
	.matches = digest_matches,
	.load = digest_load,
	.digest = digest_digest,
};

static const struct owner_form firmware_form = {
	.matches = firmware_matches,
	.load = firmware_load,
	.digest = firmware_digest,
	.covered = firmware_covered,
	.alternative = firmware_alternative,
	.vary = firmware_vary,
};

static const struct owner_form *const forms[] = {
	&digest_form,
	&firmware_form,
	&owner_form_direct,
};

int owner_expected_load(const struct owner_content *c, bool is_es,
			struct hash256 *h, struct owner_expected *ret,
			struct err *err)
{
	struct owner_expected e = {.c = c};
	int r;

	for (size_t i = 0; !e.form && i < ARRAY_SIZE(forms); i++)
		if (forms[i]->matches(c))
			e.form = forms[i];
	if (!e.form && c->firmware)
		return usage(err, "--firmware none: there is no kernel to "
				  "boot directly: --kernel is missing");
	if (!e.form)
		return usage(err, "give what should have been launched: "
				  "--kernel, --initrd, --append and "
				  "--firmware as coffer run was given them, "
				  "a BUNDLE, or --digest");
	r = e.form->load(&e, is_es, h, err);
	if (r < 0) {
		owner_expected_destroy(&e);
		return r;
	}
	*ret = e;
	return 0;
}

int owner_expected_digest(const struct owner_expected *e, struct hash256 *h,
			  uint8_t digest[static SEV_DIGEST_LEN],
			  struct err *err)
{
	return e->form->digest(e, h, digest, err);
}

bool owner_expected_alternative(struct owner_expected *e, struct err *err)
{
	return e->form->alternative && e->form->alternative(e, err);
}

bool owner_expected_vary(struct owner_expected *e, unsigned int i, char *says,
			 size_t size)
{
	return e->form->vary && e->form->vary(e, i, says, size);
}

uint64_t owner_expected_covered(const struct owner_expected *e, bool *ret_known)
{
	*ret_known = e->form->covered;
	return *ret_known ? e->form->covered(e) : 0;
}

void owner_expected_differ(const struct owner_expected *e,
			   const struct owner_launch *l, struct hash256 *h,
			   char *says, size_t size)
{
	*says = 0;
	if (e->form->differ)
		e->form->differ(e, l, h, says, size);
}

static void list_facts(const char *title, uint64_t facts, FILE *out)
{
	const char *name;

	fprintf(out, "%s:", title);
	for (unsigned int i = 0; (name = launch_fact_name(i)); i++)
		if (facts & BIT64(i))
			fprintf(out, " %s", name);
	fputc('\n', out);
}

void owner_expected_print_covered(const struct owner_expected *e, uint64_t but,
				  FILE *out)
{
	bool known;
	uint64_t covered = owner_expected_covered(e, &known) & ~but;

	if (!known) {
		fprintf(out, "covered: what the digest was made of\n"
			     "not covered: what it was not made of\n");
		return;
	}
	list_facts("covered", covered, out);
	list_facts("not covered", launch_facts_open(covered), out);
}
