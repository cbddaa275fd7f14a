/* tests/guest/hello.c - prints, then echoes input until a line ends. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	char c = 0;

	serial_puts("hello from the guest\n? ");
	while (c != '\n' && c != '\r') {
		while (!(inb(0x3fd) & 1))
			;
		c = (char)inb(0x3f8);
		outb(0x3f8, (uint8_t)c);
	}
	serial_puts("bye\n");
	return 0;
}
