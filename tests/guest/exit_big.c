/* tests/guest/exit_big.c - a value that no exit status can carry. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	return 0x12345678;
}
