/*
 * tests/fuzz/fuzz_sim_state.c - a simulated platform's file with any content.
 * Its digest is made right first: what is behind that check is to be found.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash256_openssl.h"
#include "sim/sim_state.h"
#include "vmm/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	AUTO(hash256_destroyp) struct hash256 *h = hash256_openssl_create();
	uint8_t *copy = malloc(len + 1);
	struct sim_keys k;
	struct err err = {0};

	if (!h || !copy)
		abort();
	memcpy(copy, data, len);
	if (len == SIM_STATE_LEN)
		hash256_of(h, copy, SIM_STATE_DIGEST, copy + SIM_STATE_DIGEST);
	if (!sim_state_parse(copy, len, h, &k, &err))
		sim_keys_destroy(&k);
	else if (!err.msg[0])
		abort(); /* refused without a reason */
	free(copy);
	return 0;
}
