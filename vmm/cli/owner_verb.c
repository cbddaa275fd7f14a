/*
 * vmm/cli/owner_verb.c - `coffer owner`: hands over to coffer-owner, which lies
 * beside this program. Only that one links libcrypto.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/log.h"
#include "vmm/cli/cli.h"
#include "vmm/exit_status.h"

static const char program[] = "coffer-owner";

/* The path of the program in our own directory. */
static int find_beside(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (n < 0)
		return -errno;
	path[n] = 0;
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + sizeof(program) > size)
		return -ENAMETOOLONG;
	memcpy(slash + 1, program, sizeof(program));
	return 0;
}

int cli_owner(int argc, char *const *argv)
{
	char path[4096];
	int r = find_beside(path, sizeof(path));

	(void)argc;
	if (r < 0) {
		log_error("owner: cannot find %s: %s", program, strerror(-r));
		return EXIT_STATUS_HOST;
	}
	fflush(stdout);
	execv(path, argv);
	log_error("owner: cannot run '%s': %s; install it beside coffer", path,
		  strerror(errno));
	return EXIT_STATUS_HOST;
}
