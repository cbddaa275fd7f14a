/*
 * tests/guest/interrupts.c - asks for the interrupts that something outside of
 * the guest causes: the clock, a byte typed at the console, the power button.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

enum {
	POWER_BUTTON = 1 << 8,
	RX_INTERRUPT = 1,
	DATA_READY = 1,
	/* MC146818: register B, "update ended" interrupt; register C, its flag
	 */
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_UPDATE = 0x10,
	PM_TMR_HZ = 3579545, /* ACPI 6.4, 4.8.2.1 */
	PM_TMR_MASK = 0xffffff,
};

/* 1.2 s by the ACPI timer: at least one second of the clock begins. */
static void sleep_past_second(void)
{
	uint32_t start = inl(PORT_PM_BASE + PM_TMR);

	while (((inl(PORT_PM_BASE + PM_TMR) - start) & PM_TMR_MASK) <
	       PM_TMR_HZ + PM_TMR_HZ / 5)
		;
}

/*
 * The clock's interrupt, twice: the second is the host's timer set anew. We
 * do not look at the flag while we wait, or the flag is all that happens.
 */
static void wait_for_clock(void)
{
	outb(PORT_RTC_INDEX, RTC_B);
	outb(PORT_RTC_INDEX + 1, inb(PORT_RTC_INDEX + 1) | RTC_UPDATE);
	outb(PORT_RTC_INDEX, RTC_C);
	for (unsigned int i = 0; i < 2; i++)
		do
			sleep_past_second();
		while (!(inb(PORT_RTC_INDEX + 1) & RTC_UPDATE));
}

int payload_main(void)
{
	outb(PORT_UART0 + 1, RX_INTERRUPT);
	outw(PORT_PM_BASE + PM1_EN, POWER_BUTTON);
	wait_for_clock();
	serial_puts("ready\n");
	while (!(inw(PORT_PM_BASE + PM1_STS) & POWER_BUTTON))
		if (inb(PORT_UART0 + 5) & DATA_READY)
			return inb(PORT_UART0) == 'x' ? 0 : 1;
	return 2;
}
