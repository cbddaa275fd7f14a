/*
 * vmm/memlock.h - the limit of locked memory (RLIMIT_MEMLOCK) that a protected
 * guest needs: KVM pins all of its memory, and what a command of the security
 * processor works on once more while it runs.
 */
#ifndef VMM_MEMLOCK_H
#define VMM_MEMLOCK_H

#include <stdint.h>

struct err;

/* Bytes for @ram_bytes of RAM and @rom_bytes of ROM, both registered whole. */
uint64_t memlock_need(uint64_t ram_bytes, uint64_t rom_bytes);

/*
 * Make the limit of this process, which its children inherit, at least @need
 * bytes: the soft limit up to the hard one, and the hard one where the process
 * may (CAP_SYS_RESOURCE in the host's own user namespace).
 * -ENOMEM with ERR_HOST: needed and present limit, and how to raise it
 */
int memlock_raise(uint64_t need, struct err *err);

#endif
