/*
 * owner/owner.h - what the guest's owner does: make a session for a platform
 * that leads to AMD, check what was launched, send secrets.
 *
 * Each function is one command of coffer-owner(1). It prints its result to
 * @out. Errors carry a kind for the exit status; -EKEYREJECTED is the answer
 * no: the inputs were understood, and are not to be trusted.
 */
#ifndef OWNER_OWNER_H
#define OWNER_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crypto/sev_vmsa.h"

struct err;
struct launch_plan;

/* Paths and texts are borrowed; NULL: not given. */
struct owner_texts {
	char *const *v;
	size_t n;
};

/* Files of certificates, and what they must lead to. */
struct owner_platform {
	const char *chain; /* PDH, or chain */
	const char *roots; /* ASK and ARK, or NULL */
	const char *cek;   /* the signed CEK, or NULL */
	bool simulated;	   /* the root must be a simulated one */
};

struct owner_session_opts {
	struct owner_platform platform;
	uint32_t policy;
	const char *name; /* prefix of the files written */
	bool unverified;  /* the chain is not verified */
	bool force;	  /* replace files */
};

/* Writes NAME_godh.b64, NAME_session.b64, NAME_tek.bin, NAME_tik.bin. */
int owner_session(const struct owner_session_opts *o, FILE *out,
		  struct err *err);

/* A direct boot, in those of its inputs that a host might change. */
struct owner_direct {
	uint64_t memory; /* bytes; 0: as the owner said */
	uint64_t cpus;	 /* 0: as the owner said */
	bool no_initrd;
	bool is_es;
	enum sev_vmsa_profile profile;
};

/* Who makes the plan of a direct boot: what the host uses, too. */
struct owner_planner;
struct owner_planner_ops {
	/*
	 * The plan for @d. *ret is good until the next call. An error names
	 * the option or file.
	 */
	int (*plan)(struct owner_planner *p, const struct owner_direct *d,
		    const struct launch_plan **ret, struct err *err);
};
struct owner_planner {
	const struct owner_planner_ops *ops;
};

/* Where the expected launch digest comes from. */
struct owner_content {
	const char *digest; /* hexadecimal, base64, or a file of either */
	const char *firmware, *kernel, *initrd, *cmdline;
	struct owner_texts vmsa; /* files, one per CPU, the last repeats */
	uint64_t cpus;		 /* 0: as many as there are VMSA files */
	/*
	 * For firmware "none"; it knows kernel, initrd, cmdline and more. NULL:
	 * nobody makes plans.
	 */
	struct owner_planner *planner;
	const char *vmsa_profile; /* form of made pages; NULL: any */
	uint32_t cpu_signature;	  /* CPUID 1 EAX of the host; 0: not given */
};

/*
 * What the host said about the launch: its JSON, or the values themselves, as
 * QEMU and libvirt show them.
 */
struct owner_report {
	const char *launch;	 /* JSON file; excludes the rest */
	const char *measurement; /* base64, or a file */
	bool have_api;		 /* the three below are given */
	uint8_t api_major, api_minor, build;
	const uint32_t *policy; /* NULL: not given */
};

struct owner_measure_opts {
	struct owner_content content;
	struct owner_report report; /* may be empty: digest only */
	const char *tik;	    /* NULL: digest only */
	bool is_es;		    /* when there is no report */
	/* Written: register pages of the first CPU, and of all others; NULL:
	 * not. */
	const char *vmsa_cpu0, *vmsa_cpu1;
	bool force; /* replace them */
};

/* Prints the digest, and what LAUNCH_MEASURE should return. */
int owner_measure(const struct owner_measure_opts *o, FILE *out,
		  struct err *err);

struct owner_verify_opts {
	struct owner_content content;
	struct owner_report report;
	const char *tik;
	const char *session; /* blob; NULL: beside TIK, if it is there */
	bool have_min_api;
	uint8_t min_api_major, min_api_minor;
	uint8_t min_build;	    /* 0: any */
	struct owner_texts require; /* "vcpus,memory": must be covered */
};

/* Marks TIK as used by this launch. */
int owner_verify(const struct owner_verify_opts *o, FILE *out, struct err *err);

struct owner_attestation_opts {
	struct owner_platform platform;
	struct owner_content content;
	const char *nonce;	/* hexadecimal or base64 */
	const char *report;	/* file: JSON of coffer ctl, base64 or raw */
	const uint32_t *policy; /* the report must have this one; NULL: any */
};

/*
 * Was this launched on this platform, and does it run? Of a report that the
 * platform signed, it says nothing about keys: that, only owner_verify() does.
 */
int owner_attestation(const struct owner_attestation_opts *o, FILE *out,
		      struct err *err);

struct owner_secret_opts {
	struct owner_report report;
	const char *tik, *tek;
	struct owner_texts secrets;   /* GUID:FILE or luks-key:FILE */
	const char *format;	      /* table, cpio; NULL: as launched */
	const char *header, *payload; /* written, base64 */
	bool unverified; /* the launch need not have been verified */
	bool force;
};

int owner_secret(const struct owner_secret_opts *o, FILE *out, struct err *err);

struct owner_inspect_opts {
	struct owner_texts files;
	const uint32_t *policy; /* NULL: none */
};

/* Prints in words what each file is. */
int owner_inspect(const struct owner_inspect_opts *o, FILE *out,
		  struct err *err);

#endif
