/*
 * owner/owner_vmsa.h - the register pages that a launch of SEV-ES with firmware
 * measures: from files, or made of what is known about the CPU.
 */
#ifndef OWNER_OWNER_VMSA_H
#define OWNER_OWNER_VMSA_H

#include <stdbool.h>

struct err;
struct owner_expected;

/*
 * Fill e->vmsa, n_vmsa and cpus from e->c: from its files, or, when there are
 * none and the CPU's signature is known, as QEMU and coffer set registers at a
 * reset, where the image itself says where the other CPUs start.
 * ERR_USAGE: neither; more files than CPUs
 * ERR_INPUT, ERR_PERM: a file
 */
int owner_vmsa_load(struct owner_expected *e, bool is_es, struct err *err);

/*
 * Write the page of the first CPU to @cpu0 and that of all others to @cpu1, in
 * the form that e has; NULL: not. For a single CPU, too, @cpu1 is what others
 * would have had: libvirt's validator asks for both.
 * ERR_USAGE: these inputs make no pages
 * ERR_INPUT: @cpu1, and the image names no place where it starts; a file is
 * there, without @force
 */
int owner_vmsa_write(struct owner_expected *e, const char *cpu0,
		     const char *cpu1, bool force, struct err *err);

/* Make them in the other form; false: there is none, or they are files. */
bool owner_vmsa_alternative(struct owner_expected *e);

#endif
