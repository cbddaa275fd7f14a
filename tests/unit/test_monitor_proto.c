/* tests/unit/test_monitor_proto.c - each side takes the other for an attacker.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/own.h"
#include "vmm/exit_status.h"
#include "vmm/monitor/monitor_proto.h"

enum { HEAD = 8 };

struct fixture {
	int ends[2];
	struct monitor_msg m;
	int fds[MONITOR_FDS_MAX];
	size_t n_fds;
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f->ends),
		0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_closep(&f->ends[0]);
	fd_closep(&f->ends[1]);
	test_free(f);
	return 0;
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int recv_at_supervisor(struct fixture *f)
{
	return monitor_msg_recv(f->ends[0], MONITOR_TO_SUPERVISOR, &f->m,
				f->fds, &f->n_fds);
}

/* Raw bytes with @n descriptors, as only an attacker sends them. */
static void send_raw(int fd, const void *data, size_t len, size_t n)
{
	union {
		char buf[CMSG_SPACE(64 * sizeof(int))];
		struct cmsghdr align;
	} c = {.buf = {0}};
	struct iovec iov = {(void *)(uintptr_t)data, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n) {
		struct cmsghdr *cm;

		msg.msg_control = c.buf;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		memset(CMSG_DATA(cm), 0, n * sizeof(int)); /* stdin */
	}
	assert_int_equal(sendmsg(fd, &msg, 0), len);
}

static void a_message_arrives_with_its_descriptors(void **state)
{
	struct fixture *f = *state;
	struct monitor_msg m = {.type = MONITOR_MSG_DISK};
	int fd = 0;

	m.disk = (struct monitor_msg_disk){.bytes = 4096,
					   .lun = 3,
					   .block_size = 512,
					   .phys_block_size = 4096,
					   .mem_align = 1,
					   .off_align = 1,
					   .discard_granularity = 512};
	assert_int_equal(monitor_msg_send(f->ends[0], &m, &fd, 1), 0);
	assert_int_equal(monitor_msg_recv(f->ends[1], MONITOR_TO_MONITOR, &f->m,
					  f->fds, &f->n_fds),
			 1);
	assert_int_equal(f->n_fds, 1);
	assert_int_equal(f->m.disk.lun, 3);
	assert_true(fcntl(f->fds[0], F_GETFD) & FD_CLOEXEC);
	close(f->fds[0]);
}

static void the_end_of_the_other_side_is_seen(void **state)
{
	struct fixture *f = *state;
	const struct monitor_msg m = {.type = MONITOR_MSG_READY};

	close(f->ends[1]);
	f->ends[1] = -1;
	assert_int_equal(recv_at_supervisor(f), 0);
	assert_int_equal(monitor_msg_send(f->ends[0], &m, NULL, 0), -EPIPE);
}

static void a_message_of_the_other_direction_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct monitor_msg m = {.type = MONITOR_MSG_PAUSE};

	monitor_msg_send(f->ends[1], &m, NULL, 0);
	assert_int_equal(recv_at_supervisor(f), -EBADMSG);
}

static void descriptors_nobody_asked_for_are_closed(void **state)
{
	struct fixture *f = *state;
	const uint32_t ready[2] = {MONITOR_MSG_READY, 0};
	int before = count_fds();

	send_raw(f->ends[1], ready, sizeof(ready), 1);
	assert_int_equal(recv_at_supervisor(f), -EBADMSG);
	send_raw(f->ends[1], ready, sizeof(ready), 60); /* more than room */
	assert_int_equal(recv_at_supervisor(f), -EBADMSG);
	assert_int_equal(count_fds(), before);
}

static void other_lengths_are_refused(void **state)
{
	struct fixture *f = *state;
	struct monitor_msg m = {.type = MONITOR_MSG_STATE};
	size_t right = HEAD + sizeof(m.state);
	static char huge[sizeof(m) + 1];

	for (size_t len = 0; len <= sizeof(m); len++)
		assert_int_equal(
			monitor_msg_check(&m, len, 0, MONITOR_TO_SUPERVISOR),
			len == right ? 0 : -EBADMSG);
	memcpy(huge, &m, sizeof(m));
	send_raw(f->ends[1], huge, sizeof(huge), 0);
	assert_int_equal(recv_at_supervisor(f), -EBADMSG);
}

static void unknown_types_are_refused(void **state)
{
	struct monitor_msg m = {0};

	(void)state;
	for (uint32_t t = 0; t < 300; t++) {
		m.type = t;
		if (t < MONITOR_MSG_JAIL || t >= MONITOR_MSG_TO_MONITOR_END)
			assert_int_equal(monitor_msg_check(&m, HEAD, 0,
							   MONITOR_TO_MONITOR),
					 -EBADMSG);
		if (t < MONITOR_MSG_ENCRYPTED ||
		    t >= MONITOR_MSG_TO_SUPERVISOR_END)
			assert_int_equal(
				monitor_msg_check(&m, HEAD, 0,
						  MONITOR_TO_SUPERVISOR),
				-EBADMSG);
	}
	m.type = UINT32_MAX;
	assert_int_equal(monitor_msg_check(&m, HEAD, 0, MONITOR_TO_SUPERVISOR),
			 -EBADMSG);
}

static int check_result(uint32_t how, bool ends)
{
	struct monitor_msg m = {.type = MONITOR_MSG_RESULT};

	m.result.how = how;
	memset(m.result.why, 'x', sizeof(m.result.why));
	if (ends)
		m.result.why[sizeof(m.result.why) - 1] = 0;
	return monitor_msg_check(&m, HEAD + sizeof(m.result), 0,
				 MONITOR_TO_SUPERVISOR);
}

static void a_text_without_an_end_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check_result(RUN_POWEROFF, true), 0);
	assert_int_equal(check_result(RUN_POWEROFF, false), -EBADMSG);
}

static void an_end_that_does_not_exist_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check_result(RUN_HOW_COUNT, true), -EBADMSG);
	assert_int_equal(check_result(UINT32_MAX, true), -EBADMSG);
}

static int check_error(uint32_t kind, int32_t code)
{
	struct monitor_msg m = {.type = MONITOR_MSG_ERROR};

	m.error.kind = kind;
	m.error.code = code;
	return monitor_msg_check(&m, HEAD + sizeof(m.error), 0,
				 MONITOR_TO_SUPERVISOR);
}

static void an_error_is_a_negative_errno(void **state)
{
	(void)state;
	assert_int_equal(check_error(ERR_HOST, -ENOMEM), 0);
	assert_int_equal(check_error(ERR_HOST, 0), -EBADMSG);
	assert_int_equal(check_error(ERR_HOST, 1), -EBADMSG);
	assert_int_equal(check_error(ERR_HOST, INT32_MIN), -EBADMSG);
	assert_int_equal(check_error(ERR_BUSY + 1, -ENOMEM), -EBADMSG);
}

static int check_attestation(uint32_t kind, int32_t code, char last)
{
	struct monitor_msg m = {.type = MONITOR_MSG_ATTESTATION};

	m.attestation.kind = kind;
	m.attestation.code = code;
	memset(m.attestation.msg, 'x', sizeof(m.attestation.msg));
	m.attestation.msg[sizeof(m.attestation.msg) - 1] = last;
	return monitor_msg_check(&m, HEAD + sizeof(m.attestation), 0,
				 MONITOR_TO_SUPERVISOR);
}

static void a_report_or_an_error_is_told(void **state)
{
	(void)state;
	assert_int_equal(check_attestation(ERR_UNSET, 0, 0), 0);
	assert_int_equal(check_attestation(ERR_BUSY, -EIO, 0), 0);
	assert_int_equal(check_attestation(ERR_BUSY + 1, -EIO, 0), -EBADMSG);
	assert_int_equal(check_attestation(ERR_HOST, 1, 0), -EBADMSG);
	assert_int_equal(check_attestation(ERR_HOST, INT32_MIN, 0), -EBADMSG);
	assert_int_equal(check_attestation(ERR_HOST, -EIO, 'x'), -EBADMSG);
}

static int check_counter(uint32_t n, const char *device, const char *name)
{
	struct monitor_msg m = {.type = MONITOR_MSG_COUNTERS};

	m.counters.n = n;
	memcpy(m.counters.v[0].device, device, strlen(device));
	memcpy(m.counters.v[0].name, name, strlen(name));
	return monitor_msg_check(&m, HEAD + sizeof(m.counters), 0,
				 MONITOR_TO_SUPERVISOR);
}

static void counters_have_names_that_fit_everywhere(void **state)
{
	(void)state;
	assert_int_equal(check_counter(1, "scsi0.lun1", "read_bytes"), 0);
	assert_int_equal(check_counter(0, "", ""), 0);
	assert_int_equal(check_counter(1, "", "x"), -EBADMSG);
	assert_int_equal(check_counter(1, "a\"b", "x"), -EBADMSG);
	assert_int_equal(check_counter(1, "A", "x"), -EBADMSG);
	assert_int_equal(check_counter(1, "a", "x\n"), -EBADMSG);
	/* 16 bytes and no end */
	assert_int_equal(check_counter(1, "aaaaaaaaaaaaaaaa", "x"), -EBADMSG);
	assert_int_equal(check_counter(MONITOR_COUNTERS_MAX + 1, "a", "x"),
			 -EBADMSG);
	assert_int_equal(check_counter(UINT32_MAX, "a", "x"), -EBADMSG);
}

static void a_text_is_as_long_as_it_says(void **state)
{
	struct monitor_msg m = {.type = MONITOR_MSG_TEXT};
	size_t len = HEAD + sizeof(m.text);

	(void)state;
	memset(m.text.bytes, 'x', sizeof(m.text.bytes));
	m.text.len = MONITOR_TEXT_MAX;
	assert_int_equal(monitor_msg_check(&m, len, 0, MONITOR_TO_MONITOR), 0);
	m.text.len++;
	assert_int_equal(monitor_msg_check(&m, len, 0, MONITOR_TO_MONITOR),
			 -EBADMSG);
	m.text.len = 5;
	m.text.bytes[4] = 0;
	assert_int_equal(monitor_msg_check(&m, len, 0, MONITOR_TO_MONITOR),
			 -EBADMSG);
}

static int check_cpuid(uint32_t n)
{
	struct monitor_msg m = {.type = MONITOR_MSG_CPUID};

	m.cpuid.n = n;
	return monitor_msg_check(&m, HEAD + sizeof(m.cpuid), 0,
				 MONITOR_TO_MONITOR);
}

static void there_are_as_many_leaves_as_fit(void **state)
{
	(void)state;
	assert_int_equal(check_cpuid(CPUID_MAX_ENTRIES), 0);
	assert_int_equal(check_cpuid(CPUID_MAX_ENTRIES + 1), -EBADMSG);
	assert_int_equal(check_cpuid(UINT32_MAX), -EBADMSG);
}

static void what_is_reserved_is_zero(void **state)
{
	struct monitor_msg m = {.type = MONITOR_MSG_READY, .zero = 1};

	(void)state;
	assert_int_equal(monitor_msg_check(&m, HEAD, 0, MONITOR_TO_SUPERVISOR),
			 -EBADMSG);
	m = (struct monitor_msg){.type = MONITOR_MSG_STATE};
	m.state.zero = 1;
	assert_int_equal(monitor_msg_check(&m, HEAD + sizeof(m.state), 0,
					   MONITOR_TO_SUPERVISOR),
			 -EBADMSG);
}

static void text_for_a_terminal_is_cleaned(void **state)
{
	char text[] = "a\x1b[2Jb\n\x7f\xc3\xa9";

	(void)state;
	monitor_text_clean(text);
	assert_string_equal(text, "a?[2Jb??\xc3\xa9");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_message_arrives_with_its_descriptors),
		CASE(the_end_of_the_other_side_is_seen),
		CASE(a_message_of_the_other_direction_is_refused),
		CASE(descriptors_nobody_asked_for_are_closed),
		CASE(other_lengths_are_refused),
		CASE(unknown_types_are_refused),
		CASE(a_text_without_an_end_is_refused),
		CASE(an_end_that_does_not_exist_is_refused),
		CASE(an_error_is_a_negative_errno),
		CASE(a_report_or_an_error_is_told),
		CASE(counters_have_names_that_fit_everywhere),
		CASE(a_text_is_as_long_as_it_says),
		CASE(what_is_reserved_is_zero),
		CASE(there_are_as_many_leaves_as_fit),
		CASE(text_for_a_terminal_is_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
