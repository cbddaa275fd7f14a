/* tests/guest/poweroff.c - S5 through the PM1 control register. */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

int payload_main(void)
{
	CHECK(inw(PORT_PM_BASE + PM1_CNT) & 1); /* SCI_EN */
	outw(PORT_PM_BASE + PM1_CNT, 1 << 13 | PM_S5_SLP_TYP << 10);
	for (;;)
		__asm__ volatile("hlt");
}
