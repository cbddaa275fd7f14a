/*
 * io_stream connect|listen send|recv BYTES ADDRESS
 *
 * One end of a byte stream over ADDRESS: vsock:CID:PORT, tcp:IPV4:PORT, or
 * unix:PATH. The one that connects prints the nanoseconds from the connection
 * to the last byte, as the receiver has read it: it answers the sender's end
 * with one byte. The one that listens serves one connection after the other,
 * until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUF_LEN = 128 << 10 };

struct address {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_un un;
		struct sockaddr_vm vm;
	};
	socklen_t len;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static bool parse(const char *text, struct address *ret)
{
	unsigned int cid, port, b[4];
	char ip[32];

	memset(ret, 0, sizeof(*ret));
	if (sscanf(text, "vsock:%u:%u", &cid, &port) == 2) {
		ret->vm.svm_family = AF_VSOCK;
		ret->vm.svm_cid = cid;
		ret->vm.svm_port = port;
		ret->len = sizeof(ret->vm);
		return true;
	}
	if (sscanf(text, "tcp:%u.%u.%u.%u:%u", &b[0], &b[1], &b[2], &b[3],
		   &port) == 5 &&
	    port < 65536) {
		snprintf(ip, sizeof(ip), "%u.%u.%u.%u", b[0] & 255, b[1] & 255,
			 b[2] & 255, b[3] & 255);
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons((uint16_t)port);
		ret->len = sizeof(ret->in);
		return inet_pton(AF_INET, ip, &ret->in.sin_addr) == 1;
	}
	if (!strncmp(text, "unix:", 5) &&
	    strlen(text + 5) < sizeof(ret->un.sun_path)) {
		ret->un.sun_family = AF_UNIX;
		strcpy(ret->un.sun_path, text + 5);
		ret->len = sizeof(ret->un);
		return true;
	}
	return false;
}

/* @bytes, the end, and the receiver's word that it has them all. */
static int send_all(int fd, char *buf, uint64_t bytes)
{
	while (bytes) {
		size_t len = bytes < BUF_LEN ? (size_t)bytes : BUF_LEN;
		ssize_t n = write(fd, buf, len);

		if (n < 0)
			return -1;
		bytes -= (uint64_t)n;
	}
	if (shutdown(fd, SHUT_WR) < 0)
		return -1;
	return read(fd, buf, 1) == 1 ? 0 : -1;
}

static int recv_all(int fd, char *buf, uint64_t bytes)
{
	ssize_t n;

	while ((n = read(fd, buf, BUF_LEN)) > 0)
		bytes -= (uint64_t)n;
	if (n < 0)
		return -1;
	if (bytes) {
		errno = EPROTO;
		return -1;
	}
	return write(fd, buf, 1) == 1 ? 0 : -1;
}

static int transfer(int fd, bool send, uint64_t bytes)
{
	static char buf[BUF_LEN];

	return send ? send_all(fd, buf, bytes) : recv_all(fd, buf, bytes);
}

static int serve(int fd, const struct address *a, bool send, uint64_t bytes)
{
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a->sa, a->len) < 0 || listen(fd, 8) < 0) {
		perror("io_stream: listen");
		return 66;
	}
	for (;;) {
		int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (c < 0 || transfer(c, send, bytes) < 0)
			perror("io_stream");
		if (c >= 0)
			close(c);
	}
}

int main(int argc, char **argv)
{
	struct address a;
	uint64_t bytes, begin;
	bool send;
	int fd;

	if (argc != 5 || !parse(argv[4], &a)) {
		fprintf(stderr, "usage: io_stream connect|listen send|recv "
				"BYTES ADDRESS\n");
		return 64;
	}
	send = !strcmp(argv[2], "send");
	bytes = strtoull(argv[3], NULL, 0);
	signal(SIGPIPE, SIG_IGN);
	fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		perror("io_stream: socket");
		return 71;
	}
	if (!strcmp(argv[1], "listen"))
		return serve(fd, &a, send, bytes);
	if (connect(fd, &a.sa, a.len) < 0) {
		perror(argv[4]);
		return 66;
	}
	begin = now_ns();
	if (transfer(fd, send, bytes) < 0) {
		perror(argv[4]);
		return 74;
	}
	printf("%llu\n", (unsigned long long)(now_ns() - begin));
	return 0;
}
