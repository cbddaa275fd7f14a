/*
 * tests/unit/test_owner_inputs.c - a direct boot as its owner sees it: the plan
 * of the monitor, made of the owner's options, and what is found out about a
 * host that launched something else.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/launch_plan.h"
#include "crypto/sev_measure.h"
#include "tests/fake/fake_image.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"
#include "vmm/cli/owner_inputs.h"

struct fixture {
	struct owner_dir d;
	struct hash256 *h;
	struct owner_config host;  /* what the host was told */
	struct owner_config owner; /* what the owner believes */
	bool host_is_es;
	enum sev_vmsa_profile profile;
	struct owner_verify_opts o;
	uint8_t digest[SEV_DIGEST_LEN]; /* of what was launched */
	char entries[2048];		/* the host's account of it, or "" */
};

static void put_kernel(struct fixture *f, const char *name, size_t flip)
{
	AUTO(fake_image_destroyp) struct fake_image *i = fake_bzimage_create();

	i->data[flip] ^= flip ? 1 : 0;
	owner_put(&f->d, name, i->data, i->len);
}

static char *path(struct fixture *f, const char *name)
{
	char *p = strdup(owner_path(&f->d, name));

	assert_non_null(p);
	return p;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint8_t tik[SEV_KEY_LEN];

	*state = f;
	owner_dir_create(&f->d);
	f->h = hash256_openssl_create();
	put_kernel(f, "kernel", 0);
	owner_put_text(&f->d, "initrd", "the initrd");
	count_up(tik, sizeof(tik), 0xb0);
	owner_put(&f->d, "vm_tik.bin", tik, sizeof(tik));
	f->owner = (struct owner_config){
		.firmware = strdup("none"),
		.kernel = path(f, "kernel"),
		.initrd = path(f, "initrd"),
		.append = strdup("console=ttyS0"),
		.memory = strdup("256M"),
	};
	f->host = f->owner;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->owner.firmware);
	free(f->owner.kernel);
	free(f->owner.initrd);
	free(f->owner.append);
	free(f->owner.memory);
	owner_dir_destroy(&f->d);
	hash256_destroy(f->h);
	free(f);
	return 0;
}

static void describe(struct fixture *f, const struct launch_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n; i++) {
		char hex[65];
		uint8_t d[32];

		launch_entry_digest(&plan->entry[i], NULL, f->h, d, NULL);
		for (int k = 0; k < 32; k++)
			snprintf(hex + 2 * k, 3, "%02x", d[k]);
		n += (size_t)snprintf(f->entries + n, sizeof(f->entries) - n,
				      "%s{\"name\":\"%s\",\"sha256\":\"%s\"}",
				      i ? "," : "", plan->entry[i].name, hex);
	}
	assert_true(n < sizeof(f->entries));
}

/* What a host that was told @f->host launches. */
static void launch(struct fixture *f)
{
	AUTO(owner_inputs_destroyp) struct owner_inputs *in = NULL;
	struct owner_direct d = {.is_es = f->host_is_es, .profile = f->profile};
	const struct launch_plan *plan;
	struct owner_content c;
	struct err err = {0};

	if (owner_inputs_create(&f->host, &in, &err) < 0)
		fail_msg("%s", err.msg);
	c = owner_inputs_content(in);
	if (c.planner->ops->plan(c.planner, &d, &plan, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(launch_plan_digest(plan, NULL, f->h, f->digest, NULL),
			 0);
	describe(f, plan);
}

/* The host's report. */
static void report(struct fixture *f)
{
	struct sev_measure_input in = {.api_major = 1, .api_minor = 55};
	uint8_t m[SEV_MEASUREMENT_LEN], tik[SEV_KEY_LEN];
	char text[BASE64_TEXT_LEN(48)], json[3072], hex[65];

	in.policy = f->host_is_es ? 0x5 : 0x1;
	count_up(tik, sizeof(tik), 0xb0);
	memcpy(in.digest, f->digest, sizeof(in.digest));
	assert_int_equal(sev_measure(f->h, tik, &in, m), 0);
	memcpy(m + SEV_MEASURE_LEN, in.mnonce, SEV_NONCE_LEN);
	base64_encode(m, sizeof(m), text);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", f->digest[i]);
	snprintf(json, sizeof(json),
		 "{\"api_major\":1,\"api_minor\":55,\"build\":0,\"policy\":%u,"
		 "\"measurement\":\"%s\",\"plan_digest\":\"%s\","
		 "\"entries\":[%s]}",
		 in.policy, text, hex, f->entries);
	f->o.report.launch = owner_put_text(&f->d, "launch.json", json);
}

static int verify(struct fixture *f)
{
	AUTO(owner_inputs_destroyp) struct owner_inputs *in = NULL;
	int r;

	f->o.tik = owner_path(&f->d, "vm_tik.bin");
	owner_output_clear(&f->d);
	r = owner_inputs_create(&f->owner, &in, &f->d.err);
	if (r < 0)
		return r;
	f->o.content = owner_inputs_content(in);
	return owner_verify(&f->o, f->d.out, &f->d.err);
}

static void verified(struct fixture *f)
{
	int r;

	launch(f);
	report(f);
	r = verify(f);
	if (r < 0)
		fail_msg("%s", f->d.err.msg);
	assert_non_null(strstr(owner_output(&f->d), "VERIFIED\n"));
}

static void distrusted(struct fixture *f, const char *says)
{
	launch(f);
	report(f);
	owner_assert_err(&f->d, verify(f), -EKEYREJECTED, ERR_INPUT, says);
	assert_string_equal(owner_output(&f->d), "");
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin.used"), -1);
}

static void an_honest_direct_boot_verifies(void **state)
{
	struct fixture *f = *state;

	verified(f);
	assert_non_null(strstr(owner_output(&f->d),
			       "\ncovered: policy api kernel initrd cmdline "
			       "tables memory vcpus\n"
			       "not covered: registers placement devices "
			       "cpuid\n"));
}

static void the_same_inputs_from_a_file_verify(void **state)
{
	struct fixture *f = *state;
	struct owner_config by_file = {0};
	char json[2048];

	snprintf(json, sizeof(json),
		 "{\"firmware\": \"none\", \"kernel\": \"%s\", "
		 "\"initrd\": \"%s\","
		 "\"append\": \"console=ttyS0\", \"memory\": \"256M\","
		 "\"vsock\": {\"cid\": 5, \"path\": \"/nowhere\"},"
		 "\"disk\": [{\"path\": \"/no/such/disk\"}]}",
		 f->owner.kernel, f->owner.initrd);
	by_file.config = (char *)owner_put_text(&f->d, "vm.json", json);
	launch(f);
	report(f);
	{
		struct owner_config options = f->owner;

		f->owner = by_file;
		assert_int_equal(verify(f), 0);
		f->owner = options;
	}
}

static void options_override_the_file(void **state)
{
	struct fixture *f = *state;
	char *config = (char *)owner_put_text(
		&f->d, "vm.json", "{\"memory\": \"1G\", \"cpus\": 3}");

	f->host.cpus = 3;
	f->owner.config = config; /* and --memory 256M */
	verified(f);
}

static void another_memory_size_is_named(void **state)
{
	struct fixture *f = *state;

	f->host.memory = (char *)"384M";
	distrusted(f, "it gave the guest 384 MiB of memory");
}

static void another_number_of_cpus_is_named(void **state)
{
	struct fixture *f = *state;

	f->host.cpus = 4;
	distrusted(f, "it gave the guest 4 CPUs");
}

static void a_missing_initrd_is_named(void **state)
{
	struct fixture *f = *state;

	f->host.initrd = NULL;
	distrusted(f, "it left out the initrd");
}

static void other_content_is_refused(void **state)
{
	struct fixture *f = *state;

	put_kernel(f, "other-kernel", FAKE_BZ_CODE_OFF + 9);
	f->host.kernel = (char *)owner_path(&f->d, "other-kernel");
	distrusted(f, "account these differ: kernel");
	f->host.kernel = f->owner.kernel;
	f->host.append = (char *)"console=ttyS0 quiet";
	distrusted(f, "account these differ: cmdline");
	f->host.append = f->owner.append;
	f->host.initrd = (char *)owner_put_text(&f->d, "other", "The initrd");
	distrusted(f, "account these differ: initrd");
	/* longer: it lies elsewhere, too */
	f->host.initrd = (char *)owner_put(&f->d, "other", f->entries, 2000);
	distrusted(f, "account these differ: initrd");
}

static void a_host_that_gives_no_account_is_believed_nothing(void **state)
{
	struct fixture *f = *state;

	f->host.append = (char *)"other";
	launch(f);
	strcpy(f->entries, "");
	report(f);
	owner_assert_err(&f->d, verify(f), -EKEYREJECTED, ERR_INPUT,
			 "other content was launched");
	strcpy(f->entries, "{\"name\":\"kernel\",\"sha256\":\"12\"}");
	report(f);
	owner_assert_err(&f->d, verify(f), -EINVAL, ERR_INPUT, "\"entries\"");
	strcpy(f->entries, "{\"name\":\"a-name-that-is-too-long\"}");
	report(f);
	owner_assert_err(&f->d, verify(f), -EINVAL, ERR_INPUT, "\"entries\"");
}

static void a_uuid_is_part_of_the_plan(void **state)
{
	struct fixture *f = *state;

	f->host.uuid = (char *)"00112233-4455-6677-8899-aabbccddeeff";
	distrusted(f, "account these differ: smbios");
	f->owner.uuid = f->host.uuid;
	verified(f);
}

static void memory_and_cpus_can_be_required(void **state)
{
	struct fixture *f = *state;
	char *words[] = {(char *)"vcpus,memory"};
	char *more[] = {(char *)"registers"};

	f->o.require = (struct owner_texts){words, 1};
	verified(f);
	f->o.require = (struct owner_texts){more, 1};
	owner_assert_err(&f->d, verify(f), -EKEYREJECTED, ERR_INPUT,
			 "--require registers");
}

static void both_forms_of_register_pages_are_an_honest_hosts(void **state)
{
	struct fixture *f = *state;

	f->host_is_es = true;
	for (unsigned int i = 0; i < SEV_VMSA_PROFILES; i++) {
		char name[16] = "";

		f->profile = (enum sev_vmsa_profile)i;
		f->owner.vmsa_profile = NULL;
		verified(f);
		assert_non_null(strstr(owner_output(&f->d), "registers"));
		unlink(owner_path(&f->d, "vm_tik.bin.used"));
		snprintf(name, sizeof(name), "%s", sev_vmsa_profile_name(!i));
		f->owner.vmsa_profile = name;
		launch(f);
		report(f);
		owner_assert_err(&f->d, verify(f), -EKEYREJECTED, ERR_INPUT,
				 "its register pages are those of");
		snprintf(name, sizeof(name), "%s", sev_vmsa_profile_name(i));
		verified(f);
		unlink(owner_path(&f->d, "vm_tik.bin.used"));
	}
	f->owner.vmsa_profile = (char *)"newest";
	owner_assert_err(&f->d, verify(f), -EINVAL, ERR_USAGE,
			 "--vmsa-profile 'newest'");
}

static void inputs_that_are_missing_or_wrong_are_named(void **state)
{
	struct fixture *f = *state;
	struct owner_config all = f->owner;

	launch(f);
	report(f);
	f->owner.kernel = NULL;
	owner_assert_err(&f->d, verify(f), -EINVAL, ERR_USAGE, "--kernel");
	f->owner.kernel = all.initrd;
	owner_assert_err(&f->d, verify(f), -ENOEXEC, ERR_INPUT, "initrd");
	f->owner = all;
	f->owner.memory = (char *)"many";
	owner_assert_err(&f->d, verify(f), -EINVAL, ERR_USAGE, "--memory");
	f->owner.memory = (char *)"8M";
	owner_assert_err(&f->d, verify(f), -ENOSPC, ERR_USAGE, "--memory");
	f->owner = all;
	f->owner.initrd = (char *)"/no/such/file";
	owner_assert_err(&f->d, verify(f), -ENOENT, ERR_INPUT, "/no/such/file");
	f->owner = all;
	f->owner.vmsa = (struct text_list){&all.kernel, 1};
	owner_assert_err(&f->d, verify(f), -EINVAL, ERR_USAGE, "--vmsa");
	f->owner = all;
}

static void measure_prints_the_digest_of_the_plan(void **state)
{
	struct fixture *f = *state;
	AUTO(owner_inputs_destroyp) struct owner_inputs *in = NULL;
	struct owner_measure_opts o = {0};

	launch(f);
	assert_int_equal(owner_inputs_create(&f->owner, &in, &f->d.err), 0);
	o.content = owner_inputs_content(in);
	assert_int_equal(owner_measure(&o, f->d.out, &f->d.err), 0);
	{
		char want[2 * SEV_DIGEST_LEN + 2];

		for (int i = 0; i < 32; i++)
			snprintf(want + 2 * i, 3, "%02x", f->digest[i]);
		strcat(want, "\n");
		assert_string_equal(owner_output(&f->d), want);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		CASE(an_honest_direct_boot_verifies),
		CASE(the_same_inputs_from_a_file_verify),
		CASE(options_override_the_file),
		CASE(another_memory_size_is_named),
		CASE(another_number_of_cpus_is_named),
		CASE(a_missing_initrd_is_named),
		CASE(other_content_is_refused),
		CASE(a_host_that_gives_no_account_is_believed_nothing),
		CASE(a_uuid_is_part_of_the_plan),
		CASE(memory_and_cpus_can_be_required),
		CASE(both_forms_of_register_pages_are_an_honest_hosts),
		CASE(inputs_that_are_missing_or_wrong_are_named),
		CASE(measure_prints_the_digest_of_the_plan),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
