/* tests/guest/exit_zero.c - the shortest guest: success. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	outb(0x402, 'x'); /* the mark of --print-timing */
	return 0;
}
