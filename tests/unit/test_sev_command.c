/* tests/unit/test_sev_command.c - `coffer sev` over a driver played here. */
#include "vmm/cli/sev_command.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/sev_files.h"
#include "crypto/sev_status.h"
#include "tests/fake/fake_psp.h"
#include "tests/unit/owner_fixture.h"
#include "tests/unit/unit.h"

enum { EXPORT_LEN = SEV_CERT_LEN + SEV_CHAIN_LEN };

struct fixture {
	struct owner_dir d;
	struct sev_dev dev;
	struct sev_command c;
	char *files[2];
	const char *typed; /* by the person; NULL: there is none */
	unsigned int n_asked;
	uint8_t certs[EXPORT_LEN];
};

static bool ask(void *arg, const char *question, char *line, size_t size)
{
	struct fixture *f = arg;

	assert_non_null(strstr(question, "useless"));
	f->n_asked++;
	if (f->typed)
		snprintf(line, size, "%s", f->typed);
	return f->typed;
}

/* A certificate of which only the usage is looked at. */
static void put_cert(uint8_t *at, enum sev_usage usage)
{
	struct sev_cert c;

	sev_cert_init(&c, usage,
		      usage == SEV_USAGE_PDH ? SEV_ALGO_ECDH_SHA256
					     : SEV_ALGO_ECDSA_SHA256);
	c.key[0] = SEV_CURVE_P384;
	sev_cert_serialise(&c, at);
}

static int setup(void **state)
{
	static const enum sev_usage usages[] = {SEV_USAGE_PDH, SEV_USAGE_PEK,
						SEV_USAGE_OCA, SEV_USAGE_CEK};
	struct fixture *f = calloc(1, sizeof(*f));

	fake_psp_reset();
	owner_dir_create(&f->d);
	for (size_t i = 0; i < 4; i++)
		put_cert(f->certs + i * SEV_CERT_LEN, usages[i]);
	fake_psp.certs = f->certs;
	f->dev = fake_psp_dev;
	f->c = (struct sev_command){.files = f->files,
				    .root = f->d.path,
				    .out = f->d.out,
				    .ask = ask,
				    .arg = f};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	owner_dir_destroy(&f->d);
	free(f);
	return 0;
}

/* As the verb does: checked, then carried out. */
static int run(struct fixture *f, const char *name)
{
	int r;

	f->c.name = name;
	f->c.out = f->d.out;
	r = sev_command_check(&f->c, &f->d.err);
	return r ? r : sev_command_run(&f->c, &f->dev, &f->d.err);
}

static void refused(struct fixture *f, const char *name, int code,
		    enum err_kind kind, const char *says)
{
	size_t before = fake_psp.n;

	owner_assert_err(&f->d, run(f, name), code, kind, says);
	assert_int_equal(fake_psp.n, before); /* nothing was asked */
}

static void prints(struct fixture *f, const char *name, const char *says)
{
	owner_output_clear(&f->d);
	if (run(f, name) < 0)
		fail_msg("%s: %s", name, f->d.err.msg);
	if (!strstr(owner_output(&f->d), says))
		fail_msg("'%s' lacks '%s'", owner_output(&f->d), says);
}

static void status_is_for_people_or_programs(void **state)
{
	struct fixture *f = *state;
	json_t *j;

	prints(f, "status", "API version  1.55\nbuild        24\n");
	prints(f, "status", "state        WORKING\nowner        somebody");
	prints(f, "status", "SEV-ES       initialised\nguests       3\n");
	assert_null(strstr(owner_output(&f->d), "SIMULATED"));
	f->dev.is_device = false;
	prints(f, "status", "SIMULATED");
	fake_psp.flags = 0;
	prints(f, "status",
	       "owner        nobody (self-owned)\n"
	       "SEV-ES       not initialised\n");
	f->c.json = true;
	prints(f, "status", "{");
	j = json_loads(owner_output(&f->d), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(j, "guests")), 3);
	assert_true(json_is_true(json_object_get(j, "simulated")));
	assert_true(json_is_false(json_object_get(j, "es")));
	assert_string_equal(json_string_value(json_object_get(j, "state")),
			    "WORKING");
	json_decref(j);
}

static void each_socket_has_its_id(void **state)
{
	struct fixture *f = *state;
	const char *text;

	prints(f, "id", "1d1d1d1d");
	text = owner_output(&f->d);
	assert_int_equal(strlen(text), 2 * (128 + 1));
	assert_int_equal(text[128], '\n');
	f->c.json = true;
	prints(f, "id", "\"ids\": [");
	fake_psp.id_len = 64;
	f->c.json = false;
	prints(f, "id", "1d");
	assert_int_equal(strlen(owner_output(&f->d)), 128 + 1);
}

static void an_exported_chain_is_pdh_pek_oca_cek(void **state)
{
	struct fixture *f = *state;
	uint8_t got[EXPORT_LEN + 1];

	f->files[0] = (char *)owner_path(&f->d, "chain");
	f->c.n_files = 1;
	assert_int_equal(run(f, "export"), 0);
	assert_int_equal(owner_get(&f->d, "chain", got, sizeof(got)),
			 EXPORT_LEN);
	assert_memory_equal(got, f->certs, EXPORT_LEN);
	assert_int_equal(owner_mode(&f->d, "chain"), 0644);
	assert_int_equal(run(f, "export"), 0); /* it may be there already */
}

/* What AMD has published, below the fixture's root. */
static void put_amds(struct fixture *f, const uint8_t *cek)
{
	static const char *const dirs[] = {"var", "var/lib", "var/lib/coffer",
					   "var/lib/coffer/sev"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		mkdir(owner_path(&f->d, dirs[i]), 0700);
	owner_put(&f->d, &SEV_FILE_CEK[1], cek, SEV_CERT_LEN);
	owner_put(&f->d, &SEV_FILE_ASK_ARK[1], "roots", 5);
}

static void remove_amds(struct fixture *f)
{
	static const char *const names[] = {
		SEV_FILE_CEK,	   SEV_FILE_ASK_ARK, "/var/lib/coffer/sev",
		"/var/lib/coffer", "/var/lib",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove(owner_path(&f->d, names[i] + 1));
}

static void a_full_chain_has_what_amd_published(void **state)
{
	struct fixture *f = *state;
	uint8_t got[EXPORT_LEN + 6], cek[SEV_CERT_LEN];

	f->files[0] = (char *)owner_path(&f->d, "full");
	f->c.n_files = 1;
	f->c.full = true;
	owner_assert_err(&f->d, run(f, "export"), -ENOENT, ERR_INPUT,
			 "AMD's certificates of this processor are not on");
	assert_int_equal(owner_mode(&f->d, "full"), -1);
	memcpy(cek, f->certs + EXPORT_LEN - SEV_CERT_LEN, SEV_CERT_LEN);
	cek[SEV_CERT_LEN - 1] = 0x77; /* in its signature */
	put_amds(f, cek);
	assert_int_equal(run(f, "export"), 0);
	assert_int_equal(owner_get(&f->d, "full", got, sizeof(got)),
			 EXPORT_LEN + 5);
	assert_memory_equal(got + EXPORT_LEN - SEV_CERT_LEN, cek, SEV_CERT_LEN);
	assert_memory_equal(got + EXPORT_LEN, "roots", 5);
	cek[0x20] ^= 1; /* another chip's key */
	put_amds(f, cek);
	owner_assert_err(&f->d, run(f, "export"), -EINVAL, ERR_INPUT,
			 "another chip");
	remove_amds(f);
}

static void a_request_is_written_to_a_file(void **state)
{
	struct fixture *f = *state;
	uint8_t got[SEV_CERT_LEN + 1];

	refused(f, "pek-csr", -EINVAL, ERR_USAGE, "give the file to write");
	f->files[0] = (char *)owner_path(&f->d, "csr");
	f->c.n_files = 1;
	assert_int_equal(run(f, "pek-csr"), 0);
	assert_int_equal(owner_get(&f->d, "csr", got, sizeof(got)),
			 SEV_CERT_LEN);
	assert_int_equal(got[0], 0xc5);
}

static void an_import_wants_pek_and_then_oca(void **state)
{
	struct fixture *f = *state;

	refused(f, "pek-import", -EINVAL, ERR_USAGE, "the signed PEK, then");
	f->files[0] = (char *)owner_put_base64(
		&f->d, "pek", f->certs + SEV_CERT_LEN, SEV_CERT_LEN);
	f->files[1] = (char *)owner_put(
		&f->d, "oca", f->certs + 2 * SEV_CERT_LEN, SEV_CERT_LEN);
	f->c.n_files = 2;
	assert_int_equal(run(f, "pek-import"), 0);
	assert_int_equal(fake_psp.first_imported, SEV_USAGE_PEK & 0xff);
	assert_int_equal(fake_psp.second_imported, SEV_USAGE_OCA & 0xff);
	f->files[1] = f->files[0];
	refused(f, "pek-import", -EINVAL, ERR_INPUT, "expected OCA");
	f->files[1] = (char *)owner_put(&f->d, "cut", f->certs, 2083);
	refused(f, "pek-import", -EINVAL, ERR_INPUT, "2083 bytes");
}

static void what_makes_sessions_useless_is_asked_first(void **state)
{
	static const struct {
		const char *name;
		uint32_t cmd;
	} v[] = {{"pdh-gen", 4}, {"reset", 0}};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		f->typed = NULL;
		f->c.yes = false;
		refused(f, v[i].name, -EINVAL, ERR_USAGE, "no terminal");
		f->typed = "y\n";
		refused(f, v[i].name, -ECANCELED, ERR_USAGE, "was not yes");
		f->typed = "";
		refused(f, v[i].name, -ECANCELED, ERR_USAGE, "was not yes");
		fake_psp.n = 0;
		f->typed = "yes\n";
		assert_int_equal(run(f, v[i].name), 0);
		assert_int_equal(fake_psp.n, 1);
		assert_int_equal(fake_psp.cmd[0], v[i].cmd);
		f->n_asked = 0;
		f->c.yes = true;
		assert_int_equal(run(f, v[i].name), 0);
		assert_int_equal(f->n_asked, 0);
	}
}

static void options_of_other_commands_are_refused(void **state)
{
	struct fixture *f = *state;

	f->c.json = true;
	refused(f, "reset", -EINVAL, ERR_USAGE, "reset: takes no --json");
	f->c.json = false;
	f->c.full = true;
	refused(f, "status", -EINVAL, ERR_USAGE, "takes no --full");
	f->c.full = false;
	f->c.yes = true;
	refused(f, "export", -EINVAL, ERR_USAGE, "takes no --yes");
	f->c.yes = false;
	f->c.n_files = 1;
	refused(f, "id", -EINVAL, ERR_USAGE, "takes no file");
	refused(f, "stauts", -EINVAL, ERR_USAGE, "did you mean 'status'?");
	refused(f, "x", -EINVAL, ERR_USAGE, "lists them");
}

static void what_the_platform_refuses_is_worded(void **state)
{
	struct fixture *f = *state;

	fake_psp.fail_at = 1;
	fake_psp.fail_errno = EIO;
	fake_psp.status = SEV_STATUS_HWERROR_PLATFORM;
	owner_assert_err(&f->d, run(f, "status"), -EIO, ERR_HOST,
			 "HWERROR_PLATFORM");
	fake_psp.n = 0;
	f->files[0] = (char *)owner_path(&f->d, "chain");
	f->c.n_files = 1;
	owner_assert_err(&f->d, run(f, "export"), -EIO, ERR_HOST,
			 "PDH_CERT_EXPORT");
	assert_int_equal(owner_mode(&f->d, "chain"), -1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(status_is_for_people_or_programs),
		CASE(each_socket_has_its_id),
		CASE(an_exported_chain_is_pdh_pek_oca_cek),
		CASE(a_full_chain_has_what_amd_published),
		CASE(a_request_is_written_to_a_file),
		CASE(an_import_wants_pek_and_then_oca),
		CASE(what_makes_sessions_useless_is_asked_first),
		CASE(options_of_other_commands_are_refused),
		CASE(what_the_platform_refuses_is_worded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
