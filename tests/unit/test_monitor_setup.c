/* tests/unit/test_monitor_setup.c - messages become the parameters of a VM. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "devices/virtio/scsi_file.h"
#include "vmm/base/err.h"
#include "vmm/monitor/monitor_setup.h"
#include "vmm/vm.h"
#include "vmm/vm_devices.h"

struct fixture {
	struct monitor_setup *s;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	assert_int_equal(monitor_setup_create(&f->s, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	monitor_setup_destroy(f->s);
	test_free(f);
	return 0;
}

static int take(struct fixture *f, const struct monitor_msg *m, size_t n_fds)
{
	int fds[MONITOR_FDS_MAX] = {0};

	for (size_t i = 0; i < n_fds; i++)
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	return monitor_setup_take(f->s, m, fds, n_fds, &f->err);
}

static int take_type(struct fixture *f, enum monitor_msg_type type,
		     size_t n_fds)
{
	const struct monitor_msg m = {.type = type};

	return take(f, &m, n_fds);
}

static int take_vm(struct fixture *f, uint32_t flags)
{
	struct monitor_msg m = {.type = MONITOR_MSG_VM};

	m.vm = (struct monitor_msg_vm){
		.ram_bytes = 1 << 24, .n_cpus = 2, .flags = flags};
	return take(f, &m, 1);
}

static int take_text(struct fixture *f, enum monitor_text kind,
		     const char *text)
{
	struct monitor_msg m = {.type = MONITOR_MSG_TEXT};

	m.text.kind = kind;
	m.text.len = (uint32_t)strlen(text);
	memcpy(m.text.bytes, text, m.text.len);
	return take(f, &m, 0);
}

static int take_cpuid(struct fixture *f, uint32_t n)
{
	struct monitor_msg m = {.type = MONITOR_MSG_CPUID};

	m.cpuid.n = n;
	for (uint32_t i = 0; i < n; i++)
		m.cpuid.e[i].function = i;
	return take(f, &m, 0);
}

static void the_least_is_a_vm_what_cpuid_says_and_a_kernel(void **state)
{
	struct fixture *f = *state;
	struct vm_devices_config d;
	struct vm_params p;

	assert_int_equal(take_vm(f, 0), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_FILE, 1), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_START, 0), -EPROTO);
	assert_int_equal(take_cpuid(f, CPUID_MAX_ENTRIES), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_START, 0), 1);
	monitor_setup_vm(f->s, &p, &d);
	assert_int_equal(p.n_cpus, 2);
	assert_int_equal(p.supported_cpuid->n, CPUID_MAX_ENTRIES);
	assert_int_equal(p.supported_cpuid->e[CPUID_MAX_ENTRIES - 1].function,
			 CPUID_MAX_ENTRIES - 1);
	assert_null(p.cmdline);
	assert_int_equal(d.n_disks + d.n_nets + d.vsock_cid, 0);
}

static void nothing_comes_before_the_vm(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_type(f, MONITOR_MSG_FILE, 1), -EPROTO);
	assert_int_equal(take_type(f, MONITOR_MSG_START, 0), -EPROTO);
	assert_int_equal(f->err.kind, ERR_INTERNAL);
}

static void a_start_without_a_kernel_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_vm(f, 0), 0);
	assert_int_equal(take_cpuid(f, 1), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_START, 0), -EPROTO);
}

static void nothing_comes_twice(void **state)
{
	struct fixture *f = *state;
	struct monitor_msg vsock = {.type = MONITOR_MSG_VSOCK};

	assert_int_equal(take_vm(f, 0), 0);
	assert_int_equal(take_vm(f, 0), -EPROTO);
	assert_int_equal(take_type(f, MONITOR_MSG_FILE, 1), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_FILE, 1), -EPROTO);
	assert_int_equal(take_type(f, MONITOR_MSG_CONSOLE, 1), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_CONSOLE, 1), -EPROTO);
	vsock.vsock.cid = 3;
	assert_int_equal(take(f, &vsock, 1), 0);
	assert_int_equal(take(f, &vsock, 1), -EPROTO);
	assert_int_equal(take_cpuid(f, 1), 0);
	assert_int_equal(take_cpuid(f, 1), -EPROTO);
}

static void the_command_line_is_put_together(void **state)
{
	struct fixture *f = *state;
	struct vm_devices_config d;
	struct vm_params p;

	assert_int_equal(take_vm(f, MONITOR_VM_CMDLINE), 0);
	monitor_setup_vm(f->s, &p, &d);
	assert_string_equal(p.cmdline, "");
	assert_int_equal(take_text(f, MONITOR_TEXT_CMDLINE, "console="), 0);
	assert_int_equal(take_text(f, MONITOR_TEXT_OEM, "one"), 0);
	assert_int_equal(take_text(f, MONITOR_TEXT_CMDLINE, "ttyS0"), 0);
	assert_int_equal(take_text(f, MONITOR_TEXT_OEM, "two"), 0);
	monitor_setup_vm(f->s, &p, &d);
	assert_string_equal(p.cmdline, "console=ttyS0");
	assert_int_equal(p.n_oem_strings, 2);
	assert_string_equal(p.oem_strings[1], "two");
}

static void there_is_an_end_to_text(void **state)
{
	struct fixture *f = *state;
	char piece[MONITOR_TEXT_MAX + 1];

	memset(piece, 'x', MONITOR_TEXT_MAX);
	piece[MONITOR_TEXT_MAX] = 0;
	assert_int_equal(take_vm(f, 0), 0);
	for (int i = 0; i < MONITOR_CMDLINE_MAX / MONITOR_TEXT_MAX; i++)
		assert_int_equal(take_text(f, MONITOR_TEXT_CMDLINE, piece), 0);
	assert_int_equal(take_text(f, MONITOR_TEXT_CMDLINE, "x"), -EPROTO);
	for (int i = 0; i < MONITOR_OEM_MAX; i++)
		assert_int_equal(take_text(f, MONITOR_TEXT_OEM, "x"), 0);
	assert_int_equal(take_text(f, MONITOR_TEXT_OEM, "x"), -EPROTO);
}

static void there_is_an_end_to_devices(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_vm(f, 0), 0);
	for (int i = 0; i < MONITOR_DISKS_MAX; i++)
		assert_int_equal(take_type(f, MONITOR_MSG_DISK, 1), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_DISK, 1), -EPROTO);
	for (int i = 0; i < MONITOR_NETS_MAX; i++)
		assert_int_equal(take_type(f, MONITOR_MSG_NET, 2), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_NET, 2), -EPROTO);
}

static void a_stream_is_one_socket(void **state)
{
	struct fixture *f = *state;
	struct monitor_msg m = {.type = MONITOR_MSG_NET};

	m.net.flags = MONITOR_NET_STREAM;
	assert_int_equal(take_vm(f, 0), 0);
	assert_int_equal(take(f, &m, 2), -EPROTO);
	assert_int_equal(take(f, &m, 1), 0);
}

static void what_belongs_to_a_running_guest_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(take_vm(f, 0), 0);
	assert_int_equal(take_type(f, MONITOR_MSG_RESUME, 0), -EPROTO);
	assert_int_equal(take_type(f, MONITOR_MSG_END, 0), -EPROTO);
	assert_int_equal(take_type(f, MONITOR_MSG_JAIL, 0), -EPROTO);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_least_is_a_vm_what_cpuid_says_and_a_kernel),
		CASE(nothing_comes_before_the_vm),
		CASE(a_start_without_a_kernel_is_refused),
		CASE(nothing_comes_twice),
		CASE(the_command_line_is_put_together),
		CASE(there_is_an_end_to_text),
		CASE(there_is_an_end_to_devices),
		CASE(a_stream_is_one_socket),
		CASE(what_belongs_to_a_running_guest_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
