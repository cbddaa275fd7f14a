/*
 * vmm/cli/program_verbs.c - verbs that are programs of their own, which lie
 * beside this one: `coffer owner`, `coffer bundle` and `coffer sim`. They link
 * libcrypto, and only they.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/log.h"
#include "vmm/base/own.h"
#include "vmm/cli/cli.h"
#include "vmm/exit_status.h"

/* The path of @program in our own directory. */
static int find_beside(const char *program, char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (n < 0)
		return -errno;
	path[n] = 0;
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + strlen(program) >= size)
		return -ENAMETOOLONG;
	memcpy(slash + 1, program, strlen(program) + 1);
	return 0;
}

static int hand_over(const char *program, char *const *argv)
{
	char path[4096];
	int r = find_beside(program, path, sizeof(path));

	if (r < 0) {
		log_error("%s: cannot find %s: %s", argv[0], program,
			  strerror(-r));
		return EXIT_STATUS_HOST;
	}
	fflush(stdout);
	execv(path, argv);
	log_error("%s: cannot run '%s': %s; install it beside coffer", argv[0],
		  path, strerror(errno));
	return EXIT_STATUS_HOST;
}

int cli_owner(int argc, char *const *argv)
{
	(void)argc;
	return hand_over("coffer-owner", argv);
}

/* Signs, and so is the owner's program as well. */
int cli_bundle(int argc, char *const *argv)
{
	AUTO(freep) char **v = calloc((size_t)argc + 2, sizeof(*v));

	if (!v) {
		log_error("bundle: out of memory");
		return EXIT_STATUS_HOST;
	}
	v[0] = (char *)"owner";
	memcpy(v + 1, argv, (size_t)argc * sizeof(*v));
	return hand_over("coffer-owner", v);
}

int cli_sim(int argc, char *const *argv)
{
	(void)argc;
	return hand_over("coffer-sim", argv);
}
