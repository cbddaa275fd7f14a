/* firmware/stage0/s0_frame.h - registers as trap.S leaves them on the stack. */
#ifndef FIRMWARE_STAGE0_S0_FRAME_H
#define FIRMWARE_STAGE0_S0_FRAME_H

#include <stdint.h>

struct s0_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};

enum { S0_VECTOR_GP = 13, S0_VECTOR_VC = 29, S0_VECTORS = 32 };

#endif
