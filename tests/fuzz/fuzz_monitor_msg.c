/*
 * tests/fuzz/fuzz_monitor_msg.c - messages of a monitor that its guest has
 * taken over, and of a supervisor that lies: the check, and what is behind it.
 *
 * Input: messages one after the other, each a direction and number of
 * descriptors (1 byte), a length (2 bytes) and that many bytes.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/base/err.h"
#include "vmm/monitor/monitor_proto.h"
#include "vmm/monitor/monitor_setup.h"
#include "vmm/vm.h"
#include "vmm/vm_devices.h"

enum { MESSAGES_MAX = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What reached us is used as its receivers use it. */
static void use(const struct monitor_msg *m)
{
	char text[ERR_MSG_MAX];

	if (m->type == MONITOR_MSG_RESULT)
		memcpy(text, m->result.why, sizeof(text));
	else if (m->type == MONITOR_MSG_ERROR)
		memcpy(text, m->error.msg, sizeof(text));
	else
		return;
	monitor_text_clean(text);
	if (strlen(text) >= sizeof(text))
		abort();
}

static void use_counters(const struct monitor_msg_counters *m)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (strlen(m->v[i].device) >= sizeof(m->v[i].device) ||
		    strlen(m->v[i].name) >= sizeof(m->v[i].name))
			abort();
}

static int feed(struct monitor_setup *s, const struct monitor_msg *m,
		size_t n_fds)
{
	int fds[MONITOR_FDS_MAX];
	struct err err = {0};

	for (size_t i = 0; i < n_fds; i++) {
		fds[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fds[i] < 0)
			abort();
	}
	return monitor_setup_take(s, m, fds, n_fds, &err);
}

static void use_setup(struct monitor_setup *s)
{
	struct vm_devices_config d;
	struct vm_params p;

	monitor_setup_vm(s, &p, &d);
	if (p.supported_cpuid->n > CPUID_MAX_ENTRIES)
		abort();
	if (p.cmdline && strlen(p.cmdline) > MONITOR_CMDLINE_MAX)
		abort();
	for (size_t i = 0; i < p.n_oem_strings; i++)
		if (strlen(p.oem_strings[i]) > MONITOR_TEXT_MAX)
			abort();
	for (size_t i = 0; i < d.n_disks; i++)
		if (d.disks[i].serial &&
		    strlen(d.disks[i].serial) >= MONITOR_SERIAL_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	static struct monitor_msg m;
	struct monitor_setup *s = NULL;
	int r = 0;

	if (monitor_setup_create(&s, NULL) < 0)
		return 0;
	for (int i = 0; i < MESSAGES_MAX && fuzz_more(&in) && !r; i++) {
		uint8_t how = fuzz_u8(&in);
		size_t len = fuzz_u16(&in), n_fds = how & 0x1f;
		enum monitor_dir dir =
			how & 0x80 ? MONITOR_TO_SUPERVISOR : MONITOR_TO_MONITOR;

		if (len > sizeof(m))
			len = sizeof(m);
		if (len > in.len)
			len = in.len;
		/* What a receiver's buffer holds behind a message is older. */
		memcpy(&m, in.data, len);
		in.data += len;
		in.len -= len;
		if (monitor_msg_check(&m, len, n_fds, dir) < 0)
			continue;
		use(&m);
		if (m.type == MONITOR_MSG_COUNTERS)
			use_counters(&m.counters);
		if (dir == MONITOR_TO_MONITOR)
			r = feed(s, &m, n_fds);
	}
	if (r == 1)
		use_setup(s);
	monitor_setup_destroy(s);
	return 0;
}
