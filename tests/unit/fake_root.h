/* tests/unit/fake_root.h - a directory that plays / of a made-up host. */
#ifndef TESTS_UNIT_FAKE_ROOT_H
#define TESTS_UNIT_FAKE_ROOT_H

enum { FAKE_ROOT_MAX = 32 }; /* bytes of its path */

/* Make an empty one in /tmp; @ret_root is its path. */
void fake_root_create(char ret_root[static FAKE_ROOT_MAX]);
/* Remove it and all below it. */
void fake_root_destroy(const char *root);
/* Write @text to @root@path; directories above it are made. */
void fake_root_put(const char *root, const char *path, const char *text);

#endif
