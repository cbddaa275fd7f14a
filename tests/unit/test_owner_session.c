/*
 * tests/unit/test_owner_session.c - sessions for platforms that are what they
 * claim, and none for the others.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/sev_session.h"
#include "owner/owner.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"
#include "tests/unit/sev_fixture.h"
#include "vmm/base/bytes.h"

struct fixture {
	struct owner_dir d;
	struct sev_platform sim, other; /* simulated; somebody's */
	uint8_t buf[SEV_CHAIN_MAX];
	struct owner_session_opts o;
};

static int setup_group(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	owner_dir_create(&f->d);
	sev_platform_create(&f->sim, 2048, AMD_CERT_SIMULATED_ID);
	sev_platform_create(&f->other, 2048, "somebody's root.");
	*state = f;
	return 0;
}

static int teardown_group(void **state)
{
	struct fixture *f = *state;

	owner_dir_destroy(&f->d);
	sev_platform_destroy(&f->sim);
	sev_platform_destroy(&f->other);
	free(f);
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = *state;
	size_t n = sev_platform_export(&f->sim, 6, f->buf);

	owner_dir_clear(&f->d);
	f->o = (struct owner_session_opts){
		.platform = {.chain = owner_put(&f->d, "chain", f->buf, n),
			     .simulated = true},
		.policy = 0x37,
		.name = owner_path(&f->d, "vm"),
	};
	return 0;
}

static void made(struct fixture *f)
{
	int r = owner_session(&f->o, f->d.out, &f->d.err);

	if (r < 0)
		fail_msg("%s", f->d.err.msg);
}

/* Refused with @says, and nothing but the inputs is there. */
static void refused(struct fixture *f, int code, enum err_kind kind,
		    const char *says)
{
	unsigned int before = owner_count(&f->d);

	owner_assert_err(&f->d, owner_session(&f->o, f->d.out, &f->d.err), code,
			 kind, says);
	assert_int_equal(owner_count(&f->d), before);
}

static void decode(struct fixture *f, const char *name, uint8_t *out,
		   size_t len)
{
	char text[4096];
	size_t n = owner_get(&f->d, name, text, sizeof(text)), got;

	assert_null(memchr(text, '\n', n)); /* one line, as sevctl has it */
	assert_int_equal(base64_decode(text, n, out, len, &got), 0);
	assert_int_equal(got, len);
}

/* The platform's side: unwrap with the private PDH. */
static int open_session(struct fixture *f, struct hash256 *h, uint32_t policy,
			struct sev_session_keys *keys)
{
	AUTO(sev_key_destroyp) struct sev_key *godh = NULL;
	uint8_t cert[SEV_CERT_LEN], blob[SEV_SESSION_LEN], z[SEV_SHARED_MAX];
	struct sev_cert c;
	size_t n;

	decode(f, "vm_godh.b64", cert, SEV_CERT_LEN);
	decode(f, "vm_session.b64", blob, SEV_SESSION_LEN);
	assert_int_equal(sev_cert_parse(cert, sizeof(cert), &c, NULL), 0);
	assert_int_equal(c.usage, SEV_USAGE_PDH);
	assert_int_equal(c.algo, SEV_ALGO_ECDH_SHA256);
	assert_int_equal(c.sig[0].usage, SEV_USAGE_INVALID);
	assert_int_equal(sev_key_of_cert(&c, &godh, NULL), 0);
	assert_int_equal(sev_key_agree(f->sim.key[SEV_CHAIN_PDH], godh, z, &n),
			 0);
	return sev_session_open(h, z, n, policy, blob, keys);
}

static void the_platform_can_open_what_is_written(void **state)
{
	struct fixture *f = *state;
	AUTO(hash256_destroyp) struct hash256 *h = hash256_openssl_create();
	struct sev_session_keys keys;
	uint8_t file[17];

	made(f);
	assert_int_equal(open_session(f, h, 0x37, &keys), 0);
	assert_int_equal(owner_get(&f->d, "vm_tek.bin", file, 17), 16);
	assert_memory_equal(file, keys.tek, 16);
	assert_int_equal(owner_get(&f->d, "vm_tik.bin", file, 17), 16);
	assert_memory_equal(file, keys.tik, 16);
	assert_int_equal(open_session(f, h, 0x36, &keys), -EKEYREJECTED);
	assert_int_equal(owner_mode(&f->d, "vm_tek.bin"), 0600);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin"), 0600);
	assert_int_equal(owner_count(&f->d), 5);
	assert_non_null(strstr(owner_output(&f->d), "SIMULATED"));
	assert_non_null(strstr(owner_output(&f->d), "0x37"));
}

static void every_session_has_keys_of_its_own(void **state)
{
	struct fixture *f = *state;
	uint8_t one[SEV_SESSION_LEN], two[SEV_SESSION_LEN];

	made(f);
	decode(f, "vm_session.b64", one, sizeof(one));
	f->o.force = true;
	made(f);
	decode(f, "vm_session.b64", two, sizeof(two));
	assert_memory_not_equal(one, two, 16);
	assert_memory_not_equal(one + 48, two + 48, 16);
	assert_memory_not_equal(one + 96, two + 96, 32);
}

static void keys_are_not_replaced_by_accident(void **state)
{
	struct fixture *f = *state;

	owner_put_text(&f->d, "vm_tik.bin", "the only copy");
	refused(f, -EEXIST, ERR_INPUT, "vm_tik.bin' is there already");
	f->o.force = true;
	made(f);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin"), 0600);
}

static void a_simulated_platform_must_be_asked_for(void **state)
{
	struct fixture *f = *state;

	f->o.platform.simulated = false;
	refused(f, -EKEYREJECTED, ERR_INPUT, "SIMULATED");
}

static void a_root_that_is_nobodys_is_never_taken(void **state)
{
	struct fixture *f = *state;
	size_t n = sev_platform_export(&f->other, 6, f->buf);

	f->o.platform.chain = owner_put(&f->d, "other", f->buf, n);
	refused(f, -EKEYREJECTED, ERR_INPUT, "not AMD's");
	f->o.platform.simulated = false;
	refused(f, -EKEYREJECTED, ERR_INPUT, "not AMD's");
}

static void a_forged_certificate_is_named(void **state)
{
	struct fixture *f = *state;
	uint8_t pdh[SEV_CERT_LEN];

	/* another platform's PDH under this one's PEK */
	sev_cert_serialise(&f->other.chain.sev[SEV_CHAIN_PDH], pdh);
	memcpy(f->buf, pdh, sizeof(pdh));
	f->o.platform.chain = owner_put(&f->d, "forged", f->buf, 10000);
	refused(f, -EKEYREJECTED, ERR_INPUT,
		"the PDH is not signed by the PEK");
}

static void chains_of_all_tools_will_do(void **state)
{
	struct fixture *f = *state;
	const uint8_t *roots = f->buf + 8336;

	/* sevctl export, and AMD's file */
	f->o.force = true;
	f->o.platform.chain = owner_put_base64(&f->d, "c64", f->buf, 8336);
	f->o.platform.roots = owner_put(&f->d, "roots", roots, 1664);
	made(f);
	/* a CEK as exported, and the one that AMD signed */
	f->o.platform.cek = owner_put(&f->d, "cek", f->buf + 6252, 2084);
	store_le32(f->buf + 6252 + 0x414, SEV_USAGE_INVALID);
	f->o.platform.chain = owner_put(&f->d, "bare", f->buf, 8336);
	made(f);
	f->o.platform.cek = NULL;
	refused(f, -EKEYREJECTED, ERR_INPUT, "kdsintf.amd.com");
}

static void what_is_missing_is_said_with_its_option(void **state)
{
	struct fixture *f = *state;

	f->o.platform.chain = owner_put(&f->d, "c", f->buf, 8336);
	refused(f, -ENOENT, ERR_INPUT, "--roots");
	f->o.platform.chain = owner_put(&f->d, "c", f->buf, 2084);
	refused(f, -ENOENT, ERR_INPUT, "lacks PEK, OCA, CEK, ASK, ARK");
	f->o.platform.chain = owner_put(&f->d, "c", f->buf + 2084, 6252);
	refused(f, -EINVAL, ERR_INPUT, "has no PDH");
}

static void a_lone_pdh_will_do_unverified(void **state)
{
	struct fixture *f = *state;

	f->o.platform.chain = owner_put(&f->d, "pdh", f->buf, 2084);
	f->o.platform.simulated = false;
	f->o.unverified = true;
	made(f);
	assert_non_null(strstr(owner_output(&f->d), "nobody vouches"));
}

static void files_in_the_wrong_place_are_named(void **state)
{
	struct fixture *f = *state;

	f->o.platform.chain = owner_put_text(&f->d, "text", "hello");
	refused(f, -EINVAL, ERR_INPUT, "/text': ");
	f->o.platform.chain = owner_put(&f->d, "session", f->buf, 128);
	refused(f, -EINVAL, ERR_INPUT, "that looks like a session");
	f->o.platform.chain = owner_put(&f->d, "cut", f->buf, 2083);
	refused(f, -EINVAL, ERR_INPUT, "2083 bytes");
	f->o.platform.chain = owner_path(&f->d, "none");
	refused(f, -ENOENT, ERR_INPUT, "does not exist");
	f->o.platform.chain = owner_path(&f->d, "chain");
	f->o.platform.roots = owner_path(&f->d, "chain");
	refused(f, -EINVAL, ERR_INPUT, "a certificate of the PDH");
	f->o.platform.roots = NULL;
	f->o.platform.cek = owner_put(&f->d, "pek", f->buf + 2084, 2084);
	refused(f, -EINVAL, ERR_INPUT, "a certificate of the PEK");
}

static void a_pdh_that_cannot_agree_is_refused(void **state)
{
	struct fixture *f = *state;

	f->o.unverified = true;
	f->o.platform.simulated = false;
	store_le32(f->buf + 0x00c, SEV_ALGO_ECDSA_SHA256);
	f->o.platform.chain = owner_put(&f->d, "c", f->buf, 2084);
	refused(f, -EINVAL, ERR_INPUT, "not for key agreement");
	store_le32(f->buf + 0x00c, SEV_ALGO_ECDH_SHA256);
	f->buf[0x014] ^= 1;
	f->o.platform.chain = owner_put(&f->d, "c", f->buf, 2084);
	refused(f, -EINVAL, ERR_INPUT, "not a point of its curve");
}

static void reserved_policy_bits_are_refused(void **state)
{
	struct fixture *f = *state;

	f->o.policy = 0x40;
	refused(f, -EINVAL, ERR_USAGE, "reserved");
}

static void an_open_debug_bit_is_warned_of(void **state)
{
	struct fixture *f = *state;

	f->o.policy = 0;
	made(f);
	assert_non_null(strstr(owner_output(&f->d), "warning"));
}

static void a_directory_that_is_not_there_is_named(void **state)
{
	struct fixture *f = *state;

	f->o.name = owner_path(&f->d, "no/vm");
	refused(f, -ENOENT, ERR_INPUT, "no/vm_godh.b64");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		CASE(the_platform_can_open_what_is_written),
		CASE(every_session_has_keys_of_its_own),
		CASE(keys_are_not_replaced_by_accident),
		CASE(a_simulated_platform_must_be_asked_for),
		CASE(a_root_that_is_nobodys_is_never_taken),
		CASE(a_forged_certificate_is_named),
		CASE(chains_of_all_tools_will_do),
		CASE(what_is_missing_is_said_with_its_option),
		CASE(a_lone_pdh_will_do_unverified),
		CASE(files_in_the_wrong_place_are_named),
		CASE(a_pdh_that_cannot_agree_is_refused),
		CASE(reserved_policy_bits_are_refused),
		CASE(an_open_debug_bit_is_warned_of),
		CASE(a_directory_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
