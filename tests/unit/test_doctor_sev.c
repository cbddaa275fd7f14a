/* tests/unit/test_doctor_sev.c - every layer of SEV, there and missing. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fake/fake_psp.h"
#include "tests/unit/fake_root.h"
#include "vmm/base/err.h"
#include "vmm/cli/doctor.h"

struct fixture {
	char root[FAKE_ROOT_MAX];
	struct doctor d;
};

/* What the made-up host has; doctor's questions carry no argument. */
static struct {
	bool has_leaf;
	unsigned int leaf[4];
	struct sev_dev dev;
	int open_error;
	int usable, vm_types;
} host;

static bool fake_leaf(unsigned int regs[static 4])
{
	memcpy(regs, host.leaf, sizeof(host.leaf));
	return host.has_leaf;
}

static int fake_open(const char *path, struct sev_dev *ret, struct err *err)
{
	assert_non_null(strstr(path, "/dev/sev"));
	if (host.open_error)
		return err_set(err, host.open_error, "%s", path);
	*ret = host.dev;
	return 0;
}

static int fake_usable(int kvm_fd)
{
	(void)kvm_fd;
	return host.usable;
}

static int fake_cap(int kvm_fd, int cap)
{
	(void)kvm_fd;
	assert_int_equal(cap, DOCTOR_CAP_VM_TYPES);
	return host.vm_types;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_root_create(f->root);
	doctor_init(&f->d, f->root);
	f->d.sev_leaf = fake_leaf;
	f->d.sev_open = fake_open;
	f->d.sev_usable = fake_usable;
	f->d.kvm_cap = fake_cap;
	fake_psp_reset();
	memset(&host, 0, sizeof(host));
	host.has_leaf = true;
	/* SEV and SEV-ES; C-bit 51, 5 bits fewer; ASIDs 1..509, ES below 100 */
	host.leaf[0] = 0xa;
	host.leaf[1] = 51 | 5 << 6;
	host.leaf[2] = 509;
	host.leaf[3] = 100;
	host.dev = fake_psp_dev;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->d.kvm_fd = -1; /* a made-up number */
	doctor_close(&f->d);
	fake_root_destroy(f->root);
	free(f);
	return 0;
}

/* Run @check: its line @i is this one. */
static void says(struct fixture *f, doctor_check_fn *check, size_t i,
		 const char *name, enum doctor_verdict verdict,
		 const char *fact)
{
	const struct doctor_line *l = &f->d.line[i];

	f->d.n = 0;
	fake_psp.n = 0;
	check(&f->d);
	assert_true(i < f->d.n);
	if (strcmp(l->name, name) != 0 || l->verdict != verdict ||
	    !strstr(l->fact, fact))
		fail_msg("%s (%d) '%s', expected %s (%d) '%s'", l->name,
			 (int)l->verdict, l->fact, name, (int)verdict, fact);
	/* no guest needs SEV to start */
	assert_true(doctor_can_start(&f->d));
}

static void fix_is(struct fixture *f, size_t i, const char *fix)
{
	if (!strstr(f->d.line[i].fix, fix))
		fail_msg("'%s' lacks '%s'", f->d.line[i].fix, fix);
}

static void the_cpu_says_what_it_has(void **state)
{
	struct fixture *f = *state;

	says(f, doctor_check_sev_cpu, 0, "sev.cpu", DOCTOR_OK,
	     "C-bit 51, addresses lose 5 bits");
	says(f, doctor_check_sev_cpu, 1, "sev.cpu-es", DOCTOR_OK, "SEV-ES");
	assert_null(strstr(f->d.line[1].fact, "SNP"));
	host.leaf[0] |= 1 << 4;
	says(f, doctor_check_sev_cpu, 1, "sev.cpu-es", DOCTOR_OK, "SEV-SNP");
	host.leaf[0] = 2;
	says(f, doctor_check_sev_cpu, 1, "sev.cpu-es", DOCTOR_WARN,
	     "no SEV-ES");
	host.leaf[0] = 1; /* SME only */
	says(f, doctor_check_sev_cpu, 0, "sev.cpu", DOCTOR_WARN, "no AMD SEV");
	assert_int_equal(f->d.n, 1);
	host.has_leaf = false;
	says(f, doctor_check_sev_cpu, 0, "sev.cpu", DOCTOR_WARN, "no AMD SEV");
	doctor_check_sev_asids(&f->d);
	assert_int_equal(f->d.n, 1); /* and no word of ASIDs */
}

static void asids_are_divided_by_the_firmware_setup(void **state)
{
	struct fixture *f = *state;

	says(f, doctor_check_sev_asids, 0, "sev.asids", DOCTOR_OK,
	     "509 ASIDs: 410 for plain SEV, 99 for SEV-ES");
	host.leaf[3] = 1;
	says(f, doctor_check_sev_asids, 0, "sev.asids", DOCTOR_WARN,
	     "none for SEV-ES");
	fix_is(f, 0, "minimum SEV non-ES ASID");
	host.leaf[3] = 510;
	says(f, doctor_check_sev_asids, 0, "sev.asids", DOCTOR_WARN,
	     "none for plain SEV");
	host.leaf[3] = 509;
	says(f, doctor_check_sev_asids, 0, "sev.asids", DOCTOR_OK,
	     "1 for plain SEV, 508 for SEV-ES");
}

static void asids_in_use_are_counted_where_the_kernel_does(void **state)
{
	struct fixture *f = *state;

	doctor_check_sev_use(&f->d);
	assert_int_equal(f->d.n, 0);
	fake_root_put(f->root, "/sys/fs/cgroup/misc.capacity",
		      "sev 410\nsev_es 99\n");
	says(f, doctor_check_sev_use, 0, "sev.free", DOCTOR_OK,
	     "does not say how many");
	fake_root_put(f->root, "/sys/fs/cgroup/misc.current",
		      "sev 10\nsev_es 99\n");
	says(f, doctor_check_sev_use, 0, "sev.free", DOCTOR_OK,
	     "400 of 410 ASIDs for SEV guests are free");
	says(f, doctor_check_sev_use, 1, "sev.free-es", DOCTOR_WARN,
	     "all 99 ASIDs for SEV-ES guests are in use");
	fake_root_put(f->root, "/sys/fs/cgroup/misc.capacity", "nonsense\n");
	f->d.n = 0;
	doctor_check_sev_use(&f->d);
	assert_int_equal(f->d.n, 0);
}

static void the_module_may_have_it_off(void **state)
{
	struct fixture *f = *state;

	says(f, doctor_check_sev_module, 0, "sev.module", DOCTOR_WARN,
	     "is not loaded, or has no parameter sev");
	fake_root_put(f->root, "/sys/module/kvm_amd/parameters/sev", "Y\n");
	fake_root_put(f->root, "/sys/module/kvm_amd/parameters/sev_es", "0\n");
	says(f, doctor_check_sev_module, 0, "sev.module", DOCTOR_OK, "sev=Y");
	says(f, doctor_check_sev_module, 1, "sev.module-es", DOCTOR_WARN,
	     "sev_es=0");
	fix_is(f, 1, "kvm_amd sev_es=1");
	fake_root_put(f->root, "/sys/module/kvm_amd/parameters/sev_es", "1\n");
	says(f, doctor_check_sev_module, 1, "sev.module-es", DOCTOR_OK, "=1");
}

static void the_device_may_be_missing_or_closed(void **state)
{
	struct fixture *f = *state;

	host.open_error = -ENOENT;
	says(f, doctor_check_sev_device, 0, "sev.device", DOCTOR_WARN,
	     "does not open");
	fix_is(f, 0, "ccp");
	assert_int_equal(f->d.n, 1);
	host.open_error = -EACCES;
	says(f, doctor_check_sev_device, 0, "sev.device", DOCTOR_WARN,
	     "Permission denied");
	fix_is(f, 0, "udev");
	host.open_error = 0;
	host.dev.writable = false;
	says(f, doctor_check_sev_device, 0, "sev.device", DOCTOR_WARN,
	     "not for writing");
	host.dev.writable = true;
	host.dev.is_device = false;
	says(f, doctor_check_sev_device, 0, "sev.device", DOCTOR_WARN,
	     "SIMULATED");
}

static void the_platform_has_a_state(void **state)
{
	struct fixture *f = *state;

	says(f, doctor_check_sev_device, 1, "sev.platform", DOCTOR_OK,
	     "API 1.55 build 24, state WORKING, owned, 3 guests");
	says(f, doctor_check_sev_device, 2, "sev.platform-es", DOCTOR_OK,
	     "with SEV-ES");
	fake_psp.flags = 0;
	says(f, doctor_check_sev_device, 2, "sev.platform-es", DOCTOR_WARN,
	     "without SEV-ES");
	fix_is(f, 2, "sev_es=1");
	fake_psp.state = SEV_PLATFORM_UNINIT;
	says(f, doctor_check_sev_device, 2, "sev.platform-es", DOCTOR_OK,
	     "not initialised yet");
	fake_psp.fail_at = 1;
	fake_psp.fail_errno = EIO;
	fake_psp.status = 0x13;
	says(f, doctor_check_sev_device, 1, "sev.platform", DOCTOR_WARN,
	     "HWERROR_PLATFORM");
}

static void kvm_offers_one_way_or_another(void **state)
{
	struct fixture *f = *state;

	doctor_check_sev_kvm(&f->d);
	assert_int_equal(f->d.n, 0); /* without a KVM */
	f->d.kvm_fd = 99;
	host.usable = -ENOTTY;
	says(f, doctor_check_sev_kvm, 0, "sev.kvm", DOCTOR_WARN, "disabled");
	fix_is(f, 0, "sev.module");
	assert_int_equal(f->d.n, 1);
	host.usable = 0;
	says(f, doctor_check_sev_kvm, 1, "sev.way", DOCTOR_OK, "KVM_SEV_INIT");
	says(f, doctor_check_sev_kvm, 2, "sev.way-es", DOCTOR_OK,
	     "KVM_SEV_ES_INIT");
	host.vm_types = 1 << 0 | 1 << 2 | 1 << 3;
	says(f, doctor_check_sev_kvm, 2, "sev.way-es", DOCTOR_OK,
	     "KVM_SEV_INIT2");
	host.vm_types = 1 << 0 | 1 << 2; /* with SNP on, newer firmware */
	says(f, doctor_check_sev_kvm, 1, "sev.way", DOCTOR_OK, "INIT2");
	says(f, doctor_check_sev_kvm, 2, "sev.way-es", DOCTOR_WARN, "");
	fix_is(f, 2, "sev.asids");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_cpu_says_what_it_has),
		CASE(asids_are_divided_by_the_firmware_setup),
		CASE(asids_in_use_are_counted_where_the_kernel_does),
		CASE(the_module_may_have_it_off),
		CASE(the_device_may_be_missing_or_closed),
		CASE(the_platform_has_a_state),
		CASE(kvm_offers_one_way_or_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
