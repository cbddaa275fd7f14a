/* tests/unit/test_doctor.c - checks over a made-up host, and the report. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fake/fake_keys.h"
#include "tests/unit/fake_root.h"
#include "vmm/base/own.h"
#include "vmm/cli/doctor.h"
#include "vmm/kvm/kvm_sys.h"

struct fixture {
	char root[FAKE_ROOT_MAX];
	struct doctor d;
	struct fake_keys keys;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_root_create(f->root);
	doctor_init(&f->d, f->root);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	doctor_close(&f->d);
	fake_root_destroy(f->root);
	free(f);
	return 0;
}

static void only_line(struct fixture *f, const char *name,
		      enum doctor_verdict verdict, const char *fact)
{
	const struct doctor_line *l = &f->d.line[0];

	assert_int_equal(f->d.n, 1);
	assert_string_equal(l->name, name);
	assert_int_equal(l->verdict, verdict);
	assert_non_null(strstr(l->fact, fact));
	assert_true(verdict == DOCTOR_OK ||
		    !strcmp(name, "host.hugepages-1G") || l->fix[0]);
	f->d.n = 0;
}

static void a_missing_kvm_stops_every_guest(void **state)
{
	struct fixture *f = *state;

	doctor_check_kvm_device(&f->d);
	assert_false(doctor_can_start(&f->d));
	only_line(f, "kvm.device", DOCTOR_FAIL, "does not exist");
	/* nothing more is said about a KVM that is not there */
	doctor_check_kvm_api(&f->d);
	doctor_check_kvm_module(&f->d);
	doctor_check_kvm_required(&f->d);
	doctor_check_kvm_optional(&f->d);
	assert_int_equal(f->d.n, 0);
}

static void a_device_that_is_not_kvm_is_recognised(void **state)
{
	struct fixture *f = *state;

	fake_root_put(f->root, "/dev/kvm", "");
	doctor_check_kvm_device(&f->d);
	only_line(f, "kvm.device", DOCTOR_OK, "opens");
	doctor_check_kvm_api(&f->d);
	only_line(f, "kvm.api", DOCTOR_FAIL, "is not KVM");
}

static void a_kvm_without_permission_names_the_group(void **state)
{
	struct fixture *f = *state;
	uid_t me = geteuid();
	char full[64];

	fake_root_put(f->root, "/dev/kvm", "");
	snprintf(full, sizeof(full), "%s/dev/kvm", f->root);
	assert_int_equal(chmod(full, 0020), 0);
	if (!me) { /* to root everything is permitted */
		char dir[64];

		snprintf(dir, sizeof(dir), "%s/dev", f->root);
		assert_int_equal(chmod(f->root, 0711), 0);
		assert_int_equal(chmod(dir, 0711), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	doctor_check_kvm_device(&f->d);
	if (!me)
		assert_int_equal(seteuid(0), 0);
	assert_non_null(strstr(f->d.line[0].fix, "usermod -aG"));
	only_line(f, "kvm.device", DOCTOR_FAIL, "no permission");
}

static void the_kvm_module_is_named(void **state)
{
	struct fixture *f = *state;

	fake_root_put(f->root, "/sys/module/kvm/parameters/x", "1\n");
	fake_root_put(f->root, "/sys/module/kvm_odd/parameters/x", "1\n");
	doctor_check_kvm_module(&f->d);
	only_line(f, "kvm.module", DOCTOR_WARN,
		  "neither kvm_amd nor kvm_intel, but kvm_odd");
	fake_root_put(f->root, "/sys/module/kvm_amd/parameters/nested", "1\n");
	doctor_check_kvm_module(&f->d);
	only_line(f, "kvm.module", DOCTOR_OK, "kvm_amd (nested=1)");
}

static int no_cap(int fd, int cap)
{
	(void)fd;
	(void)cap;
	return 0;
}

static int every_cap(int fd, int cap)
{
	(void)fd;
	(void)cap;
	return 1;
}

static int cap_error(int fd, int cap)
{
	(void)fd;
	(void)cap;
	return -EIO;
}

static void missing_capabilities_are_named(void **state)
{
	struct fixture *f = *state;
	size_t optional = 0;

	f->d.kvm_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	f->d.kvm_cap = no_cap;
	doctor_check_kvm_required(&f->d);
	assert_false(doctor_can_start(&f->d));
	only_line(f, "kvm.required", DOCTOR_FAIL, "KVM_CAP_USER_MEMORY");
	f->d.kvm_cap = cap_error;
	doctor_check_kvm_required(&f->d);
	only_line(f, "kvm.required", DOCTOR_FAIL, "KVM_CAP_USER_MEMORY");
	for (size_t i = 0; i < kvm_n_caps; i++)
		optional += !kvm_caps[i].required;
	f->d.kvm_cap = no_cap;
	doctor_check_kvm_optional(&f->d);
	assert_int_equal(f->d.n, optional + 1);
	assert_int_equal(f->d.line[0].verdict, DOCTOR_WARN);
	assert_true(doctor_can_start(&f->d));
	f->d.n = 0;
	f->d.kvm_cap = every_cap;
	doctor_check_kvm_required(&f->d);
	only_line(f, "kvm.required", DOCTOR_OK, "all ");
	doctor_check_kvm_optional(&f->d);
	only_line(f, "kvm.optional", DOCTOR_OK, " optional capabilities");
}

static void huge_pages_are_counted(void **state)
{
	struct fixture *f = *state;

	fake_root_put(f->root,
		      "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
		      "8\n");
	fake_root_put(
		f->root,
		"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
		"3\n");
	doctor_check_hugepages(&f->d);
	assert_int_equal(f->d.n, 2);
	assert_int_equal(f->d.line[0].verdict, DOCTOR_OK);
	assert_string_equal(f->d.line[0].fact, "3 free of 8 huge pages of 2M");
	assert_int_equal(f->d.line[1].verdict, DOCTOR_WARN);
	f->d.n = 0;
	fake_root_put(
		f->root,
		"/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages",
		"0\n");
	doctor_check_hugepages(&f->d);
	assert_int_equal(f->d.line[0].verdict, DOCTOR_WARN);
	assert_non_null(strstr(f->d.line[0].fix, "nr_hugepages"));
}

static void transparent_huge_pages_have_a_mode(void **state)
{
	struct fixture *f = *state;
	const char *path = "/sys/kernel/mm/transparent_hugepage/enabled";

	doctor_check_thp(&f->d);
	only_line(f, "host.thp", DOCTOR_WARN, "no transparent");
	fake_root_put(f->root, path, "always madvise [never]\n");
	doctor_check_thp(&f->d);
	only_line(f, "host.thp", DOCTOR_WARN, "off");
	fake_root_put(f->root, path, "always [madvise] never\n");
	doctor_check_thp(&f->d);
	only_line(f, "host.thp", DOCTOR_OK, "[madvise]");
}

static void devices_are_opened(void **state)
{
	struct fixture *f = *state;

	doctor_check_tun(&f->d);
	assert_non_null(strstr(f->d.line[0].fix, "modprobe tun"));
	only_line(f, "host.tun", DOCTOR_WARN, "No such file");
	fake_root_put(f->root, "/dev/net/tun", "");
	doctor_check_tun(&f->d);
	only_line(f, "host.tun", DOCTOR_OK, "opens");
	doctor_check_vhost_net(&f->d);
	only_line(f, "host.vhost-net", DOCTOR_WARN, "No such file");
	doctor_check_vhost_vsock(&f->d);
	only_line(f, "host.vhost-vsock", DOCTOR_WARN, "No such file");
}

static void cgroup_v2_is_recognised_by_its_controllers(void **state)
{
	struct fixture *f = *state;

	doctor_check_cgroup(&f->d);
	only_line(f, "host.cgroup", DOCTOR_WARN, "no cgroup v2");
	fake_root_put(f->root, "/sys/fs/cgroup/cgroup.controllers", "");
	doctor_check_cgroup(&f->d);
	only_line(f, "host.cgroup", DOCTOR_OK, "no controllers");
	fake_root_put(f->root, "/sys/fs/cgroup/cgroup.controllers",
		      "cpu memory\n");
	doctor_check_cgroup(&f->d);
	only_line(f, "host.cgroup", DOCTOR_OK, "cpu memory");
}

static void memory_is_read_from_meminfo(void **state)
{
	struct fixture *f = *state;

	fake_root_put(f->root, "/proc/meminfo",
		      "MemTotal:  2048 kB\nMemFree: 1 kB\n"
		      "MemAvailable:  1024 kB\n");
	doctor_check_memory(&f->d);
	only_line(f, "host.memory", DOCTOR_OK, "1 MiB available of 2 MiB");
}

static void every_check_runs_on_this_host(void **state)
{
	struct fixture *f = *state;
	struct doctor d;

	(void)f;
	doctor_init(&d, "");
	doctor_run_all(&d);
	assert_true(d.n >= 10);
	for (size_t i = 0; i < d.n; i++) {
		assert_true(d.line[i].fact[0]);
		for (const char *p = d.line[i].fact; *p; p++)
			assert_true(*p != '\n');
	}
	doctor_close(&d);
}

static char *printed(const struct doctor *d, bool colour)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	doctor_print(d, f, colour);
	fclose(f);
	return text;
}

static void the_report_is_aligned(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) char *text = NULL;
	AUTO(freep) char *colour = NULL;

	doctor_ok(&f->d, "a", "one %d", 1);
	doctor_warn(&f->d, "a.long-name", "do this", "two");
	text = printed(&f->d, false);
	assert_string_equal(text, "ok    a            one 1\n"
				  "warn  a.long-name  two\n"
				  "                   -> do this\n"
				  "\nA guest can start on this host.\n");
	doctor_fail(&f->d, "b", "", "three");
	colour = printed(&f->d, true);
	assert_non_null(strstr(colour, "\033[31mFAIL\033[0m  b"));
	assert_non_null(strstr(colour, "No guest can start"));
}

static void the_json_report_has_the_same_lines(void **state)
{
	struct fixture *f = *state;
	AUTO(freep) char *text = NULL;
	size_t len = 0;
	const char *name, *verdict, *fact, *fix;
	json_t *j, *list;
	FILE *out = open_memstream(&text, &len);
	int can_start = 1;

	doctor_ok(&f->d, "a", "one");
	doctor_fail(&f->d, "b", "do this", "two");
	assert_int_equal(doctor_print_json(&f->d, out), 0);
	fclose(out);
	j = json_loads(text, 0, NULL);
	assert_int_equal(json_unpack(j, "{s:b, s:o}", "can_start", &can_start,
				     "checks", &list),
			 0);
	assert_int_equal(can_start, 0);
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(json_unpack(json_array_get(list, 1),
				     "{s:s, s:s, s:s, s:s}", "name", &name,
				     "verdict", &verdict, "fact", &fact, "fix",
				     &fix),
			 0);
	assert_string_equal(name, "b");
	assert_string_equal(verdict, "fail");
	assert_string_equal(fact, "two");
	assert_string_equal(fix, "do this");
	json_decref(j);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* --- MKTME --------------------------------------------------------------- */

static const struct doctor_line *mktme_line(struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->d.n; i++)
		if (!strcmp(f->d.line[i].name, name))
			return &f->d.line[i];
	return NULL;
}

static void run_mktme(struct fixture *f, int type_answer, int call_answer)
{
	fake_keys_init(&f->keys, 3);
	f->keys.type_answer = type_answer;
	f->keys.call_answer = call_answer;
	f->d.keys = &f->keys.service;
	f->d.n = 0;
	doctor_run_mktme(&f->d);
}

static void a_host_without_mktme_is_asked_one_harmless_question(void **state)
{
	struct fixture *f = *state;

	fake_root_put(f->root, "/proc/cpuinfo",
		      "processor\t: 0\nflags\t\t: fpu vme\n");
	fake_root_put(f->root, "/etc/coffer.conf", "mktme-syscall = 1000\n");
	run_mktme(f, -ENODEV, -ENOKEY);
	assert_int_equal(mktme_line(f, "mktme.cpu")->verdict, DOCTOR_WARN);
	assert_int_equal(mktme_line(f, "mktme.kernel")->verdict, DOCTOR_WARN);
	assert_null(mktme_line(f, "mktme.syscall"));
	assert_null(mktme_line(f, "mktme.firmware"));
	assert_int_equal(f->keys.n_calls, 1);
	assert_int_equal(f->keys.called, 0);
	assert_true(doctor_can_start(&f->d));
}

static void a_host_with_mktme_says_what_it_protects_from(void **state)
{
	struct fixture *f = *state;
	uint8_t msrs[0x982 + 8] = {0};
	char path[128];
	FILE *file;

	fake_root_put(f->root, "/proc/cpuinfo",
		      "flags\t\t: fpu tme vme pconfig\n");
	fake_root_put(f->root, "/etc/coffer.conf", "mktme-syscall = 1000\n");
	fake_root_put(f->root, "/dev/cpu/0/msr", "");
	/* locked, enabled, 6 bits of KeyID of which 2 are TDX's */
	memcpy(msrs + 0x982, (uint8_t[]){3, 0, 0, 0, 0x26, 0, 0, 0}, 8);
	snprintf(path, sizeof(path), "%s/dev/cpu/0/msr", f->root);
	file = fopen(path, "we");
	assert_int_equal(fwrite(msrs, 1, sizeof(msrs), file), sizeof(msrs));
	fclose(file);
	run_mktme(f, 0, -ENOKEY);
	assert_int_equal(mktme_line(f, "mktme.cpu")->verdict, DOCTOR_OK);
	assert_non_null(
		strstr(mktme_line(f, "mktme.firmware")->fact, "15 KeyIDs"));
	assert_non_null(strstr(mktme_line(f, "mktme.kernel")->fact,
			       "encrypted against physical attack; not "
			       "protected from the host"));
	assert_int_equal(mktme_line(f, "mktme.syscall")->verdict, DOCTOR_OK);
	assert_int_equal(f->keys.called, 1000);
	assert_non_null(mktme_line(f, "mktme.keys"));
}

static void what_is_wrong_with_the_number_is_said(void **state)
{
	struct fixture *f = *state;

	run_mktme(f, 0, -ENOKEY);
	assert_non_null(
		strstr(mktme_line(f, "mktme.syscall")->fact, "not set"));
	assert_int_equal(f->keys.called, 0);
	fake_root_put(f->root, "/etc/coffer.conf", "mktme-syscall = 436\n");
	run_mktme(f, 0, -ENOKEY);
	assert_non_null(
		strstr(mktme_line(f, "mktme.syscall")->fact, "close_range"));
	assert_int_equal(f->keys.called, 0);
	fake_root_put(f->root, "/etc/coffer.conf", "mktme-syscall = 1000\n");
	run_mktme(f, 0, -ENOSYS);
	assert_non_null(
		strstr(mktme_line(f, "mktme.syscall")->fact, "no call"));
	run_mktme(f, -EACCES, 0);
	assert_non_null(
		strstr(mktme_line(f, "mktme.kernel")->fix, "CAP_SYS_RESOURCE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_missing_kvm_stops_every_guest),
		CASE(a_device_that_is_not_kvm_is_recognised),
		CASE(a_kvm_without_permission_names_the_group),
		CASE(the_kvm_module_is_named),
		CASE(missing_capabilities_are_named),
		CASE(huge_pages_are_counted),
		CASE(transparent_huge_pages_have_a_mode),
		CASE(devices_are_opened),
		CASE(cgroup_v2_is_recognised_by_its_controllers),
		CASE(memory_is_read_from_meminfo),
		CASE(every_check_runs_on_this_host),
		CASE(the_report_is_aligned),
		CASE(the_json_report_has_the_same_lines),
		CASE(a_host_without_mktme_is_asked_one_harmless_question),
		CASE(a_host_with_mktme_says_what_it_protects_from),
		CASE(what_is_wrong_with_the_number_is_said),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
