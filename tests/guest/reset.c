/* tests/guest/reset.c - a reset through port 0xcf9. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	outb(0xcf9, 0x02);
	outb(0xcf9, 0x06);
	for (;;)
		__asm__ volatile("hlt");
}
