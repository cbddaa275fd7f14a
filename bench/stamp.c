/*
 * stamp MARKER [--stop] -- CMD...
 *
 * Runs CMD with its standard output in a pipe, and prints when things happened,
 * in nanoseconds since just before CMD was started:
 *
 *     marker NS     MARKER had come out of the pipe
 *     exit NS       CMD had ended
 *     status N      its exit status
 *
 * The pipe is looked at every half millisecond and not at every byte: a VMM
 * that writes each byte on its own would pay for the reader's wake-ups, on the
 * only CPU there is.
 *
 * With --stop CMD is killed at the marker, and there is no exit line. Ends with
 * 0 when the marker was seen, 1 when it was not: the output is shown then.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PERIOD_NS = 500000 };
enum { OUTPUT_MAX = 1 << 20 }; /* a boot writes some 30 KiB */

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static pid_t start(char **argv, int out)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;

	if (posix_spawn_file_actions_init(&fa) ||
	    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", 0, 0) ||
	    posix_spawn_file_actions_adddup2(&fa, out, 1) ||
	    posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ))
		return -1;
	posix_spawn_file_actions_destroy(&fa);
	return pid;
}

/*
 * Read until @marker, or with NULL to the end; the time at which it was
 * complete, 0 when the end came first.
 */
static uint64_t read_until(int fd, const char *marker, char *out, size_t *len)
{
	const struct timespec period = {.tv_nsec = PERIOD_NS};

	for (;;) {
		/* Only what a marker may lie across is searched again. */
		size_t back = marker ? strlen(marker) : 0, from;
		ssize_t n;

		if (*len == OUTPUT_MAX) /* keep the beginning, drop the rest */
			*len = OUTPUT_MAX / 2;
		n = read(fd, out + *len, OUTPUT_MAX - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		from = *len > back ? *len - back : 0;
		*len += (size_t)n;
		if (marker && memmem(out + from, *len - from, marker, back))
			return now_ns();
		nanosleep(&period, NULL);
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: stamp MARKER [--stop] -- CMD...\n");
	return 64;
}

int main(int argc, char **argv)
{
	static char out[OUTPUT_MAX];
	int fds[2], status = 0, first = 2, stop = 0;
	uint64_t begin, marker, end;
	size_t len = 0;
	pid_t pid;

	if (argc > first && strcmp(argv[first], "--stop") == 0)
		stop = first++;
	if (argc < first + 2 || strcmp(argv[first], "--") != 0)
		return usage();
	if (pipe(fds) < 0)
		return 70;
	begin = now_ns();
	pid = start(argv + first + 1, fds[1]);
	if (pid < 0) {
		perror(argv[first + 1]);
		return 66;
	}
	close(fds[1]);
	marker = read_until(fds[0], argv[1], out, &len);
	if (marker && stop)
		kill(pid, SIGKILL);
	else if (marker)
		read_until(fds[0], NULL, out, &len);
	waitpid(pid, &status, 0);
	end = now_ns();
	if (!marker) {
		fwrite(out, 1, len, stderr);
		fprintf(stderr, "stamp: no '%s' in the output\n", argv[1]);
		return 1;
	}
	printf("marker %llu\n", (unsigned long long)(marker - begin));
	if (!stop)
		printf("exit %llu\nstatus %d\n",
		       (unsigned long long)(end - begin),
		       WIFEXITED(status) ? WEXITSTATUS(status)
					 : 128 + WTERMSIG(status));
	return 0;
}
