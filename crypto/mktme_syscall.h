/*
 * crypto/mktme_syscall.h - the number of the system call encrypt_mprotect().
 *
 * It was never merged, and every number it ever had in a patch is another call
 * today: 436 is close_range, which can close all descriptors of its caller.
 * The number is therefore never guessed; it is what the operator says that the
 * kernel has, and only a number that mainline does not use is accepted.
 */
#ifndef CRYPTO_MKTME_SYSCALL_H
#define CRYPTO_MKTME_SYSCALL_H

#include <stdint.h>

struct err;

enum {
	MKTME_SYSCALL_NONE = 0, /* not set; 0 is read(2) */
	MKTME_SYSCALL_MAX = 65535,
};

/* 387..423 and 548..MKTME_SYSCALL_MAX. */
/* -EINVAL with ERR_USAGE: @nr is, or may become, another call; it is named. */
int mktme_syscall_check(uint64_t nr, struct err *err);

/*
 * The call that Linux has at @nr on x86-64, or NULL. Those up to 334 are not
 * told apart.
 */
const char *mktme_syscall_name(uint64_t nr);

#endif
