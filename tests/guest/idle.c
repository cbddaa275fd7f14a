/* tests/guest/idle.c - does nothing, forever, and hears no power button. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	serial_puts("idle\n");
	for (;;)
		__asm__ volatile("cli; hlt");
}
