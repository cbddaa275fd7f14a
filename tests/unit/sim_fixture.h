/*
 * tests/unit/sim_fixture.h - a simulated firmware for tests, and an owner who
 * makes sessions for it.
 */
#ifndef TESTS_UNIT_SIM_FIXTURE_H
#define TESTS_UNIT_SIM_FIXTURE_H

#include "crypto/sev_session.h"
#include "sim/sim_fault.h"
#include "sim/sim_fw.h"

struct sim_fixture {
	struct sim_fault *faults;
	struct sim_fw *fw;
	struct hash256 *h;
	unsigned int saves; /* how often keys were to be kept */
	int save_result;
};

/* API 1.55 build 24, 4 ASIDs, of which 1 and 2 are for SEV-ES; 3 guests. */
void sim_fixture_init(struct sim_fixture *f);
void sim_fixture_end(struct sim_fixture *f);

struct sim_owner {
	struct sev_session_keys keys;
	uint8_t godh[SEV_CERT_LEN], session[SEV_SESSION_LEN];
};

/* A session for the platform's PDH and @policy. */
void sim_owner_init(struct sim_owner *o, struct sim_fixture *f,
		    uint32_t policy);

/* LAUNCH_START with it. */
struct sim_fw_start sim_owner_start(const struct sim_owner *o, uint32_t policy);

#endif
