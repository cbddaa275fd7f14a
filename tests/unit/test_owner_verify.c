/*
 * tests/unit/test_owner_verify.c - launches that are what was asked for, and
 * launches with one thing different.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/sev_measure.h"
#include "crypto/sev_session.h"
#include "owner/hex.h"
#include "owner/owner.h"
#include "owner/owner_used.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"

static const char command_line[] = "console=ttyS0";

/* What the firmware has seen: an owner's inputs, and more than that. */
struct machine {
	struct sev_measure_input in;
	const char *parts[8]; /* files launched, in order */
	bool hashes;	      /* kernel hashes after the first part */
	uint8_t tik[16];
};

struct fixture {
	struct owner_dir d;
	struct hash256 *h;
	struct machine m;
	struct owner_verify_opts o;
	uint8_t measurement[48];
	uint8_t digest[32];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint8_t image[4096], page[4096];

	owner_dir_create(&f->d);
	f->h = hash256_openssl_create();
	count_up(image, sizeof(image), 7);
	memset(page, 0x11, sizeof(page));
	count_up(f->m.tik, 16, 0xb0);
	f->m.in = (struct sev_measure_input){
		.api_major = 1, .api_minor = 55, .build = 21, .policy = 1};
	count_up(f->m.in.mnonce, 16, 0x50);
	f->m.parts[0] = "fw";
	f->m.hashes = true;
	f->o.content.firmware = owner_put(&f->d, "fw", image, sizeof(image));
	f->o.content.kernel = owner_put_text(&f->d, "kernel", "the kernel");
	f->o.content.initrd = owner_put_text(&f->d, "initrd", "the initrd");
	f->o.content.cmdline = command_line;
	owner_put(&f->d, "page0", page, sizeof(page));
	owner_put(&f->d, "page1", image, sizeof(image));
	f->o.tik = owner_put(&f->d, "vm_tik.bin", f->m.tik, 16);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	owner_dir_destroy(&f->d);
	hash256_destroy(f->h);
	free(f);
	return 0;
}

static void hash_named(struct fixture *f, const char *name, uint8_t *out)
{
	char buf[64];
	size_t n = owner_get(&f->d, name, buf, sizeof(buf));

	assert_int_equal(hash256_of(f->h, buf, n, out), 0);
}

static void launch_hashes(struct fixture *f, uint8_t *table)
{
	uint8_t c[32], i[32], k[32];

	assert_int_equal(
		hash256_of(f->h, command_line, sizeof(command_line), c), 0);
	hash_named(f, "initrd", i);
	hash_named(f, "kernel", k);
	sev_kernel_hashes(c, i, k, table);
}

/* What LAUNCH_MEASURE of this machine says. */
static void launch(struct fixture *f)
{
	uint8_t table[SEV_KERNEL_HASHES_LEN], page[4096];

	if (f->m.hashes)
		launch_hashes(f, table);
	for (int i = 0; f->m.parts[i]; i++) {
		size_t n = owner_get(&f->d, f->m.parts[i], page, sizeof(page));

		hash256_update(f->h, page, n);
		if (i == 0 && f->m.hashes)
			hash256_update(f->h, table, sizeof(table));
	}
	assert_int_equal(hash256_finish(f->h, f->m.in.digest), 0);
	memcpy(f->digest, f->m.in.digest, 32);
	assert_int_equal(sev_measure(f->h, f->m.tik, &f->m.in, f->measurement),
			 0);
	memcpy(f->measurement + 32, f->m.in.mnonce, 16);
}

/* The report of the host; it may lie about the digest. */
static void report(struct fixture *f, const uint8_t *digest)
{
	char m[BASE64_TEXT_LEN(48)], hex[65] = "", json[512];

	base64_encode(f->measurement, 48, m);
	snprintf(
		json, sizeof(json),
		"{\"api_major\":%u,\"api_minor\":%u,\"build\":%u,\"policy\":%u,"
		"\"measurement\":\"%s\"%s%s%s}",
		f->m.in.api_major, f->m.in.api_minor, f->m.in.build,
		f->m.in.policy, m, digest ? ",\"plan_digest\":\"" : "",
		digest ? hex_format(digest, 32, hex) : "", digest ? "\"" : "");
	f->o.report.launch = owner_put_text(&f->d, "launch.json", json);
}

static void verified(struct fixture *f)
{
	int r;

	owner_output_clear(&f->d);
	r = owner_verify(&f->o, f->d.out, &f->d.err);

	if (r < 0)
		fail_msg("%s", f->d.err.msg);
	assert_non_null(strstr(owner_output(&f->d), "VERIFIED\n"));
}

/* And nothing on standard output that a script could take for a yes. */
static void refused(struct fixture *f, int code, enum err_kind kind,
		    const char *says)
{
	owner_output_clear(&f->d);
	owner_assert_err(&f->d, owner_verify(&f->o, f->d.out, &f->d.err), code,
			 kind, says);
	assert_string_equal(owner_output(&f->d), "");
}

static void distrusted(struct fixture *f, const char *says)
{
	refused(f, -EKEYREJECTED, ERR_INPUT, says);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin.used"), -1);
}

static void an_honest_launch_verifies(void **state)
{
	struct fixture *f = *state;

	launch(f);
	report(f, f->digest);
	verified(f);
	assert_non_null(strstr(owner_output(&f->d),
			       "covered: policy api firmware kernel initrd "
			       "cmdline\n"
			       "not covered: tables memory vcpus registers "
			       "placement devices cpuid\n"));
	assert_non_null(strstr(owner_output(&f->d), "API 1.55, build 21"));
}

static void firmware_alone_verifies(void **state)
{
	struct fixture *f = *state;

	f->m.hashes = false;
	f->o.content.kernel = f->o.content.initrd = f->o.content.cmdline = NULL;
	launch(f);
	report(f, NULL);
	verified(f);
	assert_non_null(strstr(owner_output(&f->d),
			       "\ncovered: policy api firmware\n"
			       "not covered: kernel "));
}

static void kernels_without_initrd_and_command_line_verify(void **state)
{
	struct fixture *f = *state;
	uint8_t table[176], c[32], i[32], k[32];
	struct sev_measure_input in = f->m.in;
	uint8_t image[4096];

	hash256_of(f->h, "", 1, c);
	hash256_of(f->h, "", 0, i);
	hash_named(f, "kernel", k);
	sev_kernel_hashes(c, i, k, table);
	owner_get(&f->d, "fw", image, sizeof(image));
	hash256_update(f->h, image, sizeof(image));
	hash256_of(f->h, table, sizeof(table), in.digest);
	assert_int_equal(sev_measure(f->h, f->m.tik, &in, f->measurement), 0);
	memcpy(f->measurement + 32, in.mnonce, 16);
	f->o.content.initrd = f->o.content.cmdline = NULL;
	report(f, NULL);
	verified(f);
}

static void a_digest_verifies_in_all_its_forms(void **state)
{
	struct fixture *f = *state;
	char hex[65], text[BASE64_TEXT_LEN(32)], line[80];

	launch(f);
	report(f, NULL);
	hex_format(f->digest, 32, hex);
	base64_encode(f->digest, 32, text);
	snprintf(line, sizeof(line), "%s\n", hex);
	f->o.content = (struct owner_content){.digest = hex};
	verified(f);
	f->o.content.digest = text;
	verified(f);
	f->o.content.digest = owner_put_text(&f->d, "hex", line);
	verified(f);
	f->o.content.digest = owner_put(&f->d, "raw", f->digest, 32);
	verified(f);
	hex[3] = hex[3] == '0' ? '1' : '0';
	f->o.content.digest = hex;
	refused(f, -EKEYREJECTED, ERR_INPUT, "NOT VERIFIED");
}

static void registers_of_sev_es_are_measured(void **state)
{
	struct fixture *f = *state;
	char *pages[] = {(char *)owner_path(&f->d, "page0"),
			 (char *)owner_path(&f->d, "page1")};

	f->m.in.policy = 5;
	f->m.parts[1] = "page0";
	f->m.parts[2] = f->m.parts[3] = "page1";
	launch(f);
	report(f, NULL);
	f->o.content.vmsa = (struct owner_texts){pages, 2};
	f->o.content.cpus = 3;
	verified(f);
	assert_non_null(strstr(owner_output(&f->d), " vcpus registers\nnot"));
}

static void another_number_of_cpus_is_found_out(void **state)
{
	struct fixture *f = *state;
	char *pages[] = {(char *)owner_path(&f->d, "page0"),
			 (char *)owner_path(&f->d, "page1")};

	f->m.in.policy = 5;
	f->m.parts[1] = "page0";
	f->m.parts[2] = f->m.parts[3] = "page1";
	launch(f);
	report(f, NULL);
	f->o.content.vmsa = (struct owner_texts){pages, 2};
	distrusted(f, "it launched 3 VMSA pages");
}

static void a_firmware_without_hashes_is_found_out(void **state)
{
	struct fixture *f = *state;

	f->m.hashes = false;
	launch(f);
	report(f, NULL);
	distrusted(f, "without kernel hashes");
}

static void one_changed_byte_anywhere_is_refused(void **state)
{
	static const char *const files[] = {"fw", "kernel", "initrd"};
	struct fixture *f = *state;
	char buf[4096];

	launch(f);
	report(f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t n = owner_get(&f->d, files[i], buf, sizeof(buf));

		buf[n - 1] ^= 1;
		owner_put(&f->d, files[i], buf, n);
		distrusted(f, "NOT VERIFIED");
		buf[n - 1] ^= 1;
		owner_put(&f->d, files[i], buf, n);
	}
	f->o.content.cmdline = "console=ttyS1";
	distrusted(f, "NOT VERIFIED");
	f->o.content.cmdline = command_line;
	verified(f);
}

static void a_host_that_admits_other_content_is_quoted(void **state)
{
	struct fixture *f = *state;

	f->m.parts[1] = "page0";
	launch(f);
	report(f, f->digest);
	distrusted(f, "other content was launched: its digest is");
}

static void every_value_of_the_report_is_bound(void **state)
{
	struct fixture *f = *state;
	uint8_t *values[] = {&f->m.in.api_major,  &f->m.in.api_minor,
			     &f->m.in.build,	  &f->measurement[0],
			     &f->measurement[31], &f->measurement[32],
			     &f->measurement[47]};

	launch(f);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		*values[i] ^= 1;
		report(f, f->digest);
		distrusted(f, "NOT VERIFIED");
		*values[i] ^= 1;
	}
	f->m.in.policy = 3;
	report(f, f->digest);
	distrusted(f, "NOT VERIFIED");
}

static void another_key_is_refused(void **state)
{
	struct fixture *f = *state;

	launch(f);
	report(f, f->digest);
	f->m.tik[0] ^= 1;
	owner_put(&f->d, "vm_tik.bin", f->m.tik, 16);
	distrusted(f, "other keys than this TIK");
}

static const char *put_session(struct fixture *f, const char *name,
			       uint32_t policy)
{
	uint8_t blob[SEV_SESSION_LEN], z[48] = {0};
	struct sev_session_keys keys = {{0}, {0}};
	struct sev_session_fresh fresh = {{0}, {0}};

	memcpy(keys.tik, f->m.tik, 16);
	assert_int_equal(
		sev_session_seal(f->h, z, 48, policy, &keys, &fresh, blob), 0);
	return owner_put_base64(&f->d, name, blob, sizeof(blob));
}

static void the_policy_must_be_that_of_the_session(void **state)
{
	struct fixture *f = *state;

	f->m.in.policy = 3;
	launch(f);
	report(f, NULL);
	f->o.session = put_session(f, "elsewhere", 3);
	verified(f);
	assert_non_null(strstr(owner_output(&f->d), "that of the session"));
}

/* Even when the measurement itself would be right. */
static void the_session_beside_the_key_is_found(void **state)
{
	struct fixture *f = *state;

	f->m.in.policy = 0;
	launch(f);
	report(f, NULL);
	put_session(f, "vm_session.b64", 1);
	distrusted(f, "reports policy 0x0, but session");
	f->o.session = owner_path(&f->d, "vm_session.b64");
	distrusted(f, "reports policy 0x0, but session");
	owner_put(&f->d, "vm_session.b64", "x", 1);
	refused(f, -EINVAL, ERR_INPUT, "1 bytes, but it has 128");
}

static void old_firmware_is_refused(void **state)
{
	struct fixture *f = *state;

	launch(f);
	report(f, NULL);
	f->o.have_min_api = true;
	f->o.min_api_major = 1;
	f->o.min_api_minor = 56;
	distrusted(f, "API 1.55 is below --min-api 1.56");
	f->o.min_api_major = 2;
	f->o.min_api_minor = 0;
	distrusted(f, "below --min-api 2.0");
	f->o.min_api_major = 1;
	f->o.min_api_minor = 55;
	f->o.min_build = 22;
	distrusted(f, "build 21 is below --min-build 22");
	f->o.min_build = 21;
	verified(f);
}

static void a_report_no_firmware_could_make_is_refused(void **state)
{
	struct fixture *f = *state;

	f->m.in.policy = 0x38010001; /* API 1.56 */
	launch(f);
	report(f, NULL);
	distrusted(f, "API 1.55 is below that of policy");
	f->m.in.policy = 0x41;
	launch(f);
	report(f, NULL);
	distrusted(f, "policy 0x41, which no firmware accepts");
}

static void what_must_be_covered_is_checked(void **state)
{
	struct fixture *f = *state;
	char *good[] = {(char *)"kernel,initrd", (char *)"cmdline"};
	char *vcpus[] = {(char *)"kernel,vcpus"};
	char *wrong[] = {(char *)"kernel,cpus"};

	launch(f);
	report(f, NULL);
	f->o.require = (struct owner_texts){vcpus, 1};
	distrusted(f, "--require vcpus: this measurement does not bind it");
	f->o.require = (struct owner_texts){wrong, 1};
	refused(f, -EINVAL, ERR_USAGE, "'cpus'");
	f->o.require = (struct owner_texts){good, 2};
	verified(f);
}

static void a_key_is_good_for_one_launch(void **state)
{
	struct fixture *f = *state;

	launch(f);
	report(f, NULL);
	verified(f);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin.used"), 0600);
	verified(f); /* the same launch, again */
	f->m.in.mnonce[0] ^= 1;
	launch(f);
	report(f, NULL);
	refused(f, -EKEYREJECTED, ERR_INPUT, "was used for another launch");
}

static void a_new_key_under_the_old_name_is_new(void **state)
{
	struct fixture *f = *state;

	launch(f);
	report(f, NULL);
	verified(f);
	f->m.tik[5] ^= 0xff;
	owner_put(&f->d, "vm_tik.bin", f->m.tik, 16);
	launch(f);
	report(f, NULL);
	verified(f);
	f->m.in.mnonce[0] ^= 1;
	launch(f);
	report(f, NULL);
	refused(f, -EKEYREJECTED, ERR_INPUT, "was used for another launch");
}

/* In a child, after a byte from @start; its status is 0 if it got the key. */
static pid_t claim_in_child(struct fixture *f, uint8_t i, int start)
{
	uint8_t measurement[48] = {i};
	struct owner_use u = {f->o.tik, f->m.tik, measurement};
	pid_t pid = fork();
	char byte;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	_exit(read(start, &byte, 1) != 1 ||
	      owner_used_claim(f->h, &u, NULL) < 0);
}

static void of_many_launches_at_once_one_gets_the_key(void **state)
{
	struct fixture *f = *state;
	pid_t pids[16];
	int start[2], got = 0;

	assert_int_equal(pipe2(start, O_CLOEXEC), 0);
	for (uint8_t i = 0; i < 16; i++)
		pids[i] = claim_in_child(f, i, start[0]);
	close(start[0]);
	assert_int_equal(write(start[1], "0123456789abcdef", 16), 16);
	close(start[1]);
	for (int i = 0; i < 16; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		got += !WEXITSTATUS(status);
	}
	assert_int_equal(got, 1);
}

static void a_damaged_mark_is_not_ignored(void **state)
{
	struct fixture *f = *state;

	launch(f);
	report(f, NULL);
	owner_put_text(&f->d, "vm_tik.bin.used", "used");
	refused(f, -EINVAL, ERR_INPUT, "is damaged");
}

static void options_that_do_not_fit_are_refused(void **state)
{
	struct fixture *f = *state;
	char *page[] = {(char *)owner_path(&f->d, "page0")};
	char *kernel[] = {(char *)owner_path(&f->d, "kernel")};
	struct owner_content all = f->o.content, none = {0};

	launch(f);
	report(f, NULL);
	f->o.content.digest = "00";
	refused(f, -EINVAL, ERR_USAGE, "--digest stands for all");
	f->o.content = none;
	refused(f, -EINVAL, ERR_USAGE, "give what should have been launched");
	f->o.content.digest = "00";
	refused(f, -EINVAL, ERR_USAGE, "neither 64 hexadecimal digits");
	f->o.content.digest = owner_path(&f->d, "kernel");
	refused(f, -EINVAL, ERR_INPUT, "not a SHA-256 digest");
	f->o.content.digest = NULL;
	f->o.content.firmware = "none";
	refused(f, -EINVAL, ERR_USAGE, "--kernel is missing");
	f->o.content = all;
	f->o.content.kernel = NULL;
	refused(f, -EINVAL, ERR_USAGE, "--kernel is missing");
	f->o.content = all;
	f->o.content.vmsa = (struct owner_texts){page, 1};
	refused(f, -EINVAL, ERR_USAGE, "SEV, which measures no VMSA");
	f->m.in.policy = 5;
	report(f, NULL);
	f->o.content.vmsa.n = 0;
	refused(f, -EINVAL, ERR_USAGE, "--vmsa is missing");
	f->o.content.vmsa = (struct owner_texts){kernel, 1};
	refused(f, -EINVAL, ERR_INPUT, "10 bytes, but it has 4096");
	f->o.content.vmsa = (struct owner_texts){page, 1};
	f->o.content.cpus = 65;
	refused(f, -EINVAL, ERR_USAGE, "more than 64");
}

static void files_that_cannot_be_are_refused(void **state)
{
	struct fixture *f = *state;

	launch(f);
	report(f, NULL);
	f->o.content.kernel = owner_path(&f->d, "none");
	refused(f, -ENOENT, ERR_INPUT, "--kernel '");
	f->o.content.kernel = f->d.path;
	refused(f, -EISDIR, ERR_INPUT, "--kernel '");
	f->o.content.kernel = owner_path(&f->d, "kernel");
	f->o.content.firmware = owner_path(&f->d, "kernel");
	refused(f, -EINVAL, ERR_INPUT, "not a multiple of 16");
	f->o.content.firmware = owner_put(&f->d, "empty", "", 0);
	refused(f, -ENODATA, ERR_INPUT, "--firmware '");
	f->o.tik = owner_path(&f->d, "kernel");
	refused(f, -EINVAL, ERR_INPUT, "10 bytes, but it has 16");
}

static void measure_prints_digest_and_measurement(void **state)
{
	struct fixture *f = *state;
	struct owner_measure_opts o = {.content = f->o.content};
	char hex[65], want[BASE64_TEXT_LEN(48)], text[200];

	launch(f);
	report(f, NULL);
	assert_int_equal(owner_measure(&o, f->d.out, NULL), 0);
	snprintf(text, sizeof(text), "%s\n", hex_format(f->digest, 32, hex));
	assert_string_equal(owner_output(&f->d), text);
	owner_output_clear(&f->d);
	/* of a measurement, only the nonce is taken from the host */
	base64_encode(f->measurement, 48, want);
	memset(f->measurement, 0, 32);
	report(f, NULL);
	o.report = f->o.report;
	o.tik = f->o.tik;
	assert_int_equal(owner_measure(&o, f->d.out, NULL), 0);
	snprintf(text, sizeof(text), "%s\n%s\n", hex, want);
	assert_string_equal(owner_output(&f->d), text);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin.used"), -1);
}

static void measure_needs_key_and_launch_together(void **state)
{
	struct fixture *f = *state;
	struct owner_measure_opts o = {.content = f->o.content,
				       .tik = f->o.tik};

	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EINVAL,
			 ERR_USAGE, "needs --tik and the launch");
	launch(f);
	report(f, NULL);
	o.tik = NULL;
	o.report = f->o.report;
	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EINVAL,
			 ERR_USAGE, "needs --tik and the launch");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_honest_launch_verifies),
		CASE(firmware_alone_verifies),
		CASE(kernels_without_initrd_and_command_line_verify),
		CASE(a_digest_verifies_in_all_its_forms),
		CASE(registers_of_sev_es_are_measured),
		CASE(another_number_of_cpus_is_found_out),
		CASE(a_firmware_without_hashes_is_found_out),
		CASE(one_changed_byte_anywhere_is_refused),
		CASE(a_host_that_admits_other_content_is_quoted),
		CASE(every_value_of_the_report_is_bound),
		CASE(another_key_is_refused),
		CASE(the_policy_must_be_that_of_the_session),
		CASE(the_session_beside_the_key_is_found),
		CASE(old_firmware_is_refused),
		CASE(a_report_no_firmware_could_make_is_refused),
		CASE(what_must_be_covered_is_checked),
		CASE(a_key_is_good_for_one_launch),
		CASE(a_new_key_under_the_old_name_is_new),
		CASE(of_many_launches_at_once_one_gets_the_key),
		CASE(a_damaged_mark_is_not_ignored),
		CASE(options_that_do_not_fit_are_refused),
		CASE(files_that_cannot_be_are_refused),
		CASE(measure_prints_digest_and_measurement),
		CASE(measure_needs_key_and_launch_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
