/* tests/guest/exit_42.c - a status of the guest's own. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	return 42;
}
