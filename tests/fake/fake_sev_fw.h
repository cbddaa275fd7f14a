/*
 * tests/fake/fake_sev_fw.h - a security processor that remembers what it was
 * asked, keeps a guest's state, and fails where a test says so.
 */
#ifndef TESTS_FAKE_FAKE_SEV_FW_H
#define TESTS_FAKE_FAKE_SEV_FW_H

#include "crypto/sev_fw.h"

enum { FAKE_SEV_FW_CALLS = 256 };

struct fake_sev_fw {
	struct sev_fw fw;
	/* Fail the @fail_at-th call (from 1) of @fail_cmd; 0: none. */
	enum sev_fw_cmd fail_cmd;
	unsigned int fail_at;
	int fail_code; /* negative errno */
	uint32_t fail_status;
	uint32_t lie_state; /* not 0: what GUEST_STATUS says */
	uint32_t lie_policy;

	enum sev_guest_state state;
	uint32_t policy, handle;
	unsigned int n[SEV_FW_CMD_COUNT]; /* calls so far */
	size_t n_calls;
	struct sev_fw_call call[FAKE_SEV_FW_CALLS];
	uint64_t pinned; /* bytes */
};

void fake_sev_fw_init(struct fake_sev_fw *f);

#endif
