/*
 * tests/system/evil_monitor.c - takes the place of coffer-monitor, as if a
 * guest had taken it over: says whatever a supervisor could choke on.
 *
 * A coffer beside which it lies under that name starts it. What it does is
 * random; its seed goes to standard error first.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/monitor/monitor_proto.h"

enum { ACTS = 300 };

static struct monitor_msg msg;

static unsigned int below(unsigned int n)
{
	return (unsigned int)lrand48() % n;
}

static void noise(void *p, size_t len)
{
	unsigned char *b = p;

	for (size_t i = 0; i < len; i++)
		b[i] = (unsigned char)lrand48();
}

/* Any bytes, any length, sometimes with descriptors. */
static void send_noise(size_t len, unsigned int n_fds)
{
	union {
		char buf[CMSG_SPACE(32 * sizeof(int))];
		struct cmsghdr align;
	} c = {.buf = {0}};
	struct iovec iov = {&msg, len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n_fds) {
		struct cmsghdr *cm;

		m.msg_control = c.buf;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memset(CMSG_DATA(cm), 0, n_fds * sizeof(int));
	}
	sendmsg(MONITOR_FD_CHANNEL, &m, MSG_NOSIGNAL);
}

/* What monitor_msg_check() likes, and a supervisor may not expect. */
static bool fill(enum monitor_msg_type type)
{
	switch (type) {
	case MONITOR_MSG_STATE:
		msg.state.state = below(3);
		break;
	case MONITOR_MSG_TIMING:
		noise(&msg.timing, sizeof(msg.timing));
		break;
	case MONITOR_MSG_COUNTERS:
		msg.counters.id = below(3);
		msg.counters.last = below(2);
		msg.counters.n = below(MONITOR_COUNTERS_MAX);
		for (uint32_t i = 0; i < msg.counters.n; i++) {
			struct monitor_counter *v = &msg.counters.v[i];

			memset(v->device, 'a' + (int)below(26), 15);
			memset(v->name, 'a' + (int)below(26), 23);
			noise(&v->value, sizeof(v->value));
		}
		break;
	case MONITOR_MSG_RESULT:
		msg.result.how = below(8);
		noise(msg.result.why, sizeof(msg.result.why) - 1);
		break;
	case MONITOR_MSG_ERROR:
		msg.error.kind = below(6);
		msg.error.code = -1 - (int)below(200);
		noise(msg.error.msg, sizeof(msg.error.msg) - 1);
		break;
	case MONITOR_MSG_READY:
	case MONITOR_MSG_EVENT:
		break;
	default: /* zeroes may not do */
		return !below(30);
	}
	return true;
}

/* A message of the right length; rarely with fields of noise. */
static void send_message(enum monitor_msg_type type)
{
	memset(&msg, 0, sizeof(msg));
	if (!below(100))
		noise((char *)&msg + 8, sizeof(msg) - 8);
	msg.type = type;
	if (!fill(type))
		return;
	if ((type == MONITOR_MSG_RESULT || type == MONITOR_MSG_ERROR ||
	     type == MONITOR_MSG_TRAP) &&
	    below(20))
		return; /* they end the talk */
	monitor_msg_send(MONITOR_FD_CHANNEL, &msg, NULL, 0);
}

static void print_noise(void)
{
	char text[4096];

	noise(text, sizeof(text));
	for (unsigned int i = below(40); i; i--)
		if (write(STDERR_FILENO, text, sizeof(text)) < 0)
			return;
}

static void listen_a_little(void)
{
	int fds[MONITOR_FDS_MAX];
	size_t n = 0;

	if (monitor_msg_recv(MONITOR_FD_CHANNEL, MONITOR_TO_MONITOR, &msg, fds,
			     &n) <= 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (below(2)) /* write to what was handed over */
			dprintf(fds[i], "noise");
}

static void act(void)
{
	const unsigned int types =
		MONITOR_MSG_TO_SUPERVISOR_END - MONITOR_MSG_ENCRYPTED;

	switch (below(200)) {
	case 0:
		noise(&msg, sizeof(msg));
		send_noise(below(sizeof(msg)), below(33));
		break;
	case 1:
		print_noise();
		break;
	case 2:
		_exit((int)below(256));
	case 3:
		raise(SIGSTOP);
		break;
	case 4:
		shutdown(MONITOR_FD_CHANNEL, SHUT_RDWR);
		break;
	case 5:
		abort();
	case 6 ... 15:
		listen_a_little();
		break;
	default:
		send_message(MONITOR_MSG_ENCRYPTED + below(types));
		break;
	}
}

int main(void)
{
	unsigned int seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return 1;
	srand48((long)seed);
	dprintf(STDERR_FILENO, "seed %u\n", seed);
	fcntl(MONITOR_FD_CHANNEL, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < ACTS; i++)
		act();
	pause();
	return 0;
}
