/*
 * Both ends of streams whose every byte is checked; runs in guests and in the
 * outer machine.
 *
 * stream-tool serve ADDR             answers the others, for ever
 * stream-tool push ADDR N BYTES      N connections at once, BYTES to the server
 * stream-tool get ADDR N BYTES       likewise, from it
 * stream-tool churn ADDR N           opens and closes N connections, eight at a
 *                                    time, in every state of their life
 * stream-tool stall ADDR BYTES       push and get beside two connections on
 *                                    which nobody reads
 * stream-tool refused ADDR           nobody is there
 *
 * ADDR  tcp:IP:PORT   vsock:CID:PORT   unix:PATH
 *       via:PATH:PORT a unix socket on which "CONNECT PORT" leads further
 *
 * A connection begins with a request of REQUEST bytes. Who sends the stream
 * then closes its direction, and the other answers over the one that is left:
 * every transfer is half-closed for a while. Before a push the server says that
 * it is ready: Debian 12's passt resets a connection of the guest's after half
 * a minute in which the server has said nothing at all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

enum {
	CHUNK = 65536,
	REQUEST = 17, /* what, length, seed */
	PATIENCE = 60,
	CHURN_THREADS = 8,
	STREAMS_MAX = 256,
	STACK = 256 << 10,
};

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_vm vm;
		struct sockaddr_un un;
	};
	socklen_t len;
	const char *via; /* port to ask for, or NULL */
};

struct request {
	char what; /* 'p'ush, 'g'et, 's'tall */
	uint64_t len, seed;
};

static uint8_t noise[2 * CHUNK];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t word_at(uint64_t seed, uint64_t i)
{
	uint64_t z = (seed + i) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
	return z ^ z >> 29;
}

/*
 * The bytes of stream @seed at @pos, a multiple of CHUNK: a window of its own
 * onto the same noise. To make each byte anew took longer than to send it.
 */
static const uint8_t *piece(uint64_t seed, uint64_t pos)
{
	return noise + word_at(seed, pos / CHUNK) % CHUNK;
}

static void make_noise(void)
{
	for (uint64_t i = 0; i < sizeof(noise) / 8; i++) {
		uint64_t w = word_at(0, i);

		memcpy(noise + 8 * i, &w, 8);
	}
}

static int write_all(int fd, const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n > 0) {
		ssize_t r = send(fd, b, n, MSG_NOSIGNAL);

		if (r <= 0)
			return -1;
		b += r;
		n -= (size_t)r;
	}
	return 0;
}

/* Up to @n bytes, less only at the end of the stream. */
static ssize_t read_all(int fd, void *p, size_t n)
{
	uint8_t *b = p;
	size_t have = 0;

	while (have < n) {
		ssize_t r = recv(fd, b + have, n - have, 0);

		if (r < 0)
			return -1;
		if (r == 0)
			break;
		have += (size_t)r;
	}
	return (ssize_t)have;
}

static int send_stream(int fd, const struct request *q)
{
	for (uint64_t pos = 0; pos < q->len; pos += CHUNK) {
		size_t n = q->len - pos < CHUNK ? q->len - pos : CHUNK;

		if (write_all(fd, piece(q->seed, pos), n) < 0)
			return -1;
	}
	return shutdown(fd, SHUT_WR);
}

/* 0 when it is all there, as it was sent, and ends there. */
static int check_stream(int fd, const struct request *q)
{
	uint8_t buf[CHUNK];
	uint64_t pos = 0;
	ssize_t n;

	while ((n = read_all(fd, buf, CHUNK)) > 0) {
		if (memcmp(buf, piece(q->seed, pos), (size_t)n) != 0) {
			fprintf(stderr, "wrong bytes after %llu\n",
				(unsigned long long)pos);
			return -1;
		}
		pos += (uint64_t)n;
	}
	if (n < 0)
		perror("recv");
	else if (pos != q->len)
		fprintf(stderr, "%llu bytes, not %llu\n",
			(unsigned long long)pos, (unsigned long long)q->len);
	return n < 0 || pos != q->len ? -1 : 0;
}

static int set_time_limits(int fd)
{
	const struct timeval t = {.tv_sec = PATIENCE};

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
			       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t,
					  sizeof(t)) < 0
		       ? -1
		       : 0;
}

static void parse(const char *text, struct address *ret)
{
	char *s = strdup(text);
	char *rest = s ? strchr(s, ':') : NULL;
	char *port = rest ? strrchr(rest + 1, ':') : NULL;

	*ret = (struct address){0};
	if (!rest)
		die(text);
	*rest++ = '\0';
	if (strcmp(s, "unix") != 0) {
		if (!port)
			die(text);
		*port++ = '\0';
	}
	if (strcmp(s, "tcp") == 0) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons((uint16_t)atoi(port));
		if (inet_pton(AF_INET, rest, &ret->in.sin_addr) != 1)
			die(text);
		ret->len = sizeof(ret->in);
	} else if (strcmp(s, "vsock") == 0) {
		ret->vm.svm_family = AF_VSOCK;
		ret->vm.svm_cid = (uint32_t)strtoul(rest, NULL, 10);
		ret->vm.svm_port = (uint32_t)strtoul(port, NULL, 10);
		ret->len = sizeof(ret->vm);
	} else {
		ret->un.sun_family = AF_UNIX;
		if (strlen(rest) >= sizeof(ret->un.sun_path))
			die(text);
		strcpy(ret->un.sun_path, rest);
		ret->len = sizeof(ret->un);
		ret->via = strcmp(s, "via") == 0 ? strdup(port) : NULL;
	}
	free(s);
}

/* "CONNECT port", and the answer. */
static int ask_for(int fd, const char *port)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "CONNECT %s\n", port);
	size_t have = 0;

	if (write_all(fd, line, (size_t)n) < 0)
		return -1;
	while (have < sizeof(line) - 1) {
		if (read_all(fd, line + have, 1) != 1)
			break;
		if (line[have++] == '\n')
			return strncmp(line, "OK ", 3) == 0 ? 0 : -1;
	}
	errno = ECONNREFUSED;
	return -1;
}

/* Connected, or -1. Many do it at once, slowly: the usual two seconds of
 * vsock are too short. */
static int dial(const struct address *a)
{
	const struct timeval t = {.tv_sec = PATIENCE};
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || set_time_limits(fd) < 0)
		die("socket");
	if (a->any.sa_family == AF_VSOCK)
		(void)setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT,
				 &t, sizeof(t));
	if (connect(fd, &a->any, a->len) < 0 ||
	    (a->via && ask_for(fd, a->via) < 0)) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

static int send_request(int fd, const struct request *q)
{
	uint8_t b[REQUEST] = {(uint8_t)q->what};

	memcpy(b + 1, &q->len, 8);
	memcpy(b + 9, &q->seed, 8);
	return write_all(fd, b, REQUEST);
}

/* The client's part of one push or get. */
static int transfer(const struct address *a, const struct request *q)
{
	int fd = dial(a);
	char verdict = 'x';
	int r;

	if (fd < 0)
		return -1;
	r = send_request(fd, q);
	if (r == 0 && q->what == 'p')
		r = read_all(fd, &verdict, 1) != 1 || verdict != 'r' ||
				    send_stream(fd, q) < 0 ||
				    read_all(fd, &verdict, 1) != 1 ||
				    verdict != 'k'
			    ? -1
			    : 0;
	else if (r == 0)
		r = check_stream(fd, q) < 0 || write_all(fd, "k", 1) < 0 ? -1
									 : 0;
	close(fd);
	return r;
}

/* Nothing is read until the client is gone. */
static void stall(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	while (poll(&p, 1, -1) >= 0 &&
	       !(p.revents & (POLLRDHUP | POLLHUP | POLLERR)))
		;
}

static void *serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	uint8_t b[REQUEST];
	struct request q;
	char verdict;

	if (read_all(fd, b, REQUEST) == REQUEST) {
		q.what = (char)b[0];
		memcpy(&q.len, b + 1, 8);
		memcpy(&q.seed, b + 9, 8);
		if (q.what == 'p') {
			(void)write_all(fd, "r", 1);
			verdict = check_stream(fd, &q) == 0 ? 'k' : 'x';
			(void)write_all(fd, &verdict, 1);
		} else if (q.what == 'g') {
			/* the client judges; its answer shows the way back */
			if (send_stream(fd, &q) == 0)
				(void)read_all(fd, &verdict, 1);
		} else {
			stall(fd);
		}
	}
	close(fd);
	return NULL;
}

static pthread_t start(void *(*f)(void *), void *arg, int detached)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	if (detached)
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, &attr, f, arg) != 0)
		die("pthread_create");
	pthread_attr_destroy(&attr);
	return t;
}

static _Noreturn void serve_main(const struct address *a, const char *name)
{
	int l = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	if (a->any.sa_family == AF_INET)
		(void)setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &yes,
				 sizeof(yes));
	if (l < 0 || bind(l, &a->any, a->len) < 0 || listen(l, STREAMS_MAX) < 0)
		die(name);
	printf("serving %s\n", name);
	fflush(stdout);
	for (;;) {
		int fd = accept(l, NULL, NULL);

		if (fd < 0)
			die("accept");
		(void)start(serve_one, (void *)(intptr_t)fd, 1);
	}
}

struct job {
	const struct address *a;
	struct request q;
	unsigned int n;
	int result;
};

static void *transfer_job(void *arg)
{
	struct job *j = arg;

	j->result = transfer(j->a, &j->q);
	if (j->result < 0)
		perror("transfer");
	return NULL;
}

/* @n of the kind @first at once, each with a seed of its own. */
static int run_jobs(void *(*f)(void *), const struct job *first, unsigned int n)
{
	static struct job jobs[STREAMS_MAX];
	pthread_t threads[STREAMS_MAX];
	int failed = 0;

	if (!n || n > STREAMS_MAX)
		return 64;
	for (unsigned int i = 0; i < n; i++) {
		jobs[i] = *first;
		jobs[i].q.seed = (uint64_t)(i + 1) << 40;
		threads[i] = start(f, &jobs[i], 0);
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		failed += jobs[i].result < 0;
	}
	printf("%u of %u streams failed\n", failed, n);
	return failed ? 1 : 0;
}

/* Leave at once, after asking, in the middle of the answer, or at the end. */
static void *churn_job(void *arg)
{
	struct job *j = arg;
	char some[100];

	for (unsigned int i = 0; i < j->n && j->result == 0; i++) {
		const struct request q = {'g', i % 4 == 2 ? 1 << 20 : 1000, i};
		int fd;

		if (i % 4 == 3) {
			j->result = transfer(j->a, &q);
			continue;
		}
		fd = dial(j->a);
		if (fd < 0 || (i % 4 > 0 && send_request(fd, &q) < 0) ||
		    (i % 4 > 1 && read_all(fd, some, sizeof(some)) <= 0))
			j->result = -1;
		close(fd);
	}
	if (j->result < 0)
		perror("churn");
	return NULL;
}

static int stall_main(const struct address *a, uint64_t len)
{
	static uint8_t zeros[CHUNK];
	const struct request deaf = {'s', 0, 0}, unread = {'g', 1 << 30, 1};
	int to = dial(a), from = dial(a);
	int r;

	if (to < 0 || from < 0 || send_request(to, &deaf) < 0 ||
	    send_request(from, &unread) < 0)
		die("stall");
	while (send(to, zeros, CHUNK, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
	/* Room comes as what is on the way arrives; until there is none. */
	for (struct pollfd p = {.fd = to, .events = POLLOUT};
	     poll(&p, 1, 300) > 0 && !(p.revents & (POLLERR | POLLHUP));)
		if (send(to, zeros, CHUNK, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
		    errno != EAGAIN)
			die("stall: send");
	r = run_jobs(transfer_job, &(struct job){.a = a, .q = {'p', len, 0}},
		     1);
	if (r == 0)
		r = run_jobs(transfer_job,
			     &(struct job){.a = a, .q = {'g', len, 0}}, 1);
	close(to);
	close(from);
	return r;
}

static int refused_main(const struct address *a)
{
	int fd = dial(a);

	if (fd >= 0) {
		fprintf(stderr, "somebody is there\n");
		return 1;
	}
	if (errno == ECONNREFUSED || errno == ECONNRESET)
		return 0;
	perror("no refusal");
	return 1;
}

int main(int argc, char **argv)
{
	struct job job = {0};
	struct address a;

	if (argc < 3) {
		fprintf(stderr, "usage: see the source\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	make_noise();
	parse(argv[2], &a);
	job.a = &a;
	if (strcmp(argv[1], "serve") == 0)
		serve_main(&a, argv[2]);
	if (strcmp(argv[1], "refused") == 0)
		return refused_main(&a);
	if (argc == 4 && strcmp(argv[1], "stall") == 0)
		return stall_main(&a, strtoull(argv[3], NULL, 0));
	if (argc == 4 && strcmp(argv[1], "churn") == 0) {
		job.n = (unsigned int)atoi(argv[3]) / CHURN_THREADS;
		return run_jobs(churn_job, &job, CHURN_THREADS);
	}
	if (argc != 5)
		return 64;
	job.q.what = argv[1][0];
	job.q.len = strtoull(argv[4], NULL, 0);
	return run_jobs(transfer_job, &job, (unsigned int)atoi(argv[3]));
}
