/* vmm/cli/main.c - the program; everything else can be tested without it. */
#include <fcntl.h>

#include "vmm/cli/cli.h"

/*
 * Where a standard stream is closed, the next file opened would take its
 * number, and the console would read the kernel image. Whatever stands in is
 * opened the wrong way round, so that using the stream fails as before. It is
 * inherited on purpose: no O_CLOEXEC.
 */
static void fill_standard_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			return; /* no /dev: nothing better can be done */
}

int main(int argc, char **argv)
{
	fill_standard_streams();
	return cli_main(argc, argv);
}
