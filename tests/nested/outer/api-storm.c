/*
 * tests/nested/outer/api-storm.c - many requests to a control socket, valid and
 * not, from several clients at once: api-storm SOCKET N SEED. Each answer is
 * checked; the last line says how many were wrong. Status 0: none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 4, PATIENCE_S = 60, BIG = 100000, ANSWER_MAX = 65536 };

#define HOST "Host: x\r\n"
#define PUT_STATE(n)                                                           \
	"PUT /v1/vm/state HTTP/1.1\r\n" HOST "Content-Length: " #n "\r\n\r\n"

/* What is sent, how, and which answers are right (0: none at all). */
static const struct kind {
	const char *name, *text;
	int weight;
	int allowed[3];
	int fill;    /* as many more bytes */
	int shut;    /* and then say that there is no more */
	int dribble; /* a byte at a time */
	int no_wait; /* go away at once */
} kinds[] = {
	{"vm", "GET /v1/vm HTTP/1.1\r\n" HOST "\r\n", 30, {200}, 0, 0, 0, 0},
	{"metrics", "GET /v1/metrics HTTP/1.0\r\n\r\n", 20, {200}, 0, 0, 0, 0},
	{"pause",
	 PUT_STATE(18) "{\"action\":\"pause\"}",
	 4,
	 {200, 409},
	 0,
	 0,
	 0,
	 0},
	{"resume",
	 PUT_STATE(19) "{\"action\":\"resume\"}",
	 12,
	 {200, 409},
	 0,
	 0,
	 0,
	 0},
	{"no launch",
	 "GET /v1/launch HTTP/1.1\r\n" HOST "\r\n",
	 5,
	 {404},
	 0,
	 0,
	 0,
	 0},
	{"no path",
	 "GET /etc/passwd HTTP/1.1\r\n" HOST "\r\n",
	 5,
	 {404},
	 0,
	 0,
	 0,
	 0},
	{"bad JSON", PUT_STATE(5) "{\"a\":", 10, {400}, 0, 0, 0, 0},
	{"no host", "GET / HTTP/1.1\r\n\r\n", 5, {400}, 0, 0, 0, 0},
	{"noise", "\x16\x03\x01\x02\n\n", 5, {400}, 0, 0, 0, 0},
	{"method",
	 "BREW /v1/vm HTTP/1.1\r\n" HOST "\r\n",
	 5,
	 {501},
	 0,
	 0,
	 0,
	 0},
	{"chunked",
	 "PUT /v1/vm/state HTTP/1.1\r\n" HOST
	 "Transfer-Encoding: chunked\r\n\r\n",
	 5,
	 {411},
	 0,
	 0,
	 0,
	 0},
	{"long target", "GET /", 5, {414}, BIG, 0, 0, 0},
	{"long header", "GET / HTTP/1.1\r\nA: ", 5, {431}, BIG, 0, 0, 0},
	{"long body", PUT_STATE(999999), 5, {413}, BIG, 0, 0, 0},
	{"half closed",
	 "GET /v1/vm HTTP/1.1\r\n" HOST "\r\n",
	 8,
	 {200},
	 0,
	 1,
	 0,
	 0},
	{"half sent", "GET /v1/vm HT", 8, {400}, 0, 1, 0, 0},
	{"nothing", "", 4, {0}, 0, 1, 0, 0},
	{"slow",
	 "GET /v1/vm/state HTTP/1.1\r\n" HOST "\r\n",
	 3,
	 {200},
	 0,
	 0,
	 1,
	 0},
	{"gone", "GET /v1/vm HTTP/1.1\r\n" HOST "\r\n", 8, {0}, 0, 0, 0, 1},
	{"events",
	 "GET /v1/events HTTP/1.1\r\n" HOST "\r\n",
	 3,
	 {200, 503},
	 0,
	 1,
	 0,
	 1},
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Beside them, by clients of their own: the answer comes after five seconds. */
static const struct kind too_slow = {"too slow", "GET /v1", 0, {408},
				     0,		 0,	    0, 0};
enum { PER_SLOW = 300 }; /* one for so many */

static int dial(const char *path)
{
	struct timeval tv = {.tv_sec = PATIENCE_S};
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

/* As much as the server takes before it closes. */
static void send_all(int fd, const char *p, size_t len, size_t piece)
{
	while (len) {
		ssize_t n =
			send(fd, p, len < piece ? len : piece, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
		if (piece == 1)
			usleep(2000);
	}
}

/* The status, or 0 when nothing came. A body of a failure is a problem. */
static int read_answer(int fd)
{
	static char buf[ANSWER_MAX];
	size_t n = 0;
	int status = 0;

	while (n < sizeof(buf) - 1) {
		const char *end, *len;
		ssize_t r = recv(fd, buf + n, sizeof(buf) - 1 - n, 0);

		if (r <= 0)
			break;
		n += (size_t)r;
		buf[n] = 0;
		end = strstr(buf, "\r\n\r\n");
		len = strstr(buf, "Content-Length: ");
		if (end && len &&
		    strlen(end + 4) >= strtoul(len + 16, NULL, 10))
			break;
	}
	buf[n] = 0;
	if (n && sscanf(buf, "HTTP/1.1 %d ", &status) != 1)
		return -1;
	if (status >= 400 && !strstr(buf, "\"detail\":\""))
		return -2;
	return status;
}

static int ask(const char *path, const struct kind *k)
{
	static char junk[BIG];
	int fd = dial(path), status = 0, wrong = 1;

	memset(junk, 'a', sizeof(junk));
	send_all(fd, k->text, strlen(k->text), k->dribble ? 1 : BIG);
	send_all(fd, junk, (size_t)k->fill, BIG);
	if (k->shut)
		shutdown(fd, SHUT_WR);
	if (!k->no_wait)
		status = read_answer(fd);
	close(fd);
	if (k->no_wait)
		return 0;
	for (int i = 0; i < 3; i++)
		wrong &= status != k->allowed[i];
	if (wrong)
		printf("%s: answered with %d\n", k->name, status);
	return wrong;
}

static const struct kind *choose(unsigned int *seed)
{
	int sum = 0, at;

	for (int i = 0; i < N_KINDS; i++)
		sum += kinds[i].weight;
	at = rand_r(seed) % sum;
	for (int i = 0; i < N_KINDS; i++) {
		at -= kinds[i].weight;
		if (at < 0)
			return &kinds[i];
	}
	return &kinds[0];
}

static int client(const char *path, int n, unsigned int seed)
{
	int wrong = 0;

	for (int i = 0; i < n; i++)
		wrong += ask(path, choose(&seed));
	return wrong > 100 ? 100 : wrong;
}

int main(int argc, char **argv)
{
	int wrong = 0, status, n;
	unsigned int seed;

	if (argc != 4)
		return 2;
	n = atoi(argv[2]);
	seed = (unsigned int)atoi(argv[3]);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		fflush(stdout);
		if (!fork())
			exit(client(argv[1], n / CLIENTS, seed * CLIENTS + i));
	}
	for (int i = 0; i < n / PER_SLOW; i++)
		if (!fork())
			exit(ask(argv[1], &too_slow));
	while (wait(&status) > 0)
		wrong += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
	printf("%d requests, %d wrong\n", n + n / PER_SLOW, wrong);
	return wrong != 0;
}
