/*
 * tests/guest/attack_int.c - a storm of software interrupts, of every vector. A
 * KVM that emulates instructions cannot do these, and ends the guest with an
 * internal error.
 */
#include "tests/guest/fault.h"

enum { ROUNDS = 2000 };

int payload_main(void)
{
	fault_init();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		__asm__ volatile("int3");
		__asm__ volatile("int $0x80");
		__asm__ volatile("int $0xff");
		TRY("int $6", "m"(n_faults));

		__asm__ volatile("pause");
	}
	CHECK(n_interrupts == 3 * ROUNDS);
	return 0;
}
