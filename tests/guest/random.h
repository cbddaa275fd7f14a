/* tests/guest/random.h - the same "random" numbers in every run. */
#ifndef TESTS_GUEST_RANDOM_H
#define TESTS_GUEST_RANDOM_H

#include <stdint.h>

/* xorshift64*, Vigna 2014; @state is not 0. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

/* Numbers at the edges of things, more often than not. */
static inline uint64_t next_nasty(uint64_t *state)
{
	uint64_t r = next_random(state), one = 1;

	switch (r & 7) {
	case 0:
		return 0;
	case 1:
		return ~(uint64_t)0;
	case 2:
		return one << (r >> 8 & 63);
	case 3:
		return (one << (r >> 8 & 63)) - 1;
	case 4:
		return r >> 8 & 0xff;
	default:
		return next_random(state);
	}
}

#endif
