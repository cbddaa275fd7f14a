/* tests/unit/test_sim_state.c - the file of a simulated platform. */
#include "sim/sim_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash256_openssl.h"
#include "tests/unit/unit.h"
#include "vmm/base/err.h"

static const struct sim_api api = {1, 55, 24};

struct fixture {
	struct hash256 *h;
	struct sim_keys keys;
	uint8_t state[SIM_STATE_LEN];
	char dir[64], path[128];
};

/* RSA keys take time: one platform for all cases. */
static uint8_t platform[SIM_STATE_LEN];

static int make_platform(void **state)
{
	AUTO(hash256_destroyp) struct hash256 *h = hash256_openssl_create();
	struct sim_keys k;

	(void)state;
	assert_non_null(h);
	assert_int_equal(sim_keys_create(&api, &k, NULL), 0);
	assert_int_equal(sim_state_pack(&k, h, platform), 0);
	sim_keys_destroy(&k);
	return 0;
}

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.h = hash256_openssl_create(),
			     .dir = "/tmp/sim_state.XXXXXX"};
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.path, sizeof(f.path), "%s/plat.sim", f.dir);
	memcpy(f.state, platform, sizeof(platform));
	assert_int_equal(
		sim_state_parse(f.state, SIM_STATE_LEN, f.h, &f.keys, NULL), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0); /* nothing was left in it */
	sim_keys_destroy(&f->keys);
	hash256_destroy(f->h);
	return 0;
}

/* Parse it with its digest made right again. */
static int parse_resealed(struct fixture *f, struct err *err)
{
	struct sim_keys k;
	int r;

	assert_int_equal(hash256_of(f->h, f->state, SIM_STATE_DIGEST,
				    f->state + SIM_STATE_DIGEST),
			 0);
	r = sim_state_parse(f->state, SIM_STATE_LEN, f->h, &k, err);
	if (r >= 0)
		sim_keys_destroy(&k);
	return r;
}

static void a_platform_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	uint8_t again[SIM_STATE_LEN];
	struct sim_keys k;

	assert_int_equal(
		sim_state_parse(f->state, SIM_STATE_LEN, f->h, &k, NULL), 0);
	assert_int_equal(sim_state_pack(&k, f->h, again), 0);
	assert_memory_equal(again, f->state, SIM_STATE_LEN);
	sim_keys_destroy(&k);
}

static void every_certificate_says_it_is_simulated(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < SEV_CHAIN_SEV_COUNT; i++)
		assert_true(sim_keys_is_marked(&f->keys.chain.sev[i]));
	assert_true(amd_cert_is_simulated(&f->keys.chain.ark));
	assert_memory_equal(amd_cert_key_id(&f->keys.chain.ask),
			    "ASK, SIMULATED..", AMD_CERT_KEY_ID_LEN);
}

static void any_changed_byte_is_found(void **state)
{
	struct fixture *f = *state;
	struct sim_keys k;
	struct err err;

	for (size_t i = 0; i < SIM_STATE_LEN; i += 37) {
		f->state[i] ^= 0x10;
		err = (struct err){0};
		assert_int_equal(sim_state_parse(f->state, SIM_STATE_LEN, f->h,
						 &k, &err),
				 -EINVAL);
		assert_int_equal(err.kind, ERR_INPUT);
		f->state[i] ^= 0x10;
	}
}

static void a_key_of_another_certificate_is_found(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	f->state[SIM_STATE_SCALARS + 47] ^= 1;
	assert_int_equal(parse_resealed(f, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "not its certificate's"));
	memset(f->state + SIM_STATE_SCALARS, 0, 48);
	assert_int_equal(parse_resealed(f, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "out of range"));
}

static void a_bad_signature_in_the_chain_is_found(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	f->state[SIM_STATE_CERTS + 0x41c] ^= 1;
	assert_int_equal(parse_resealed(f, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "PDH"));
}

static void other_files_and_lengths_are_refused(void **state)
{
	struct fixture *f = *state;
	struct sim_keys k;
	struct err err = {0};

	assert_int_equal(sim_state_parse("", 0, f->h, &k, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "not the state"));
	assert_int_equal(
		sim_state_parse(f->state, SIM_STATE_LEN - 1, f->h, &k, &err),
		-EINVAL);
	assert_non_null(strstr(err.msg, "length"));
}

static void a_missing_file_is_made_and_kept_private(void **state)
{
	struct fixture *f = *state;
	struct sim_keys a, b;
	struct stat st;

	assert_int_equal(sim_state_load(f->path, &api, f->h, &a, NULL), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, SIM_STATE_LEN);
	assert_int_equal(sim_state_load(f->path, &api, f->h, &b, NULL), 0);
	assert_memory_equal(a.chip_id, b.chip_id, SIM_CHIP_ID_LEN);
	assert_int_equal(sim_keys_renew_pdh(&b), 0);
	assert_int_equal(sim_state_save(f->path, &b, f->h, NULL), 0);
	sim_keys_destroy(&a);
	assert_int_equal(sim_state_load(f->path, &api, f->h, &a, NULL), 0);
	assert_memory_equal(a.chain.sev[0].key, b.chain.sev[0].key,
			    SEV_CERT_KEY_LEN);
	sim_keys_destroy(&a);
	sim_keys_destroy(&b);
}

static void a_corrupted_file_is_named_and_left_alone(void **state)
{
	struct fixture *f = *state;
	struct sim_keys k;
	struct err err = {0};
	struct stat st;
	int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, f->state, 5000), 5000);
	close(fd);
	assert_int_equal(sim_state_load(f->path, &api, f->h, &k, &err),
			 -EINVAL);
	assert_non_null(strstr(err.msg, f->path));
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, 5000);
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
	struct fixture *f = *state;
	struct sim_keys k;
	struct err err = {0};

	assert_int_equal(
		sim_state_load("/nonexistent/plat.sim", &api, f->h, &k, &err),
		-ENOENT);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.msg, "/nonexistent/plat.sim"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_platform_comes_back_as_it_was),
		CASE(every_certificate_says_it_is_simulated),
		CASE(any_changed_byte_is_found),
		CASE(a_key_of_another_certificate_is_found),
		CASE(a_bad_signature_in_the_chain_is_found),
		CASE(other_files_and_lengths_are_refused),
		CASE(a_missing_file_is_made_and_kept_private),
		CASE(a_corrupted_file_is_named_and_left_alone),
		CASE(a_place_that_cannot_be_written_is_named),
	};

	return cmocka_run_group_tests(tests, make_platform, NULL);
}
