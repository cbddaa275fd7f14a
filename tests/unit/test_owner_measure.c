/* tests/unit/test_owner_measure.c - digests and measurements beforehand. */
#include <errno.h>
#include <string.h>

#include "crypto/base64.h"
#include "tests/fake/fake_image.h"
#include "tests/unit/owner_machine.h"
#include "tests/unit/unit.h"
#include "vmm/base/bytes.h"
#include "vmm/base/hex.h"

static void measure_prints_digest_and_measurement(void **state)
{
	struct machine_fixture *f = *state;
	struct owner_measure_opts o = {.content = f->o.content};
	char hex[65], want[BASE64_TEXT_LEN(48)], text[200];

	machine_launch(f);
	machine_report(f, NULL);
	assert_int_equal(owner_measure(&o, f->d.out, NULL), 0);
	snprintf(text, sizeof(text), "%s\n", hex_format(f->digest, 32, hex));
	assert_string_equal(owner_output(&f->d), text);
	owner_output_clear(&f->d);
	/* of a measurement, only the nonce is taken from the host */
	base64_encode(f->measurement, 48, want);
	memset(f->measurement, 0, 32);
	machine_report(f, NULL);
	o.report = f->o.report;
	o.tik = f->o.tik;
	assert_int_equal(owner_measure(&o, f->d.out, NULL), 0);
	snprintf(text, sizeof(text), "%s\n%s\n", hex, want);
	assert_string_equal(owner_output(&f->d), text);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin.used"), -1);
}

static void measured(struct machine_fixture *f, const char *kernel,
		     const char *initrd, const char *cmdline,
		     char text[static 200])
{
	struct owner_measure_opts o = {.content = f->o.content};

	o.content.kernel = kernel;
	o.content.initrd = initrd;
	o.content.cmdline = cmdline;
	owner_output_clear(&f->d);
	assert_int_equal(owner_measure(&o, f->d.out, NULL), 0);
	assert_in_range(snprintf(text, 200, "%s", owner_output(&f->d)), 1, 199);
}

static void a_unified_image_is_measured_as_its_parts(void **state)
{
	struct machine_fixture *f = *state;
	AUTO(fake_image_destroyp) struct fake_image *bz = fake_bzimage_create();
	AUTO(fake_image_destroyp)
	struct fake_image *u = fake_uki_create(bz->data, bz->len);
	const char *kernel = owner_put(&f->d, "k", bz->data, bz->len);
	const char *initrd = owner_put(&f->d, "i", "initrd", 6);
	const char *whole = owner_put(&f->d, "u", u->data, u->len);
	char parts[200], unified[200];

	measured(f, kernel, initrd, "quiet", parts);
	measured(f, whole, NULL, NULL, unified);
	assert_string_equal(unified, parts);
	measured(f, whole, initrd, "loud", unified);
	assert_string_not_equal(unified, parts);
	measured(f, kernel, initrd, "loud", parts);
	assert_string_equal(unified, parts);
}

static void measure_needs_key_and_launch_together(void **state)
{
	struct machine_fixture *f = *state;
	struct owner_measure_opts o = {.content = f->o.content,
				       .tik = f->o.tik};

	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EINVAL,
			 ERR_USAGE, "needs --tik and the launch");
	machine_launch(f);
	machine_report(f, NULL);
	o.tik = NULL;
	o.report = f->o.report;
	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EINVAL,
			 ERR_USAGE, "needs --tik and the launch");
}

static void pages_are_written_for_other_tools(void **state)
{
	struct machine_fixture *f = *state;
	struct owner_measure_opts o = {.content = f->o.content, .is_es = true};
	struct sev_vmsa_regs regs;
	uint8_t page[SEV_VMSA_LEN], got[SEV_VMSA_LEN];

	o.vmsa_cpu0 = owner_path(&f->d, "cpu0");
	o.content.vmsa = (struct owner_texts){0};
	o.content.cpus = 1;
	o.content.cpu_signature = 0xa00f11;
	o.content.vmsa_profile = "init2";
	assert_int_equal(owner_measure(&o, f->d.out, &f->d.err), 0);
	sev_vmsa_reset_regs(0xfffffff0, 0xa00f11, &regs);
	sev_vmsa_build(&regs, SEV_VMSA_INIT2, page);
	assert_int_equal(owner_get(&f->d, "cpu0", got, sizeof(got)),
			 SEV_VMSA_LEN);
	assert_memory_equal(got, page, SEV_VMSA_LEN);
	/* MXCSR, FCW, and RDX: AMD APM vol. 2, table B-4 */
	assert_int_equal(load_le32(page + 0x408), 0x1f80);
	assert_int_equal(load_le16(page + 0x410), 0x37f);
	assert_int_equal(load_le64(page + 0x310), 0xa00f11);

	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EEXIST,
			 ERR_INPUT, "cpu0");
	o.force = true;
	assert_int_equal(owner_measure(&o, f->d.out, &f->d.err), 0);
	/* of this image nobody knows where a second CPU starts */
	o.vmsa_cpu1 = owner_path(&f->d, "cpu1");
	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err),
			 -ENOTSUP, ERR_INPUT, "second CPU starts");
}

static void pages_that_are_not_made_here_are_not_written(void **state)
{
	struct machine_fixture *f = *state;
	struct owner_measure_opts o = {.content = f->o.content};

	o.vmsa_cpu0 = owner_path(&f->d, "cpu0");
	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EINVAL,
			 ERR_USAGE, "--vmsa-cpu0 and --vmsa-cpu1 write pages");
	o.is_es = true;
	o.content.vmsa = (struct owner_texts){
		(char *[]){(char *)owner_path(&f->d, "page0")}, 1};
	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EINVAL,
			 ERR_USAGE, "--vmsa-cpu0 and --vmsa-cpu1 write pages");
	assert_int_equal(owner_mode(&f->d, "cpu0"), -1);
}

int main(void)
{
#define CASE(f)                                                                \
	cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
	const struct CMUnitTest tests[] = {
		CASE(measure_prints_digest_and_measurement),
		CASE(a_unified_image_is_measured_as_its_parts),
		CASE(measure_needs_key_and_launch_together),
		CASE(pages_are_written_for_other_tools),
		CASE(pages_that_are_not_made_here_are_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
