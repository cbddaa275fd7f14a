/* vmm/nearest.h - "did you mean": the known word nearest to a mistyped one. */
#ifndef VMM_NEAREST_H
#define VMM_NEAREST_H

enum { NEAREST_WORD_MAX = 31 }; /* bytes; longer words are near to nothing */

struct nearest {
	const char *word; /* borrowed from the caller */
	const char *best; /* NULL: no candidate is near enough */
	unsigned int distance;
};

void nearest_start(struct nearest *n, const char *word);
/* @candidate is borrowed; the first of equally near ones stays. */
void nearest_offer(struct nearest *n, const char *candidate);

#endif
