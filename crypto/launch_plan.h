/*
 * crypto/launch_plan.h - what goes into a protected guest before it runs, as an
 * ordered list: kind, address, length, content.
 *
 * One list serves everybody, so that a digest that was calculated cannot drift
 * from the one that was launched:
 *
 * - the monitor loads it into guest memory (launch_plan_load()), may compare
 *   its digest, and walks it to launch each entry where it lies;
 * - the calculator walks it without guest memory: files are read in pieces, an
 *   initial RAM disk of any size needs no memory of that size;
 * - --print-plan prints it.
 *
 * The launch digest of SEV and SEV-ES is SHA-256 over the content of all
 * entries in order (AMD SEV API 0.24, 6.2 and 6.3, LAUNCH_UPDATE_DATA and
 * LAUNCH_UPDATE_VMSA). Addresses are not part of it; neither is how an entry is
 * cut into pieces.
 */
#ifndef CRYPTO_LAUNCH_PLAN_H
#define CRYPTO_LAUNCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/hash256.h"
#include "crypto/launch_fact.h"
#include "crypto/sev_abi.h"
#include "crypto/sev_secret_area.h"
#include "crypto/sev_vmsa.h"
#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct err;
struct guest_mem;

enum {
	LAUNCH_ALIGN = 16, /* of every address and length: one AES block */
	LAUNCH_ENTRIES_MAX = 96,
	/* The longest piece a walk hands out; with it the memory that a launch
	 * pins beyond the guest's own is bounded. */
	LAUNCH_PIECE_MAX = 1 << 20,
};

enum launch_entry_kind {
	LAUNCH_ENTRY_DATA, /* LAUNCH_UPDATE_DATA at gpa */
	/*
	 * One page per vCPU in the order of creation, behind all data. A single
	 * LAUNCH_UPDATE_VMSA launches them all; the content is a model of what
	 * KVM makes of the registers (crypto/sev_vmsa.h).
	 */
	LAUNCH_ENTRY_VMSA,
};

/* len bytes: data_len of them from data or a file, and zeros behind them. */
struct launch_entry {
	const char *name; /* "kernel"; static */
	enum launch_entry_kind kind;
	gpa_t gpa;	   /* LAUNCH_ENTRY_VMSA: unused */
	unsigned int vcpu; /* LAUNCH_ENTRY_VMSA */
	uint64_t len;	   /* > 0, a multiple of LAUNCH_ALIGN */
	uint64_t data_len; /* 0: all zeros */
	const void *data;  /* owned by the plan, or NULL: */
	int fd;		   /* borrowed; -1: no file */
	uint64_t file_off;
	const char *file; /* its name for messages, borrowed */
};

struct launch_plan {
	const char *machine;		    /* "q35-coffer-1"; static */
	bool is_es;			    /* the registers are measured */
	enum sev_vmsa_profile vmsa_profile; /* with is_es */
	uint64_t covered;		    /* bits 1 << enum launch_fact */
	/* Where secrets may go, one of the entries; secret_len 0: nowhere. */
	enum sev_secret_format secret_format;
	gpa_t secret_gpa;
	uint64_t secret_len;
	size_t n; /* first LAUNCH_ENTRY_DATA, then LAUNCH_ENTRY_VMSA */
	struct launch_entry entry[LAUNCH_ENTRIES_MAX];
};

/* An empty plan. -ENOMEM. */
int launch_plan_create(struct launch_plan **ret, struct err *err);
/* NULL is fine. */
void launch_plan_destroy(struct launch_plan *p);
DEFINE_CLEANUP(struct launch_plan, launch_plan_destroy)

/*
 * Append @len bytes at @gpa: @data_len of them from @data (copied), zeros
 * behind them. No two entries overlap: that is checked.
 * -EINVAL      alignment, length 0 or less than @data_len, overlap
 * -ENOSPC      LAUNCH_ENTRIES_MAX
 * -ENOMEM
 * The first two are our bugs (ERR_INTERNAL).
 */
int launch_plan_add(struct launch_plan *p, const char *name, gpa_t gpa,
		    uint64_t len, const void *data, uint64_t data_len,
		    struct err *err);
/* The same from @fd at @off; both and @file are borrowed until destroy. */
int launch_plan_add_file(struct launch_plan *p, const char *name, gpa_t gpa,
			 uint64_t len, int fd, uint64_t off, uint64_t data_len,
			 const char *file, struct err *err);
/* The register page of the next vCPU; copied. */
int launch_plan_add_vmsa(struct launch_plan *p,
			 const uint8_t page[static SEV_VMSA_LEN],
			 struct err *err);

/* Bytes that are measured, in all. */
uint64_t launch_plan_bytes(const struct launch_plan *p);
/* vCPUs whose registers are measured. */
size_t launch_plan_vmsas(const struct launch_plan *p);

/*
 * Put every LAUNCH_ENTRY_DATA entry into @mem, which is fresh (zero). Once,
 * before anything is launched. -ENODATA     a file has become shorter
 * (ERR_INPUT) -EFAULT      an entry is not in guest memory (ERR_INTERNAL) or
 * the errno of pread(2).
 */
int launch_plan_load(const struct launch_plan *p, struct guest_mem *mem,
		     struct err *err);

/*
 * Called for each piece in order, without gaps: @len bytes (a multiple of
 * LAUNCH_ALIGN, at most LAUNCH_PIECE_MAX) at @off of @e. When guest memory is
 * walked, @data of a LAUNCH_ENTRY_DATA entry is that memory itself, which the
 * callee may have encrypted in place. A negative errno ends the walk.
 */
typedef int (*launch_piece_fn)(void *arg, const struct launch_entry *e,
			       uint64_t off, const void *data, size_t len,
			       struct err *err);

/*
 * @mem: what launch_plan_load() filled, or NULL: content is read from the
 * plan's own data and files. Errors are those of @fn and of
 * launch_plan_load(), and -ENOMEM.
 */
int launch_plan_walk(const struct launch_plan *p, struct guest_mem *mem,
		     launch_piece_fn fn, void *arg, struct err *err);

/*
 * The launch digest. @mem as launch_plan_walk(), before anything is encrypted.
 * -EIO         the hash failed (ERR_HOST)
 */
int launch_plan_digest(const struct launch_plan *p, struct guest_mem *mem,
		       struct hash256 *h, uint8_t digest[static SEV_DIGEST_LEN],
		       struct err *err);
/* The digest of one entry alone. */
int launch_entry_digest(const struct launch_entry *e, struct guest_mem *mem,
			struct hash256 *h,
			uint8_t digest[static SEV_DIGEST_LEN], struct err *err);

#endif
