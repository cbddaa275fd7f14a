/* vmm/cli/ctl_show.h - what the control socket says, for people. */
#ifndef VMM_CLI_CTL_SHOW_H
#define VMM_CLI_CTL_SHOW_H

#include <jansson.h>
#include <stdio.h>

/* The answer of GET /v1/vm. */
void ctl_show_vm(const json_t *vm, FILE *f);

/* The word at @key of an answer, printable; "?" when there is none. */
const char *ctl_word(const json_t *j, const char *key);

#endif
