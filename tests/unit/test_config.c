/* tests/unit/test_config.c - the options of `coffer run`. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/config.h"
#include "vmm/config_firmware.h"

enum { ARGS_MAX = 80 };

/* Arguments end with NULL; the kernel is always given. */
static int parse_args(struct run_config *c, struct err *err, va_list ap)
{
	char *argv[ARGS_MAX] = {(char *)"run", (char *)"-k", (char *)"vmlinuz"};
	enum option_outcome outcome;
	int argc = 3, r;
	const char *a;

	while ((a = va_arg(ap, const char *)))
		argv[argc++] = (char *)a;
	run_config_init(c);
	memset(err, 0, sizeof(*err));
	r = option_parse_args(&run_option_table, argc, argv, c, &outcome, err);
	return r < 0 ? r : run_config_finish(c, err);
}

static void parses(struct run_config *c, ...)
{
	struct err err;
	va_list ap;

	va_start(ap, c);
	assert_int_equal(parse_args(c, &err, ap), 0);
	va_end(ap);
	assert_int_equal(err.code, 0);
}

static void refuses(const char *message, ...)
{
	struct run_config c;
	struct err err;
	va_list ap;

	va_start(ap, message);
	assert_int_equal(parse_args(&c, &err, ap), -EINVAL);
	va_end(ap);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.msg, message);
	run_config_destroy(&c);
}

static void a_kernel_is_enough(void **state)
{
	struct run_config c;

	(void)state;
	parses(&c, NULL);
	assert_string_equal(c.kernel, "vmlinuz");
	assert_null(c.initrd);
	assert_null(c.append); /* a unified image has its own */
	assert_true(c.memory.size == MIB(512));
	assert_int_equal(c.memory.hugepages, 0);
	assert_int_equal(c.cpus, 1);
	assert_int_equal(c.console.kind, CONSOLE_STDIO);
	assert_int_equal(c.timeout_ms, 0);
	assert_int_equal(c.stop_timeout_ms, 10000);
	assert_int_equal(c.on_reboot, ON_REBOOT_EXIT);
	assert_false(c.uuid.given);
	run_config_destroy(&c);
}

static void without_a_kernel_nothing_starts(void **state)
{
	struct run_config c;
	struct err err = {0};

	(void)state;
	run_config_init(&c);
	assert_int_equal(run_config_finish(&c, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(strncmp(err.msg, "--kernel: ", 10), 0);
	run_config_destroy(&c);
}

static void a_guest_of_sev_starts_with_stage0(void **state)
{
	static const struct {
		const char *protect, *firmware, *name;
	} cases[] = {
		{"none", NULL, "none"},	       {"mktme", NULL, "none"},
		{"sev", NULL, "stage0"},       {"sev-es", NULL, "stage0"},
		{"sev", "none", "none"},       {"none", "stage0", "stage0"},
		{"sev", "OVMF.fd", "OVMF.fd"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *f = cases[i].firmware;
		struct run_config c;

		parses(&c, "--protect", cases[i].protect,
		       f ? "--firmware" : NULL, f, NULL);
		assert_string_equal(config_firmware_name(&c), cases[i].name);
		run_config_destroy(&c);
	}
	/* It starts the other CPUs of SEV-ES, which Linux alone cannot. */
	refuses("--cpus: SEV-ES without firmware runs one CPU; Linux cannot "
		"start the others",
		"--protect", "sev-es", "-c", "2", "--firmware", "none", NULL);
	refuses("--nvram: is for --firmware FILE; stage0 keeps no variables",
		"--protect", "sev", "--nvram", "vars", NULL);
}

static void memory_has_suboptions(void **state)
{
	struct run_config c;

	(void)state;
	parses(&c, "-m", "3G,hugepages=1G,prefault,shared", NULL);
	assert_true(c.memory.size == GIB(3));
	assert_true(c.memory.hugepages == GIB(1));
	assert_true(c.memory.prefault && c.memory.shared);
	run_config_destroy(&c);
	parses(&c, "-m", "2M", NULL);
	assert_true(c.memory.size == MEM_RAM_MIN);
	run_config_destroy(&c);
	parses(&c, "-m", "506G", NULL);
	assert_true(c.memory.size == MEM_RAM_MAX);
	run_config_destroy(&c);
}

static void a_cgroup_is_auto_or_a_whole_path(void **state)
{
	struct run_config c;

	(void)state;
	parses(&c, "--cgroup", "/sys/fs/cgroup/a.slice,weight=300", NULL);
	assert_string_equal(c.cgroup.where, "/sys/fs/cgroup/a.slice");
	assert_int_equal(c.cgroup.weight, 300);
	run_config_destroy(&c);
	parses(&c, "--cgroup", "auto", NULL);
	assert_string_equal(c.cgroup.where, "auto");
	assert_int_equal(c.cgroup.weight, 0);
	run_config_destroy(&c);
	refuses("--cgroup: 'guests' is neither auto nor a whole path, such as "
		"/sys/fs/cgroup/guests.slice",
		"--cgroup", "guests", NULL);
	refuses("--cgroup: 'where' is missing", "--cgroup", "weight=5", NULL);
	refuses("--cgroup: weight: '10001' is too large; at most 10000 is "
		"possible",
		"--cgroup", "auto,weight=10001", NULL);
}

static void impossible_memory_is_refused(void **state)
{
	(void)state;
	refuses("--memory: '0' is too small; at least 2M is needed", "-m", "0",
		NULL);
	refuses("--memory: '1M' is too small; at least 2M is needed", "-m",
		"1M", NULL);
	refuses("--memory: '507G' is too large; at most 506G is possible", "-m",
		"507G", NULL);
	refuses("--memory: '99999999999G' is too large; at most 506G is "
		"possible",
		"-m", "99999999999G", NULL);
	refuses("--memory: '1X' is not a size (try 512M)", "-m", "1X", NULL);
	refuses("--memory: 4194305 bytes are not a multiple of 4K (try 4100K)",
		"-m", "4194305", NULL);
	refuses("--memory: 3145728 bytes are not a multiple of 2M (try 4M)",
		"-m", "3M,hugepages=2M", NULL);
	refuses("--memory: hugepages: '4M' is not a size of huge pages (2M or "
		"1G)",
		"-m", "512M,hugepages=4M", NULL);
	refuses("--memory: hugepages: '4K' is too small; at least 2M is needed",
		"-m", "512M,hugepages=4K", NULL);
	refuses("--memory: 'prefualt' is unknown (did you mean 'prefault'?)",
		"-m", "512M,prefualt", NULL);
	refuses("--memory: 'size' is missing", "-m", "hugepages=2M", NULL);
	refuses("--memory: an empty item (write a comma that belongs to a "
		"value twice)",
		"-m", "", NULL);
}

static void cpus_are_1_to_64(void **state)
{
	struct run_config c;

	(void)state;
	parses(&c, "-c", "64", NULL);
	assert_int_equal(c.cpus, 64);
	run_config_destroy(&c);
	refuses("--cpus: '0' is too small; at least 1 is needed", "-c", "0",
		NULL);
	refuses("--cpus: '65' is too large; at most 64 is possible", "-c", "65",
		NULL);
	refuses("--cpus: 'two' is not a number", "-c", "two", NULL);
}

static void the_console_is_one_of_five(void **state)
{
	static const struct {
		const char *text;
		enum console_kind kind;
		const char *path;
	} kinds[] = {
		{"stdio", CONSOLE_STDIO, NULL},
		{"pty", CONSOLE_PTY, NULL},
		{"none", CONSOLE_NONE, NULL},
		{"file=a,,b", CONSOLE_FILE, "a,b"},
		{"unix=/run/x", CONSOLE_UNIX, "/run/x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct run_config c;

		parses(&c, "--console", kinds[i].text, NULL);
		assert_int_equal(c.console.kind, kinds[i].kind);
		if (kinds[i].path)
			assert_string_equal(c.console.path, kinds[i].path);
		else
			assert_null(c.console.path);
		run_config_destroy(&c);
	}
}

static void impossible_consoles_are_refused(void **state)
{
	static const char one[] = "--console: give exactly one of stdio, "
				  "file=PATH, unix=PATH, pty, none";
	char path[128];

	(void)state;
	refuses(one, "--console", "stdio,pty", NULL);
	refuses(one, "--console", "stdio=off", NULL);
	refuses(one, "--console", "file=a,unix=b", NULL);
	refuses("--console: 'file' needs a value: file=PATH", "--console",
		"file", NULL);
	refuses("--console: file: the path is empty", "--console",
		"file=", NULL);
	refuses("--console: 'studio' is unknown (did you mean 'stdio'?)",
		"--console", "studio", NULL);
	memcpy(path, "unix=", 5);
	memset(path + 5, 'x', 108);
	path[5 + 108] = 0;
	refuses("--console: unix: the path is 108 bytes long; a socket's name "
		"holds 107",
		"--console", path, NULL);
}

static void times_are_seconds(void **state)
{
	struct run_config c;

	(void)state;
	parses(&c, "--timeout", "0.5", "--stop-timeout", "0", NULL);
	assert_int_equal(c.timeout_ms, 500);
	assert_int_equal(c.stop_timeout_ms, 0);
	run_config_destroy(&c);
	refuses("--timeout: '1m' is not a number of seconds (try 60 or 0.5)",
		"--timeout", "1m", NULL);
	refuses("--timeout: '31536001' is too large; at most 31536000 is "
		"possible",
		"--timeout", "31536001", NULL);
}

static void a_uuid_is_kept_in_the_order_of_its_text(void **state)
{
	static const uint8_t bytes[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
					  0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb,
					  0xcc, 0xdd, 0xee, 0xff};
	struct run_config c;

	(void)state;
	parses(&c, "--uuid", "00112233-4455-6677-8899-aAbBcCdDeEfF", NULL);
	assert_true(c.uuid.given);
	assert_memory_equal(c.uuid.bytes, bytes, sizeof(bytes));
	run_config_destroy(&c);
}

static void what_is_not_a_uuid_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"00112233-4455-6677-8899-aabbccddeef",
		"00112233-4455-6677-8899-aabbccddeefff",
		"00112233-4455-6677-8899_aabbccddeeff",
		"0011223344556677-8899-aabb-ccddeeff",
		"0g112233-4455-6677-8899-aabbccddeeff",
		"{0112233-4455-6677-8899-aabbccddeeff}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char message[160];

		snprintf(message, sizeof(message),
			 "--uuid: '%s' is not a UUID (8-4-4-4-12 hexadecimal "
			 "digits; uuidgen makes one)",
			 bad[i]);
		refuses(message, "--uuid", bad[i], NULL);
	}
}

static void oem_strings_repeat(void **state)
{
	struct run_config c;

	(void)state;
	parses(&c, "--oem-string", "a=b,c", "--oem-string", "d", NULL);
	assert_int_equal(c.oem_strings.n, 2);
	assert_string_equal(c.oem_strings.v[0], "a=b,c");
	assert_string_equal(c.oem_strings.v[1], "d");
	run_config_destroy(&c);
	refuses("--oem-string: the text is empty", "--oem-string", "", NULL);
}

static void quiet_and_verbose_contradict(void **state)
{
	(void)state;
	refuses("--quiet: contradicts --verbose", "-q", "-v", NULL);
}

static void a_restart_can_be_chosen(void **state)
{
	struct run_config c;

	(void)state;
	parses(&c, "--on-reboot", "restart", NULL);
	assert_int_equal(c.on_reboot, ON_REBOOT_RESTART);
	run_config_destroy(&c);
	refuses("--on-reboot: 'halt' is not one of exit, restart",
		"--on-reboot", "halt", NULL);
}

static void input_files_are_opened(void **state)
{
	struct run_config c;
	struct err err = {0};

	(void)state;
	parses(&c, "-i", "/nonexistent/initrd", NULL);
	free(c.kernel);
	c.kernel = strdup("/proc/self/exe");
	assert_int_equal(run_config_open(&c, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.msg,
			    "initrd '/nonexistent/initrd' does not exist");
	assert_true(c.kernel_file.fd >= 0);
	assert_true(c.kernel_file.size > 0);
	run_config_destroy(&c);
	assert_int_equal(c.kernel_file.fd, -1);
}

static void json_fills_the_same_fields(void **state)
{
	static const char text[] =
		"{\"kernel\": \"k\", \"memory\": {\"size\": \"1G\","
		"\"hugepages\": \"2M\"}, \"console\": {\"unix\": \"s\"},"
		"\"oem-string\": [\"x\"], \"on-reboot\": \"restart\","
		"\"stop-timeout\": 2.5, \"debug-exit\": true}";
	struct run_config c;

	(void)state;
	run_config_init(&c);
	assert_int_equal(option_parse_json(&run_option_table, text,
					   sizeof(text) - 1, NULL, &c, NULL),
			 0);
	assert_string_equal(c.kernel, "k");
	assert_true(c.memory.size == GIB(1));
	assert_true(c.memory.hugepages == MIB(2));
	assert_int_equal(c.console.kind, CONSOLE_UNIX);
	assert_string_equal(c.console.path, "s");
	assert_int_equal(c.oem_strings.n, 1);
	assert_int_equal(c.on_reboot, ON_REBOOT_RESTART);
	assert_int_equal(c.stop_timeout_ms, 2500);
	assert_true(c.debug_exit);
	run_config_destroy(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_is_enough),
		cmocka_unit_test(without_a_kernel_nothing_starts),
		cmocka_unit_test(a_guest_of_sev_starts_with_stage0),
		cmocka_unit_test(memory_has_suboptions),
		cmocka_unit_test(a_cgroup_is_auto_or_a_whole_path),
		cmocka_unit_test(impossible_memory_is_refused),
		cmocka_unit_test(cpus_are_1_to_64),
		cmocka_unit_test(the_console_is_one_of_five),
		cmocka_unit_test(impossible_consoles_are_refused),
		cmocka_unit_test(times_are_seconds),
		cmocka_unit_test(a_uuid_is_kept_in_the_order_of_its_text),
		cmocka_unit_test(what_is_not_a_uuid_is_refused),
		cmocka_unit_test(oem_strings_repeat),
		cmocka_unit_test(quiet_and_verbose_contradict),
		cmocka_unit_test(a_restart_can_be_chosen),
		cmocka_unit_test(input_files_are_opened),
		cmocka_unit_test(json_fills_the_same_fields),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
