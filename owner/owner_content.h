/*
 * owner/owner_content.h - the launch digest that the owner expects, from the
 * files that should have been launched.
 *
 * There are three forms: a digest that is given, a firmware image with what is
 * launched behind it (kernel hashes, VMSA pages), and a direct boot, whose plan
 * is that of the monitor. A further form is a row in the table of
 * owner_content.c.
 */
#ifndef OWNER_OWNER_CONTENT_H
#define OWNER_OWNER_CONTENT_H

#include "crypto/hash256.h"
#include "crypto/sev_measure.h"
#include "owner/owner.h"

enum { OWNER_CPUS_MAX = 64 };

struct owner_launch;
struct owner_form; /* how a digest is made; of owner_content.c */

/* Checked, and small files read; destroy it. */
struct owner_expected {
	const struct owner_form *form;
	const struct owner_content *c; /* borrowed */
	uint8_t digest[SEV_DIGEST_LEN];
	bool have_hashes; /* kernel hashes are launched */
	uint8_t hashes[SEV_KERNEL_HASHES_LEN];
	uint8_t *vmsa; /* owned; n_vmsa pages, the last repeats */
	size_t n_vmsa;
	size_t cpus;	/* VMSA pages launched; 0: none */
	uint32_t reset; /* where the other CPUs start, if pages are made */
	/* direct boot; its form of pages also with firmware */
	struct owner_direct direct;
	const struct launch_plan *plan; /* borrowed from c->planner */
};

/* "legacy" or "init2" into *ret; NULL: legacy. ERR_USAGE: another word. */
int owner_vmsa_profile(const char *word, enum sev_vmsa_profile *ret,
		       struct err *err);

void owner_expected_destroy(struct owner_expected *e);

/*
 * @is_es: VMSA pages are launched too.
 * ERR_USAGE: no form fits the options, or two do
 * ERR_INPUT, ERR_PERM: a file
 */
int owner_expected_load(const struct owner_content *c, bool is_es,
			struct hash256 *h, struct owner_expected *ret,
			struct err *err);

/* SHA-256 over all of it. Reads the firmware. */
int owner_expected_digest(const struct owner_expected *e, struct hash256 *h,
			  uint8_t digest[static SEV_DIGEST_LEN],
			  struct err *err);

/*
 * Change @e to other content that is as good: another form of register page,
 * where the owner has named none. False: there is no other.
 */
bool owner_expected_alternative(struct owner_expected *e, struct err *err);

/*
 * What a host may have done instead, one after the other: @e is changed to
 * that, and @says (of @size bytes) is the sentence for the owner. False: there
 * is nothing more to try. @i counts from 0.
 */
bool owner_expected_vary(struct owner_expected *e, unsigned int i, char *says,
			 size_t size);

/*
 * The names of what differs, by the host's own account in @l, with commas; ""
 * when it tells nothing. For messages: an account proves nothing.
 */
void owner_expected_differ(const struct owner_expected *e,
			   const struct owner_launch *l, struct hash256 *h,
			   char *says, size_t size);

/*
 * What the measurement binds: bits of enum launch_fact. *ret_known is false for
 * a digest that was given: who made it knows what is in it.
 */
uint64_t owner_expected_covered(const struct owner_expected *e,
				bool *ret_known);

/* The same as two lines of words, without the bits of @but. */
void owner_expected_print_covered(const struct owner_expected *e, uint64_t but,
				  FILE *out);

#endif
