/*
 * firmware/stage0_reason.h - why stage0 stopped, for the guest and the VMM.
 *
 * stage0 stops with one write of 32 bits to PORT_STAGE0_STOP: the reason, with
 * STAGE0_STOP_MAGIC in the upper half, so that a guest which scans ports does
 * not end by accident. A line with the words goes to the debug console and to
 * the serial port before. Where there is no such port (QEMU), a write to
 * PORT_DEBUG_EXIT follows, and then the CPU halts for good.
 *
 * The numbers are for scripts and stay; new reasons get new numbers.
 */
#ifndef FIRMWARE_STAGE0_REASON_H
#define FIRMWARE_STAGE0_REASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/mem_map.h"

#define STAGE0_STOP_MAGIC UINT32_C(0x53300000)

/* X(name, number, words); the words complete "stage0 stopped: ". */
#define STAGE0_REASONS(X)                                                      \
	/* the processor and its memory encryption */                          \
	X(NO_LONG_MODE, 1, "the CPU has no 64-bit mode")                       \
	X(SEV_HIDDEN, 2, "SEV is active, but the host hides it")               \
	X(C_BIT_POSITION, 3, "the host names a C-bit that cannot be one")      \
	X(C_BIT_WRONG, 4, "the C-bit the host names does not encrypt")         \
	X(NO_RANDOM, 5, "the CPU gives no random numbers (RDRAND)")            \
	X(SEV_FEATURES, 6,                                                     \
	  "a feature of SEV is active that stage0 does not know")              \
	X(GHCB_PROTOCOL, 7, "the host speaks no known version of the GHCB")    \
	X(GHCB_ANSWER, 8, "the host answered a GHCB request with nonsense")    \
	X(VC_UNKNOWN, 9, "a #VC exception that stage0 does not expect")        \
	X(EXCEPTION, 10, "an exception of the CPU")                            \
	X(HYPERCALL, 11, "the host refused to note which pages are shared")    \
	X(INTERNAL, 12, "a mistake in stage0 itself")                          \
	/* fw_cfg, by which the host hands over everything */                  \
	X(NO_FW_CFG, 16, "there is no fw_cfg device with DMA")                 \
	X(FW_CFG_ERROR, 17, "fw_cfg refused a transfer")                       \
	X(FW_CFG_FILES, 18, "the directory of fw_cfg is malformed")            \
	/* what the host says of the machine */                                \
	X(CPU_COUNT, 24, "the host names an impossible number of CPUs")        \
	X(RAM_MAP, 25,                                                         \
	  "the host's memory map is malformed or contradicts itself")          \
	X(RAM_SMALL, 26, "the guest has too little memory for stage0")         \
	/* the table of hashes */                                              \
	X(HASHES_MISSING, 32,                                                  \
	  "SEV is active, but no hashes of kernel, initrd and command line "   \
	  "were measured")                                                     \
	X(HASHES_MALFORMED, 33, "the table of hashes is malformed")            \
	X(HASHES_INCOMPLETE, 34,                                               \
	  "the table of hashes lacks kernel, initrd or command line")          \
	X(KERNEL_HASH, 40, "the kernel is not the one that was measured")      \
	X(INITRD_HASH, 41, "the initrd is not the one that was measured")      \
	X(CMDLINE_HASH, 42,                                                    \
	  "the command line is not the one that was measured")                 \
	/* kernel, initrd, command line, secrets */                            \
	X(NO_KERNEL, 48, "the host offers no kernel")                          \
	X(KERNEL_KIND, 49, "the kernel is no 64-bit bzImage")                  \
	X(KERNEL_HEADER, 50, "the header of the kernel contradicts itself")    \
	X(NO_ROOM, 51,                                                         \
	  "the guest has too little memory for this kernel and initrd")        \
	X(CMDLINE, 52, "the command line is too long or not terminated")       \
	X(SECRETS, 56, "the table of secrets is malformed")

enum stage0_reason {
	STAGE0_OK = 0,
#define STAGE0_REASON_ENUM(name, number, words) STAGE0_##name = (number),
	STAGE0_REASONS(STAGE0_REASON_ENUM)
#undef STAGE0_REASON_ENUM
};

/* Words of a reason; NULL: no such reason. */
static inline const char *stage0_reason_words(uint32_t reason)
{
	switch (reason) {
#define STAGE0_REASON_WORDS(name, number, words)                               \
	case number:                                                           \
		return words;
		STAGE0_REASONS(STAGE0_REASON_WORDS)
#undef STAGE0_REASON_WORDS
	default:
		return NULL;
	}
}

/*
 * Is @val, written to PORT_STAGE0_STOP with 32 bits, a stop? *ret_reason may
 * then be a number without words: that of a newer stage0.
 */
static inline bool stage0_stop_parse(uint32_t val, uint32_t *ret_reason)
{
	if ((val & 0xffff0000) != STAGE0_STOP_MAGIC)
		return false;
	*ret_reason = val & 0xffff;
	return true;
}

#endif
