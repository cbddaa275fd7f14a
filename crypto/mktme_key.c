/* crypto/mktme_key.c - texts of add_key(2), and keys out of files. */
#include "crypto/mktme_key.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/err.h"

const char *mktme_type_name(enum mktme_type type)
{
	static const char *const name[MKTME_TYPE_COUNT] = {
		[MKTME_TYPE_CPU] = "cpu",
		[MKTME_TYPE_USER] = "user",
		[MKTME_TYPE_NO_ENCRYPT] = "no-encrypt",
	};

	assert((unsigned int)type < MKTME_TYPE_COUNT);
	return name[type];
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What is left of a key file. */
struct text {
	const uint8_t *p;
	size_t len;
};

static void skip(struct text *t, size_t n)
{
	t->p += n;
	t->len -= n;
}

/* The next word, as MKTME_KEY_LEN bytes. False: it is something else. */
static bool take_word(struct text *t, const char *name,
		      uint8_t ret[static MKTME_KEY_LEN])
{
	size_t n = strlen(name);

	while (t->len && is_space(*t->p))
		skip(t, 1);
	if (t->len > n && !memcmp(t->p, name, n))
		skip(t, n);
	for (size_t i = 0; i < MKTME_KEY_LEN; i++) {
		int hi, lo;

		if (t->len < 2)
			return false;
		hi = hex_digit(t->p[0]);
		lo = hex_digit(t->p[1]);
		if (hi < 0 || lo < 0)
			return false;
		ret[i] = (uint8_t)(hi << 4 | lo);
		skip(t, 2);
	}
	return !t->len || is_space(*t->p);
}

static bool take_text(struct text t, struct mktme_secret *ret)
{
	if (!take_word(&t, "key=", ret->key) ||
	    !take_word(&t, "tweak=", ret->tweak))
		return false;
	while (t.len && is_space(*t.p))
		skip(&t, 1);
	return !t.len;
}

static bool is_zero(const uint8_t v[static MKTME_KEY_LEN])
{
	static const uint8_t zero[MKTME_KEY_LEN];

	return !memcmp(v, zero, sizeof(zero));
}

/* XTS with equal halves is weak (NIST FIPS 140-2 IG, A.9). */
static const char *weakness(const struct mktme_secret *s)
{
	if (is_zero(s->key) || is_zero(s->tweak))
		return "one half of the key is all zeroes";
	if (!memcmp(s->key, s->tweak, MKTME_KEY_LEN))
		return "key and tweak are equal, which breaks AES-XTS";
	return NULL;
}

/* Half of a key in digits has as many bytes as a whole one without them. */
static bool is_raw(const uint8_t *p, size_t len)
{
	if (len != MKTME_SECRET_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (hex_digit(p[i]) < 0)
			return true;
	return false;
}

int mktme_secret_parse(const void *data, size_t len, struct mktme_secret *ret,
		       struct err *err)
{
	const char *why = NULL;

	if (is_raw(data, len)) {
		memcpy(ret->key, data, MKTME_KEY_LEN);
		memcpy(ret->tweak, (const uint8_t *)data + MKTME_KEY_LEN,
		       MKTME_KEY_LEN);
	} else if (!take_text((struct text){data, len}, ret)) {
		why = "it is neither 32 bytes nor two words of 32 hexadecimal "
		      "digits, key and tweak";
	}
	if (!why)
		why = weakness(ret);
	if (!why)
		return 0;
	explicit_bzero(ret, sizeof(*ret));
	return err_set_kind(err, ERR_INPUT, -EINVAL,
			    "not a key for AES-XTS-128: %s", why);
}

static size_t put_hex(char *at, const char *name,
		      const uint8_t v[static MKTME_KEY_LEN])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = (size_t)(stpcpy(at, name) - at);

	for (size_t i = 0; i < MKTME_KEY_LEN; i++) {
		at[n++] = digits[v[i] >> 4];
		at[n++] = digits[v[i] & 15];
	}
	return n;
}

size_t mktme_payload(enum mktme_type type, const struct mktme_secret *secret,
		     char buf[static MKTME_PAYLOAD_MAX])
{
	size_t n;

	assert((type == MKTME_TYPE_USER) == (secret != NULL));
	n = (size_t)snprintf(
		buf, MKTME_PAYLOAD_MAX, "type=%s%s", mktme_type_name(type),
		type == MKTME_TYPE_NO_ENCRYPT ? ""
					      : " algorithm=" MKTME_ALGORITHM);
	if (secret) { /* not by printf, which may keep copies */
		n += put_hex(buf + n, " key=", secret->key);
		n += put_hex(buf + n, " tweak=", secret->tweak);
	}
	return n;
}
