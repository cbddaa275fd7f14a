/*
 * tests/unit/owner_machine.h - a launch with a firmware as the owner's tools
 * see it: the files that went into it, what the security processor measured,
 * and the report of a host that may lie.
 */
#ifndef TESTS_UNIT_OWNER_MACHINE_H
#define TESTS_UNIT_OWNER_MACHINE_H

#include "crypto/hash256.h"
#include "crypto/sev_measure.h"
#include "owner/owner.h"
#include "tests/unit/owner_fixture.h"

#define MACHINE_COMMAND_LINE "console=ttyS0"

/* What the firmware has seen: an owner's inputs, and more than that. */
struct machine {
	struct sev_measure_input in;
	const char *parts[8]; /* files launched, in order */
	bool hashes;	      /* kernel hashes after the first part */
	uint8_t tik[16];
};

struct machine_fixture {
	struct owner_dir d;
	struct hash256 *h;
	struct machine m;
	struct owner_verify_opts o;
	uint8_t measurement[48];
	uint8_t digest[32];
};

/* The files fw, kernel, initrd, page0, page1, and options that are right. */
int machine_setup(void **state);
int machine_teardown(void **state);

/* SHA-256 of a file of the fixture. */
void machine_hash(struct machine_fixture *f, const char *name, uint8_t *out);
/* What LAUNCH_MEASURE of this machine says. */
void machine_launch(struct machine_fixture *f);
/* The report of the host; it may lie about the digest. */
void machine_report(struct machine_fixture *f, const uint8_t *digest);

/* owner_verify() says yes. */
void machine_verified(struct machine_fixture *f);
/* It says no, and nothing on standard output that could be taken for a yes. */
void machine_refused(struct machine_fixture *f, int code, enum err_kind kind,
		     const char *says);
/* It was not trusted, and the key was not used up. */
void machine_distrusted(struct machine_fixture *f, const char *says);

#endif
