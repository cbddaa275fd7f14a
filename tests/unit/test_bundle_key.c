/*
 * tests/unit/test_bundle_key.c - signatures of bundles: made by libcrypto as
 * the owner does, checked by nettle as the host does.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/owner_sign.h"
#include "tests/unit/bundle_fixture.h"
#include "tests/unit/owner_fixture.h"
#include "vmm/bundle/bundle_key.h"

struct fixture {
	struct owner_dir d;
	struct hash256 *h;
	struct bundle b;
	struct bundle_key key;
	struct owner_sign_key *pair;
	char name[2 * HASH256_LEN + 1]; /* what b's hint points to */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	owner_dir_create(&f->d);
	f->h = hash256_nettle_create();
	f->b = good_bundle();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	owner_sign_key_destroy(f->pair);
	owner_dir_destroy(&f->d);
	hash256_destroy(f->h);
	free(f);
	return 0;
}

static EVP_PKEY *new_key(enum bundle_algo a)
{
	EVP_PKEY *k = a == BUNDLE_ED25519
			      ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
			      : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");

	assert_non_null(k);
	return k;
}

/* Both halves as files; the private one under a passphrase if there is one. */
static void put_key(struct fixture *f, EVP_PKEY *k)
{
	FILE *pem = fopen(owner_path(&f->d, "key.pem"), "w");

	assert_int_equal(
		PEM_write_PrivateKey(pem, k, NULL, NULL, 0, NULL, NULL), 1);
	fclose(pem);
	pem = fopen(owner_path(&f->d, "pub.pem"), "w");
	assert_int_equal(PEM_write_PUBKEY(pem, k), 1);
	fclose(pem);
}

static int load_public(struct fixture *f)
{
	return bundle_key_load(owner_path(&f->d, "pub.pem"), f->h, &f->key,
			       &f->d.err);
}

static void use_key(struct fixture *f, enum bundle_algo a)
{
	EVP_PKEY *k = new_key(a);

	put_key(f, k);
	EVP_PKEY_free(k);
	owner_sign_key_destroy(f->pair);
	f->pair = NULL;
	assert_int_equal(owner_sign_key_load(owner_path(&f->d, "key.pem"),
					     &f->pair, &f->d.err),
			 0);
	assert_int_equal(load_public(f), 0);
	assert_int_equal(f->key.algo, a);
}

static void sign(struct fixture *f)
{
	struct bundle_signed s;

	assert_int_equal(bundle_signed_text(&f->b, f->h, &s), 0);
	f->b.signature.algo = f->key.algo;
	snprintf(f->name, sizeof(f->name), "%s", owner_sign_name(f->pair));
	f->b.signature.key = f->name;
	assert_int_equal(owner_sign(f->pair, s.text, s.len,
				    f->b.signature.value, &f->d.err),
			 0);
}

static int check(struct fixture *f)
{
	return bundle_key_check(&f->key, &f->b, f->h, &f->d.err);
}

static void refused(struct fixture *f, const char *says)
{
	owner_assert_err(&f->d, check(f), -EKEYREJECTED, ERR_INPUT, says);
}

static void what_the_owner_signs_the_host_accepts(void **state)
{
	struct fixture *f = *state;

	for (enum bundle_algo a = BUNDLE_ED25519; a < BUNDLE_ALGOS; a++) {
		use_key(f, a);
		assert_string_equal(f->key.name, owner_sign_name(f->pair));
		/* P-384: leading zeros in r and s come up now and then. */
		for (int i = 0; i < 20; i++) {
			f->b.cpus = (uint32_t)i + 1;
			sign(f);
			assert_int_equal(check(f), 0);
		}
	}
}

static void every_bit_of_a_signature_counts(void **state)
{
	struct fixture *f = *state;

	for (enum bundle_algo a = BUNDLE_ED25519; a < BUNDLE_ALGOS; a++) {
		use_key(f, a);
		sign(f);
		for (size_t i = 0; i < bundle_algo_len(a); i++) {
			f->b.signature.value[i] ^= (uint8_t)(1 << i % 8);
			refused(f, "wrong signature: it was changed after");
			f->b.signature.value[i] ^= (uint8_t)(1 << i % 8);
		}
		assert_int_equal(check(f), 0);
		memset(f->b.signature.value, 0, BUNDLE_SIGNATURE_MAX);
		refused(f, "wrong signature");
		memset(f->b.signature.value, 0xff, BUNDLE_SIGNATURE_MAX);
		refused(f, "wrong signature");
	}
}

static void a_bundle_that_was_changed_is_refused(void **state)
{
	struct fixture *f = *state;

	for (enum bundle_algo a = BUNDLE_ED25519; a < BUNDLE_ALGOS; a++) {
		use_key(f, a);
		sign(f);
		f->b.cpus++;
		refused(f, "wrong signature: it was changed after");
		f->b.cpus--;
		f->b.image[BUNDLE_KERNEL].sha256[0] ^= 1;
		refused(f, "wrong signature: it was changed after");
		f->b.image[BUNDLE_KERNEL].sha256[0] ^= 1;
		f->b.cmdline = "console=ttyS0";
		refused(f, "wrong signature: it was changed after");
		f->b = good_bundle();
	}
}

static void another_key_is_refused(void **state)
{
	struct fixture *f = *state;

	for (enum bundle_algo a = BUNDLE_ED25519; a < BUNDLE_ALGOS; a++) {
		use_key(f, a);
		sign(f);
		use_key(f, a);
		refused(f, "not by the one given");
		use_key(f,
			a == BUNDLE_ED25519 ? BUNDLE_ECDSA384 : BUNDLE_ED25519);
		refused(f, "not by the one given");
	}
}

static void an_unsigned_bundle_is_refused(void **state)
{
	struct fixture *f = *state;

	use_key(f, BUNDLE_ED25519);
	refused(f, "it is not signed");
}

/* A signature under the name of the other algorithm proves nothing. */
static void an_algorithm_does_not_stand_for_the_other(void **state)
{
	struct fixture *f = *state;

	use_key(f, BUNDLE_ED25519);
	sign(f);
	f->b.signature.algo = BUNDLE_ECDSA384;
	refused(f, "wrong signature");
}

static void bad_public(struct fixture *f, const char *text, const char *says)
{
	owner_put_text(&f->d, "pub.pem", text);
	owner_assert_err(&f->d, load_public(f), -EINVAL, ERR_INPUT, says);
}

static void keys_of_other_kinds_are_refused(void **state)
{
	struct fixture *f = *state;
	EVP_PKEY *k = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	struct owner_sign_key *pair = NULL;

	put_key(f, k);
	EVP_PKEY_free(k);
	owner_assert_err(&f->d, load_public(f), -EINVAL, ERR_INPUT,
			 "of another kind");
	owner_assert_err(&f->d,
			 owner_sign_key_load(owner_path(&f->d, "key.pem"),
					     &pair, &f->d.err),
			 -EINVAL, ERR_INPUT, "of another kind");
	k = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	put_key(f, k);
	EVP_PKEY_free(k);
	owner_assert_err(&f->d, load_public(f), -EINVAL, ERR_INPUT,
			 "of another kind");
	owner_assert_err(&f->d,
			 owner_sign_key_load(owner_path(&f->d, "pub.pem"),
					     &pair, &f->d.err),
			 -EINVAL, ERR_INPUT, "not a private key");
}

static void what_is_no_key_is_refused(void **state)
{
	struct fixture *f = *state;

	bad_public(f, "hello", "not a public key in PEM");
	bad_public(f, "-----BEGIN PRIVATE KEY-----\n", "that is a private key");
	bad_public(f, "-----BEGIN PUBLIC KEY-----\nMCow", "damaged");
	bad_public(f,
		   "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n",
		   "damaged");
	bad_public(f, "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		   "of another kind");
	owner_assert_err(&f->d,
			 bundle_key_load(owner_path(&f->d, "none"), f->h,
					 &f->key, &f->d.err),
			 -ENOENT, ERR_INPUT, "does not exist");
}

/* The prefix of a P-384 key, and coordinates that are on no curve. */
static void a_point_beside_the_curve_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char ones[] =
		"-----BEGIN PUBLIC KEY-----\n"
		"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n"
		"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n"
		"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n"
		"-----END PUBLIC KEY-----\n";

	bad_public(f, ones, "not a point of P-384");
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_the_owner_signs_the_host_accepts),
		CASE(every_bit_of_a_signature_counts),
		CASE(a_bundle_that_was_changed_is_refused),
		CASE(another_key_is_refused),
		CASE(an_unsigned_bundle_is_refused),
		CASE(an_algorithm_does_not_stand_for_the_other),
		CASE(keys_of_other_kinds_are_refused),
		CASE(what_is_no_key_is_refused),
		CASE(a_point_beside_the_curve_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
