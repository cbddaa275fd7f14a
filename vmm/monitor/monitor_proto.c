/* vmm/monitor/monitor_proto.c - messages that are looked at before use. */
#include "vmm/monitor/monitor_proto.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/mktme_syscall.h"
#include "vmm/base/own.h"
#include "vmm/base/thread_start.h"
#include "vmm/exit_status.h"

enum {
	HEAD = offsetof(struct monitor_msg, jail),
	FLAG_BITS_JAIL = MONITOR_JAIL_ON | MONITOR_JAIL_USER,
	FLAG_BITS_VM = MONITOR_VM_PAUSED * 2 - 1,
	FLAG_BITS_LAUNCH = MONITOR_LAUNCH_DEVICE * 2 - 1,
	FLAG_BITS_DISK = MONITOR_DISK_BLOCK_DEV * 2 - 1,
	FLAG_BITS_NET = MONITOR_NET_VNET_HDR * 2 - 1,
	ERRNO_MAX = 4095, /* Linux, include/linux/err.h: MAX_ERRNO */
};

/* --- fields -------------------------------------------------------------- */

static bool ends(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool is_word(const char *text, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._";

	return ends(text, size) && *text && !text[strspn(text, allowed)];
}

static bool no_bits_but(uint32_t flags, uint32_t known)
{
	return !(flags & ~known);
}

static bool check_jail(const struct monitor_msg *m)
{
	return no_bits_but(m->jail.flags, FLAG_BITS_JAIL) &&
	       m->jail.seccomp <= MONITOR_SECCOMP_OFF;
}

static bool check_vm(const struct monitor_msg *m)
{
	return no_bits_but(m->vm.flags, FLAG_BITS_VM) && m->vm.n_cpus &&
	       m->vm.n_cpus <= MONITOR_CPUS_MAX;
}

static bool check_launch(const struct monitor_msg *m)
{
	const struct monitor_msg_launch *l = &m->launch;

	return (l->kind == LAUNCH_SEV || l->kind == LAUNCH_SEV_ES) &&
	       no_bits_but(l->flags, FLAG_BITS_LAUNCH) && !l->zero &&
	       l->c_bit_reduction < 64;
}

static bool check_file(const struct monitor_msg *m)
{
	return m->file.kind < MONITOR_FILE_COUNT && !m->file.zero &&
	       ends(m->file.label, sizeof(m->file.label));
}

static bool check_text(const struct monitor_msg *m)
{
	return m->text.kind <= MONITOR_TEXT_OEM &&
	       m->text.len <= MONITOR_TEXT_MAX &&
	       !memchr(m->text.bytes, 0, m->text.len);
}

static bool check_disk(const struct monitor_msg *m)
{
	return no_bits_but(m->disk.flags, FLAG_BITS_DISK) && !m->disk.zero &&
	       ends(m->disk.serial, sizeof(m->disk.serial));
}

static bool check_net(const struct monitor_msg *m)
{
	return no_bits_but(m->net.flags, FLAG_BITS_NET) &&
	       m->net.mtu <= UINT16_MAX && !m->net.zero[0] && !m->net.zero[1];
}

static bool check_vsock(const struct monitor_msg *m)
{
	return m->vsock.vhost <= 1 && !m->vsock.zero && m->vsock.cid;
}

static bool check_console(const struct monitor_msg *m)
{
	return m->console.input <= 1 && !m->console.zero;
}

static bool check_mktme(const struct monitor_msg *m)
{
	return m->mktme.serial > 0 &&
	       !mktme_syscall_check(m->mktme.syscall, NULL);
}

static bool check_cpuid(const struct monitor_msg *m)
{
	return m->cpuid.n <= CPUID_MAX_ENTRIES && !m->cpuid.zero;
}

static bool check_encrypted(const struct monitor_msg *m)
{
	return m->encrypted.verified <= 1 && !m->encrypted.zero;
}

static bool check_end(const struct monitor_msg *m)
{
	return m->end.how < RUN_HOW_COUNT && !m->end.zero &&
	       ends(m->end.why, sizeof(m->end.why));
}

static bool check_get_counters(const struct monitor_msg *m)
{
	return m->get_counters.id != 0;
}

static bool check_secret(const struct monitor_msg *m)
{
	return m->secret.len && m->secret.len <= MONITOR_SECRET_MAX;
}

static bool check_resize(const struct monitor_msg *m)
{
	return m->resize.bytes && m->resize.bytes <= INT64_MAX &&
	       m->resize.lun <= MONITOR_LUN_MAX && !m->resize.zero;
}

static bool check_state(const struct monitor_msg *m)
{
	return m->state.state <= MONITOR_STATE_LAUNCH && !m->state.zero;
}

static bool check_event(const struct monitor_msg *m)
{
	return m->event.kind < MONITOR_EVENT_COUNT && !m->event.zero &&
	       is_word(m->event.device, sizeof(m->event.device));
}

static bool check_counters(const struct monitor_msg *m)
{
	if (m->counters.n > MONITOR_COUNTERS_MAX || m->counters.last > 1)
		return false;
	for (uint32_t i = 0; i < m->counters.n; i++) {
		const struct monitor_counter *c = &m->counters.v[i];

		if (!is_word(c->device, sizeof(c->device)) ||
		    !is_word(c->name, sizeof(c->name)))
			return false;
	}
	return true;
}

static bool check_launch_info(const struct monitor_msg *m)
{
	const struct launch_info *i = &m->launch_info;

	if (i->n_entries > LAUNCH_INFO_ENTRIES)
		return false;
	for (uint32_t k = 0; k < i->n_entries; k++)
		if (!is_word(i->entry[k].name, sizeof(i->entry[k].name)))
			return false;
	return i->kind != LAUNCH_PLAIN && launch_kind_name(i->kind) &&
	       launch_state_name(i->state) && launch_origin_name(i->origin) &&
	       launch_firmware_name(i->firmware) &&
	       launch_secret_format_name(i->secret_format) &&
	       i->attested <= 1 && i->measured <= 1 && i->emulated <= 1 &&
	       i->init2 <= 1;
}

static bool check_launch_answer(const struct monitor_msg *m)
{
	return m->launch_answer.kind <= ERR_BUSY &&
	       m->launch_answer.code <= 0 &&
	       m->launch_answer.code >= -ERRNO_MAX &&
	       ends(m->launch_answer.msg, sizeof(m->launch_answer.msg));
}

static bool check_attestation(const struct monitor_msg *m)
{
	return m->attestation.kind <= ERR_BUSY && m->attestation.code <= 0 &&
	       m->attestation.code >= -ERRNO_MAX &&
	       ends(m->attestation.msg, sizeof(m->attestation.msg));
}

static bool check_trap(const struct monitor_msg *m)
{
	return m->trap.kind < THREAD_KIND_COUNT && m->trap.logged <= 1 &&
	       !m->trap.zero && ends(m->trap.thread, sizeof(m->trap.thread));
}

static bool check_result(const struct monitor_msg *m)
{
	return m->result.how < RUN_HOW_COUNT && !m->result.zero &&
	       ends(m->result.why, sizeof(m->result.why));
}

static bool check_error(const struct monitor_msg *m)
{
	return m->error.kind <= ERR_BUSY && m->error.code < 0 &&
	       m->error.code >= -ERRNO_MAX &&
	       ends(m->error.msg, sizeof(m->error.msg));
}

/* --- messages ------------------------------------------------------------ */

struct rule {
	bool known;
	size_t body;
	size_t min_fds, max_fds;
	bool (*check)(const struct monitor_msg *m); /* NULL: nothing to see */
};

#define BODY(f) sizeof(((struct monitor_msg *)NULL)->f)
#define RULE(f, min, max)                                                      \
	{                                                                      \
		true, BODY(f), min, max, check_##f                             \
	}
#define EMPTY                                                                  \
	{                                                                      \
		true, 0, 0, 0, NULL                                            \
	}

static const struct rule to_monitor[] = {
	[MONITOR_MSG_JAIL] = RULE(jail, 0, 0),
	[MONITOR_MSG_VM] = RULE(vm, 1, 1),
	[MONITOR_MSG_LAUNCH] = RULE(launch, 1, 1),
	[MONITOR_MSG_FILE] = RULE(file, 1, 1),
	[MONITOR_MSG_TEXT] = RULE(text, 0, 0),
	[MONITOR_MSG_DISK] = RULE(disk, 1, 1),
	[MONITOR_MSG_NET] = RULE(net, 1, MONITOR_FDS_MAX),
	[MONITOR_MSG_VSOCK] = RULE(vsock, 1, 1),
	[MONITOR_MSG_CONSOLE] = RULE(console, 1, 1),
	[MONITOR_MSG_MKTME] = RULE(mktme, 0, 0),
	[MONITOR_MSG_START] = EMPTY,
	[MONITOR_MSG_PAUSE] = EMPTY,
	[MONITOR_MSG_RESUME] = EMPTY,
	[MONITOR_MSG_POWER_BUTTON] = EMPTY,
	[MONITOR_MSG_END] = RULE(end, 0, 0),
	[MONITOR_MSG_GET_COUNTERS] = RULE(get_counters, 0, 0),
	[MONITOR_MSG_SECRET] = RULE(secret, 0, 0),
	[MONITOR_MSG_FINISH] = EMPTY,
	[MONITOR_MSG_ATTEST] = {true, BODY(attest), 0, 0, NULL},
	[MONITOR_MSG_RESIZE] = RULE(resize, 0, 0),
	[MONITOR_MSG_CPUID] = RULE(cpuid, 0, 0),
};
static_assert(ARRAY_SIZE(to_monitor) == MONITOR_MSG_TO_MONITOR_END, "rules");

#define BACK(type) [(type)-MONITOR_MSG_ENCRYPTED]

static const struct rule to_supervisor[] = {
	BACK(MONITOR_MSG_ENCRYPTED) = RULE(encrypted, 0, 0),
	BACK(MONITOR_MSG_READY) = EMPTY,
	BACK(MONITOR_MSG_STATE) = RULE(state, 0, 0),
	BACK(MONITOR_MSG_TIMING) = {true, BODY(timing), 0, 0, NULL},
	BACK(MONITOR_MSG_EVENT) = RULE(event, 0, 0),
	BACK(MONITOR_MSG_COUNTERS) = RULE(counters, 0, 0),
	BACK(MONITOR_MSG_LAUNCH_INFO) = RULE(launch_info, 0, 0),
	BACK(MONITOR_MSG_LAUNCH_ANSWER) = RULE(launch_answer, 0, 0),
	BACK(MONITOR_MSG_ATTESTATION) = RULE(attestation, 0, 0),
	BACK(MONITOR_MSG_TRAP) = RULE(trap, 0, 0),
	BACK(MONITOR_MSG_RESULT) = RULE(result, 0, 0),
	BACK(MONITOR_MSG_ERROR) = RULE(error, 0, 0),
};
static_assert(ARRAY_SIZE(to_supervisor) ==
		      MONITOR_MSG_TO_SUPERVISOR_END - MONITOR_MSG_ENCRYPTED,
	      "rules");

static const struct rule *find_rule(uint32_t type, enum monitor_dir dir)
{
	const struct rule *r = NULL;

	if (dir == MONITOR_TO_MONITOR && type < ARRAY_SIZE(to_monitor))
		r = &to_monitor[type];
	else if (dir == MONITOR_TO_SUPERVISOR &&
		 type >= MONITOR_MSG_ENCRYPTED &&
		 type - MONITOR_MSG_ENCRYPTED < ARRAY_SIZE(to_supervisor))
		r = &to_supervisor[type - MONITOR_MSG_ENCRYPTED];
	return r && r->known ? r : NULL;
}

int monitor_msg_check(const struct monitor_msg *m, size_t len, size_t n_fds,
		      enum monitor_dir dir)
{
	const struct rule *r;

	if (len < HEAD || m->zero)
		return -EBADMSG;
	r = find_rule(m->type, dir);
	if (!r || len != HEAD + r->body || n_fds < r->min_fds ||
	    n_fds > r->max_fds)
		return -EBADMSG;
	return !r->check || r->check(m) ? 0 : -EBADMSG;
}

/* --- the channel --------------------------------------------------------- */

union control {
	char buf[CMSG_SPACE(MONITOR_FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

int monitor_msg_send(int channel, const struct monitor_msg *m, const int *fds,
		     size_t n_fds)
{
	const struct rule *r = find_rule(m->type, MONITOR_TO_MONITOR);
	uint32_t head[2] = {m->type, 0};
	struct iovec iov[2] = {{head, sizeof(head)}};
	union control c;
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t n;

	if (!r)
		r = find_rule(m->type, MONITOR_TO_SUPERVISOR);
	assert(r && n_fds <= MONITOR_FDS_MAX);
	iov[1] = (struct iovec){(char *)(uintptr_t)m + HEAD, r->body};
	if (n_fds) {
		struct cmsghdr *cm;

		memset(&c, 0, sizeof(c));
		msg.msg_control = c.buf;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(channel, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Collect the descriptors of @msg in @fds. */
static size_t take_fds(struct msghdr *msg, int fds[static MONITOR_FDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(msg); cm;
	     cm = CMSG_NXTHDR(msg, cm)) {
		size_t count;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (count > MONITOR_FDS_MAX - n) /* there is room for no more */
			count = MONITOR_FDS_MAX - n;
		memcpy(fds + n, CMSG_DATA(cm), count * sizeof(int));
		n += count;
	}
	return n;
}

int monitor_msg_recv(int channel, enum monitor_dir dir, struct monitor_msg *ret,
		     int fds[static MONITOR_FDS_MAX], size_t *ret_n_fds)
{
	struct iovec iov = {ret, sizeof(*ret)};
	union control c;
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = c.buf,
			     .msg_controllen = sizeof(c.buf)};
	size_t n_fds;
	ssize_t n;

	do
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	n_fds = take_fds(&msg, fds);
	if (n == 0 && !n_fds)
		return 0; /* an empty message counts as the end, too */
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    monitor_msg_check(ret, (size_t)n, n_fds, dir) < 0) {
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		return -EBADMSG;
	}
	*ret_n_fds = n_fds;
	return 1;
}

/*
 * Terminals obey the C1 controls, too: U+0080 to U+009F, which are 0xc2 and one
 * more byte in UTF-8, or a byte alone. Names of files in UTF-8 stay readable.
 */
static bool is_control(unsigned char c, unsigned char before)
{
	if (c < 0x20 || c == 0x7f)
		return true;
	return c >= 0x80 && c < 0xa0 && (before < 0x80 || before == 0xc2);
}

void monitor_text_clean(char *text)
{
	unsigned char before = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (is_control(c, before))
			*text = '?';
		before = c;
	}
}
