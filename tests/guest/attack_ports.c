/*
 * tests/guest/attack_ports.c - writes and reads every port in every width, also
 * as strings, but for the ports by which a guest ends itself.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"
#include "tests/guest/random.h"

static uint8_t buf[4096];

/* Does a write of @width bytes at @port touch one that ends the guest? */
static int ends_us(uint32_t port, uint32_t width)
{
	static const uint16_t end[] = {
		PORT_KBD_CMD,		PORT_SYSCTL_A,
		PORT_DEBUG_EXIT,	PORT_RESET_CTL,
		PORT_PM_BASE + PM1_CNT, PORT_PM_BASE + PM1_CNT + 1};

	for (unsigned int i = 0; i < sizeof(end) / sizeof(end[0]); i++)
		if (port <= end[i] && end[i] < port + width)
			return 1;
	return port >= PORT_DEBUG_EXIT && port < PORT_DEBUG_EXIT + 4;
}

static void one_port(uint16_t p, uint64_t *seed)
{
	inb(p);
	inw(p);
	inl(p);
	if (!ends_us(p, 1))
		outb(p, (uint8_t)next_nasty(seed));
	if (!ends_us(p, 2))
		outw(p, (uint16_t)next_nasty(seed));
	if (!ends_us(p, 4))
		outl(p, (uint32_t)next_nasty(seed));
}

#define STRING(op, port, n, ptr)                                               \
	do {                                                                   \
		uint64_t count_ = (n);                                         \
		void *at_ = (ptr);                                             \
		if ((op)[4] == 'i')                                            \
			__asm__ volatile(op                                    \
					 : "+c"(count_), "+D"(at_)             \
					 : "d"((uint16_t)(port))               \
					 : "memory");                          \
		else                                                           \
			__asm__ volatile(op                                    \
					 : "+c"(count_), "+S"(at_)             \
					 : "d"((uint16_t)(port))               \
					 : "memory");                          \
	} while (0)

static void strings(void)
{
	static const uint16_t ports[] = {
		PORT_UART0,    PORT_RTC_INDEX, PORT_PCI_ADDRESS,
		PORT_PCI_DATA, PORT_FW_CFG,    PORT_FW_CFG + 1,
		0x80,	       0xffff};

	for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		STRING("rep insb", ports[i], 256, buf);
		STRING("rep insw", ports[i], 128, buf);
		STRING("rep insl", ports[i], 1024, buf);
		STRING("rep outsb", ports[i], 256, buf);
		STRING("rep outsl", ports[i], 64, buf);
	}
}

/* Firmware's way of saying things: a flood must cost the host nothing. */
static void flood(void)
{
	for (unsigned int i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)i;
	for (unsigned int i = 0; i < 8; i++) {
		STRING("rep outsb", PORT_DEBUGCON, sizeof(buf), buf);
		STRING("rep outsb", PORT_UART0, sizeof(buf), buf);
	}
}

int payload_main(void)
{
	uint64_t seed = 0x706f727473;

	/* all that have something, and a sample of the rest */
	for (uint32_t p = 0; p < 0x10000; p += p < 0xd00 ? 1 : 0x1f7)
		one_port((uint16_t)p, &seed);
	one_port(0xffff, &seed);
	strings();
	flood();
	CHECK(inb(PORT_DEBUGCON) == 0xe9);
	return 0;
}
