/* firmware/image_guess.h - what a file that is no kernel might be. */
#ifndef FIRMWARE_IMAGE_GUESS_H
#define FIRMWARE_IMAGE_GUESS_H

#include <stddef.h>
#include <stdint.h>

enum { IMAGE_GUESS_HEAD = 1024 }; /* more bytes than this tell no more */

/*
 * A phrase with its article, for "it looks like ...", from the first @len
 * bytes of a file. Never NULL; "unknown data" when nothing is recognised.
 */
const char *image_guess(const uint8_t *head, size_t len);

#endif
