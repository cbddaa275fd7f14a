/* tests/guest/reset_kbd.c - a reset through the keyboard controller. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	while (inb(0x64) & 2)
		;
	outb(0x64, 0xfe);
	for (;;)
		__asm__ volatile("hlt");
}
