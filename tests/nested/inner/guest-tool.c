/*
 * What a test guest needs and a shell cannot do: port writes (Debian's cloud
 * kernel has no /dev/port) and waiting for the power button.
 *
 * guest-tool outb PORT VALUE|CHAR   one byte to an I/O port
 * guest-tool wait-power             says that it waits, and returns when the
 * power button is pressed
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

enum { MAX_INPUTS = 16 };

static int outb_main(const char *port_arg, const char *value_arg)
{
	unsigned long port = strtoul(port_arg, NULL, 0);
	char *end;
	unsigned long value = strtoul(value_arg, &end, 0);

	if (end == value_arg) /* not a number: its first character */
		value = (unsigned char)value_arg[0];
	if (port > 0xffff || value > 0xff) {
		fprintf(stderr, "guest-tool: port or value out of range\n");
		return 64;
	}
	if (iopl(3) < 0) { /* ioperm() ends at port 0x3ff */
		perror("guest-tool: iopl");
		return 70;
	}
	outb((unsigned char)value, (unsigned short)port);
	return 0;
}

static int is_power_press(const struct input_event *e)
{
	return e->type == EV_KEY && e->code == KEY_POWER && e->value == 1;
}

static int wait_power_main(void)
{
	struct pollfd fds[MAX_INPUTS];
	struct input_event e;
	nfds_t n = 0;
	glob_t g;

	if (glob("/dev/input/event*", 0, NULL, &g) == 0) {
		for (size_t i = 0; i < g.gl_pathc && n < MAX_INPUTS; i++) {
			int fd = open(g.gl_pathv[i], O_RDONLY | O_CLOEXEC);

			if (fd >= 0)
				fds[n++] = (struct pollfd){fd, POLLIN, 0};
		}
		globfree(&g);
	}
	if (n == 0) {
		fprintf(stderr, "guest-tool: no input device\n");
		return 69;
	}
	/* Not earlier: nobody gets what was pressed before the device is open.
	 */
	printf("waiting for the power button\n");
	fflush(stdout);
	while (poll(fds, n, -1) > 0 || errno == EINTR) {
		for (nfds_t i = 0; i < n; i++) {
			if (!(fds[i].revents & POLLIN))
				continue;
			if (read(fds[i].fd, &e, sizeof(e)) == sizeof(e) &&
			    is_power_press(&e))
				return 0;
		}
	}
	return 70;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "outb") == 0)
		return outb_main(argv[2], argv[3]);
	if (argc == 2 && strcmp(argv[1], "wait-power") == 0)
		return wait_power_main();
	fprintf(stderr, "usage: guest-tool outb PORT VALUE | wait-power\n");
	return 64;
}
