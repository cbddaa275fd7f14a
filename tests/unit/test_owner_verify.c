/*
 * tests/unit/test_owner_verify.c - launches that are what was asked for, and
 * launches with one thing different.
 */
#include <errno.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/sev_session.h"
#include "tests/unit/owner_machine.h"
#include "tests/unit/unit.h"
#include "vmm/base/hex.h"
#include "vmm/base/own.h"

static void an_honest_launch_verifies(void **state)
{
	struct machine_fixture *f = *state;

	machine_launch(f);
	machine_report(f, f->digest);
	machine_verified(f);
	assert_non_null(strstr(owner_output(&f->d),
			       "covered: policy api firmware kernel initrd "
			       "cmdline\n"
			       "not covered: tables memory vcpus registers "
			       "placement devices cpuid\n"));
	assert_non_null(strstr(owner_output(&f->d), "API 1.55, build 21"));
}

static void firmware_alone_verifies(void **state)
{
	struct machine_fixture *f = *state;

	f->m.hashes = false;
	f->o.content.kernel = f->o.content.initrd = f->o.content.cmdline = NULL;
	machine_launch(f);
	machine_report(f, NULL);
	machine_verified(f);
	assert_non_null(strstr(owner_output(&f->d),
			       "\ncovered: policy api firmware\n"
			       "not covered: kernel "));
}

static void kernels_without_initrd_and_command_line_verify(void **state)
{
	struct machine_fixture *f = *state;
	uint8_t table[176], c[32], i[32], k[32];
	struct sev_measure_input in = f->m.in;
	uint8_t image[4096];

	hash256_of(f->h, "", 1, c);
	hash256_of(f->h, "", 0, i);
	machine_hash(f, "kernel", k);
	sev_kernel_hashes(c, i, k, table);
	owner_get(&f->d, "fw", image, sizeof(image));
	hash256_update(f->h, image, sizeof(image));
	hash256_of(f->h, table, sizeof(table), in.digest);
	assert_int_equal(sev_measure(f->h, f->m.tik, &in, f->measurement), 0);
	memcpy(f->measurement + 32, in.mnonce, 16);
	f->o.content.initrd = f->o.content.cmdline = NULL;
	machine_report(f, NULL);
	machine_verified(f);
}

static void a_digest_verifies_in_all_its_forms(void **state)
{
	struct machine_fixture *f = *state;
	char hex[65], text[BASE64_TEXT_LEN(32)], line[80];

	machine_launch(f);
	machine_report(f, NULL);
	hex_format(f->digest, 32, hex);
	base64_encode(f->digest, 32, text);
	snprintf(line, sizeof(line), "%s\n", hex);
	f->o.content = (struct owner_content){.digest = hex};
	machine_verified(f);
	f->o.content.digest = text;
	machine_verified(f);
	f->o.content.digest = owner_put_text(&f->d, "hex", line);
	machine_verified(f);
	f->o.content.digest = owner_put(&f->d, "raw", f->digest, 32);
	machine_verified(f);
	hex[3] = hex[3] == '0' ? '1' : '0';
	f->o.content.digest = hex;
	machine_refused(f, -EKEYREJECTED, ERR_INPUT, "NOT VERIFIED");
}

static void registers_of_sev_es_are_measured(void **state)
{
	struct machine_fixture *f = *state;
	char *pages[] = {(char *)owner_path(&f->d, "page0"),
			 (char *)owner_path(&f->d, "page1")};

	f->m.in.policy = 5;
	f->m.parts[1] = "page0";
	f->m.parts[2] = f->m.parts[3] = "page1";
	machine_launch(f);
	machine_report(f, NULL);
	f->o.content.vmsa = (struct owner_texts){pages, 2};
	f->o.content.cpus = 3;
	machine_verified(f);
	assert_non_null(strstr(owner_output(&f->d), " vcpus registers\nnot"));
}

static void another_number_of_cpus_is_found_out(void **state)
{
	struct machine_fixture *f = *state;
	char *pages[] = {(char *)owner_path(&f->d, "page0"),
			 (char *)owner_path(&f->d, "page1")};

	f->m.in.policy = 5;
	f->m.parts[1] = "page0";
	f->m.parts[2] = f->m.parts[3] = "page1";
	machine_launch(f);
	machine_report(f, NULL);
	f->o.content.vmsa = (struct owner_texts){pages, 2};
	machine_distrusted(f, "it launched 3 VMSA pages");
}

static void a_firmware_without_hashes_is_found_out(void **state)
{
	struct machine_fixture *f = *state;

	f->m.hashes = false;
	machine_launch(f);
	machine_report(f, NULL);
	machine_distrusted(f, "without kernel hashes");
}

static void one_changed_byte_anywhere_is_refused(void **state)
{
	static const char *const files[] = {"fw", "kernel", "initrd"};
	struct machine_fixture *f = *state;
	char buf[4096];

	machine_launch(f);
	machine_report(f, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t n = owner_get(&f->d, files[i], buf, sizeof(buf));

		buf[n - 1] ^= 1;
		owner_put(&f->d, files[i], buf, n);
		machine_distrusted(f, "NOT VERIFIED");
		buf[n - 1] ^= 1;
		owner_put(&f->d, files[i], buf, n);
	}
	f->o.content.cmdline = "console=ttyS1";
	machine_distrusted(f, "NOT VERIFIED");
	f->o.content.cmdline = MACHINE_COMMAND_LINE;
	machine_verified(f);
}

static void a_host_that_admits_other_content_is_quoted(void **state)
{
	struct machine_fixture *f = *state;

	f->m.parts[1] = "page0";
	machine_launch(f);
	machine_report(f, f->digest);
	machine_distrusted(f, "other content was launched: its digest is");
}

static void every_value_of_the_report_is_bound(void **state)
{
	struct machine_fixture *f = *state;
	uint8_t *values[] = {&f->m.in.api_major,  &f->m.in.api_minor,
			     &f->m.in.build,	  &f->measurement[0],
			     &f->measurement[31], &f->measurement[32],
			     &f->measurement[47]};

	machine_launch(f);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		*values[i] ^= 1;
		machine_report(f, f->digest);
		machine_distrusted(f, "NOT VERIFIED");
		*values[i] ^= 1;
	}
	f->m.in.policy = 3;
	machine_report(f, f->digest);
	machine_distrusted(f, "NOT VERIFIED");
}

static void another_key_is_refused(void **state)
{
	struct machine_fixture *f = *state;

	machine_launch(f);
	machine_report(f, f->digest);
	f->m.tik[0] ^= 1;
	owner_put(&f->d, "vm_tik.bin", f->m.tik, 16);
	machine_distrusted(f, "other keys than this TIK");
}

static const char *put_session(struct machine_fixture *f, const char *name,
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
	struct machine_fixture *f = *state;

	f->m.in.policy = 3;
	machine_launch(f);
	machine_report(f, NULL);
	f->o.session = put_session(f, "elsewhere", 3);
	machine_verified(f);
	assert_non_null(strstr(owner_output(&f->d), "that of the session"));
}

/* Even when the measurement itself would be right. */
static void the_session_beside_the_key_is_found(void **state)
{
	struct machine_fixture *f = *state;

	f->m.in.policy = 0;
	machine_launch(f);
	machine_report(f, NULL);
	put_session(f, "vm_session.b64", 1);
	machine_distrusted(f, "reports policy 0x0, but session");
	f->o.session = owner_path(&f->d, "vm_session.b64");
	machine_distrusted(f, "reports policy 0x0, but session");
	owner_put(&f->d, "vm_session.b64", "x", 1);
	machine_refused(f, -EINVAL, ERR_INPUT, "1 bytes, but it has 128");
}

static void old_firmware_is_refused(void **state)
{
	struct machine_fixture *f = *state;

	machine_launch(f);
	machine_report(f, NULL);
	f->o.have_min_api = true;
	f->o.min_api_major = 1;
	f->o.min_api_minor = 56;
	machine_distrusted(f, "API 1.55 is below --min-api 1.56");
	f->o.min_api_major = 2;
	f->o.min_api_minor = 0;
	machine_distrusted(f, "below --min-api 2.0");
	f->o.min_api_major = 1;
	f->o.min_api_minor = 55;
	f->o.min_build = 22;
	machine_distrusted(f, "build 21 is below --min-build 22");
	f->o.min_build = 21;
	machine_verified(f);
}

static void a_report_no_firmware_could_make_is_refused(void **state)
{
	struct machine_fixture *f = *state;

	f->m.in.policy = 0x38010001; /* API 1.56 */
	machine_launch(f);
	machine_report(f, NULL);
	machine_distrusted(f, "API 1.55 is below that of policy");
	f->m.in.policy = 0x41;
	machine_launch(f);
	machine_report(f, NULL);
	machine_distrusted(f, "policy 0x41, which no firmware accepts");
}

static void what_must_be_covered_is_checked(void **state)
{
	struct machine_fixture *f = *state;
	char *good[] = {(char *)"kernel,initrd", (char *)"cmdline"};
	char *vcpus[] = {(char *)"kernel,vcpus"};
	char *wrong[] = {(char *)"kernel,cpus"};

	machine_launch(f);
	machine_report(f, NULL);
	f->o.require = (struct owner_texts){vcpus, 1};
	machine_distrusted(
		f, "--require vcpus: this measurement does not bind it");
	f->o.require = (struct owner_texts){wrong, 1};
	machine_refused(f, -EINVAL, ERR_USAGE, "'cpus'");
	f->o.require = (struct owner_texts){good, 2};
	machine_verified(f);
}

static void options_that_do_not_fit_are_refused(void **state)
{
	struct machine_fixture *f = *state;
	char *page[] = {(char *)owner_path(&f->d, "page0")};
	char *kernel[] = {(char *)owner_path(&f->d, "kernel")};
	struct owner_content all = f->o.content, none = {0};

	machine_launch(f);
	machine_report(f, NULL);
	f->o.content.digest = "00";
	machine_refused(f, -EINVAL, ERR_USAGE, "--digest stands for all");
	f->o.content = none;
	machine_refused(f, -EINVAL, ERR_USAGE,
			"give what should have been launched");
	f->o.content.digest = "00";
	machine_refused(f, -EINVAL, ERR_USAGE, "neither 64 hexadecimal digits");
	f->o.content.digest = owner_path(&f->d, "kernel");
	machine_refused(f, -EINVAL, ERR_INPUT, "not a SHA-256 digest");
	f->o.content.digest = NULL;
	f->o.content.firmware = "none";
	machine_refused(f, -EINVAL, ERR_USAGE, "--kernel is missing");
	f->o.content = all;
	f->o.content.kernel = NULL;
	machine_refused(f, -EINVAL, ERR_USAGE, "--kernel is missing");
	f->o.content = all;
	f->o.content.vmsa = (struct owner_texts){page, 1};
	machine_refused(f, -EINVAL, ERR_USAGE, "SEV, which measures no VMSA");
	f->m.in.policy = 5;
	machine_report(f, NULL);
	f->o.content.vmsa.n = 0;
	machine_refused(f, -EINVAL, ERR_USAGE, "--vmsa is missing");
	f->o.content.vmsa = (struct owner_texts){kernel, 1};
	machine_refused(f, -EINVAL, ERR_INPUT, "10 bytes, but it has 4096");
	f->o.content.vmsa = (struct owner_texts){page, 1};
	f->o.content.cpus = 65;
	machine_refused(f, -EINVAL, ERR_USAGE, "more than 64");
}

static void files_that_cannot_be_are_refused(void **state)
{
	struct machine_fixture *f = *state;

	machine_launch(f);
	machine_report(f, NULL);
	f->o.content.kernel = owner_path(&f->d, "none");
	machine_refused(f, -ENOENT, ERR_INPUT, "--kernel '");
	f->o.content.kernel = f->d.path;
	machine_refused(f, -EISDIR, ERR_INPUT, "--kernel '");
	f->o.content.kernel = owner_path(&f->d, "kernel");
	f->o.content.firmware = owner_path(&f->d, "kernel");
	machine_refused(f, -EINVAL, ERR_INPUT, "not a multiple of 16");
	f->o.content.firmware = owner_put(&f->d, "empty", "", 0);
	machine_refused(f, -ENODATA, ERR_INPUT, "--firmware '");
	f->o.tik = owner_path(&f->d, "kernel");
	machine_refused(f, -EINVAL, ERR_INPUT, "10 bytes, but it has 16");
}

int main(void)
{
#define CASE(f)                                                                \
	cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
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
		CASE(options_that_do_not_fit_are_refused),
		CASE(files_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
