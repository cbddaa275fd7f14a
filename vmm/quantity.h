/* vmm/quantity.h - numbers, sizes and durations as people write them. */
#ifndef VMM_QUANTITY_H
#define VMM_QUANTITY_H

#include <stdint.h>

/*
 * The whole of @text must be the quantity: no sign, no white space.
 * -EINVAL      not of this form
 * -ERANGE      does not fit in 64 bits
 * *ret is untouched on error.
 */

/* Decimal, or hexadecimal after 0x. A leading 0 does not mean octal. */
int quantity_parse_number(const char *text, uint64_t *ret);

/*
 * Decimal with an optional binary suffix: K, M, G, T (or k, m, g, t) or KiB,
 * MiB, GiB, TiB. KB and the like are refused, because people disagree on them.
 */
int quantity_parse_size(const char *text, uint64_t *ret_bytes);

/* Seconds with up to three decimals, as milliseconds: "90", "0.25". */
int quantity_parse_seconds(const char *text, uint64_t *ret_ms);

enum { QUANTITY_TEXT_MAX = 32 }; /* bytes, enough for every format below */

/* As quantity_parse_size() reads it: "512M", "4097". */
const char *quantity_format_size(uint64_t bytes,
				 char buf[static QUANTITY_TEXT_MAX]);
/* As quantity_parse_seconds() reads it: "1.5". */
const char *quantity_format_seconds(uint64_t ms,
				    char buf[static QUANTITY_TEXT_MAX]);

#endif
