/* vmm/launch_files.c - base64 or raw, the right length, the right kind. */
#include "vmm/launch_files.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base64.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"
#include "vmm/base/own.h"
#include "vmm/config_devices.h"
#include "vmm/input_file.h"

enum { FILE_MAX = 16384 }; /* bytes; ours: no such file is nearly as long */

/* At most @max bytes; more is an error. */
static int read_file(const char *what, const char *path, uint8_t *buf,
		     size_t max, size_t *ret_len, struct err *err)
{
	struct input_file f = {.fd = -1};
	size_t n = 0;
	ssize_t got;
	int r = input_file_open(&f, what, path, err);

	if (r < 0)
		return r;
	while ((got = read(f.fd, buf + n, max - n)) > 0)
		n += (size_t)got;
	if (got < 0)
		r = err_set_kind(err, ERR_INPUT, -errno, "%s '%s': %s", what,
				 path, strerror(errno));
	else if (n == max)
		r = err_set_kind(err, ERR_INPUT, -E2BIG,
				 "%s '%s': longer than any such file", what,
				 path);
	input_file_close(&f);
	*ret_len = n;
	return r;
}

/* What a file of that many bytes might be instead. */
static const char *guess(size_t len)
{
	switch (len) {
	case SEV_CERT_LEN:
		return "; that is the length of a certificate: are dh-cert and "
		       "session swapped?";
	case SEV_SESSION_LEN:
		return "; that is the length of a session: are dh-cert and "
		       "session swapped?";
	case SEV_KEY_LEN:
		return "; that is the length of a key (TIK, TEK), which is "
		       "never given to the host";
	default:
		return "";
	}
}

int launch_files_decode(const char *what, const char *path, const void *data,
			size_t len, size_t want, uint8_t *ret, struct err *err)
{
	uint8_t plain[FILE_MAX];
	size_t n = len;

	if (len == want) {
		memcpy(ret, data, want);
		return 0;
	}
	if (len <= sizeof(plain) &&
	    base64_decode(data, len, plain, sizeof(plain), &n) < 0)
		n = len;
	else if (n == want) {
		memcpy(ret, plain, want);
		return 0;
	}
	return err_set_kind(err, ERR_INPUT, -EINVAL,
			    "%s '%s': %zu bytes%s, expected %zu, raw or as "
			    "base64%s",
			    what, path, n, n == len ? "" : " after base64",
			    want, *guess(n) ? guess(n) : guess(len));
}

int launch_files_check_cert(const char *path,
			    const uint8_t cert[static SEV_CERT_LEN],
			    struct err *err)
{
	struct sev_cert c;
	int r = sev_cert_parse(cert, SEV_CERT_LEN, &c, err);

	if (r < 0) {
		err_prefix(err, "dh-cert '%s'", path);
		return r;
	}
	if (c.usage != SEV_USAGE_PDH)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "dh-cert '%s': a %s certificate; expected "
				    "the owner's Diffie-Hellman one "
				    "(*_godh.b64)",
				    path, sev_usage_name(c.usage));
	if (c.algo != SEV_ALGO_ECDH_SHA256 ||
	    sev_cert_curve(&c) != SEV_CURVE_P384)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "dh-cert '%s': its key is not for "
				    "ECDH-SHA256 on P-384",
				    path);
	return 0;
}

static int load(const char *what, const char *path, size_t want, uint8_t *ret,
		struct err *err)
{
	uint8_t buf[FILE_MAX];
	size_t len;
	int r = read_file(what, path, buf, sizeof(buf), &len, err);

	return r < 0 ? r
		     : launch_files_decode(what, path, buf, len, want, ret,
					   err);
}

int launch_files_parse_digest(const char *text, size_t len,
			      uint8_t ret[static SEV_DIGEST_LEN])
{
	char digits[2 * SEV_DIGEST_LEN + 1];
	const size_t n = sizeof(digits) - 1;

	if (len < n || (len > n && !isspace((unsigned char)text[n])))
		return -EINVAL;
	memcpy(digits, text, n);
	digits[n] = 0;
	return hex_parse(digits, ret, SEV_DIGEST_LEN) ? 0 : -EINVAL;
}

static int load_digest(const char *arg, uint8_t ret[static SEV_DIGEST_LEN],
		       struct err *err)
{
	char text[FILE_MAX];
	size_t len;
	int r;

	if (!launch_files_parse_digest(arg, strlen(arg), ret))
		return 0;
	r = read_file("--expect", arg, (uint8_t *)text, sizeof(text), &len,
		      err);
	if (r < 0)
		return r;
	if (launch_files_parse_digest(text, len, ret) < 0)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "--expect '%s': does not begin with a "
				    "digest of 64 hexadecimal digits",
				    arg);
	return 0;
}

int launch_files_load(const struct devices_config *c, struct launch_files *ret,
		      struct err *err)
{
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	if (c->sev.session) {
		ret->attested = true;
		r = load("dh-cert", c->sev.dh_cert, SEV_CERT_LEN, ret->dh_cert,
			 err);
		if (!r)
			r = load("session", c->sev.session, SEV_SESSION_LEN,
				 ret->session, err);
		if (!r)
			r = launch_files_check_cert(c->sev.dh_cert,
						    ret->dh_cert, err);
	}
	if (!r && c->expect) {
		ret->expects = true;
		r = load_digest(c->expect, ret->expect, err);
	}
	return r;
}
