/* tests/guest/spin.c - never leaves the CPU. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	serial_puts("spin\n");
	for (;;)
		__asm__ volatile("pause");
}
