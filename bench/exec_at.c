/*
 * bench/exec_at.c - says when it is, and becomes another program: a start is
 * measured from its execve(2), not from when a script asked for it.
 *
 * exec_at PROGRAM ARG...   "exec at SECONDS.NANOSECONDS s" (CLOCK_MONOTONIC)
 *                          on standard error
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec t;

	if (argc < 2)
		return 64;
	clock_gettime(CLOCK_MONOTONIC, &t);
	dprintf(STDERR_FILENO, "exec at %lld.%09ld s\n", (long long)t.tv_sec,
		t.tv_nsec);
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 70;
}
