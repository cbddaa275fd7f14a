/* vmm/nearest.c - edit distance with swaps, over short words. */
#include "vmm/nearest.h"

#include <stddef.h>
#include <string.h>

static unsigned int min_of(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * Insertions, deletions, replacements and swaps of neighbours that turn @a
 * into @b ("optimal string alignment" distance). Both at most
 * NEAREST_WORD_MAX long.
 */
static unsigned int distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned int row[3][NEAREST_WORD_MAX + 1];
	unsigned int *prev2 = row[0], *prev = row[1], *cur = row[2];

	for (size_t j = 0; j <= nb; j++)
		prev[j] = (unsigned int)j;
	for (size_t i = 1; i <= na; i++) {
		cur[0] = (unsigned int)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned int d = prev[j - 1] + (a[i - 1] != b[j - 1]);

			d = min_of(d, min_of(prev[j], cur[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d = min_of(d, prev2[j - 2] + 1);
			cur[j] = d;
		}
		unsigned int *oldest = prev2;

		prev2 = prev;
		prev = cur;
		cur = oldest;
	}
	return prev[nb];
}

void nearest_start(struct nearest *n, const char *word)
{
	size_t len = strlen(word);

	n->word = word;
	n->best = NULL;
	/* One mistake in every three letters still looks like a mistake. */
	n->distance = (unsigned int)(len > 2 ? len / 3 + 1 : 1) + 1;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	size_t na = strlen(n->word), nb = strlen(candidate);
	unsigned int d;

	if (na > NEAREST_WORD_MAX || nb > NEAREST_WORD_MAX)
		return;
	d = distance(n->word, na, candidate, nb);
	if (d < n->distance) {
		n->distance = d;
		n->best = candidate;
	}
}
