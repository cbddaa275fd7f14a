/*
 * vmm/cli/sev_command.h - the commands of `coffer sev`: what is asked of the
 * platform, and what is printed or written of its answers.
 */
#ifndef VMM_CLI_SEV_COMMAND_H
#define VMM_CLI_SEV_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct err;
struct sev_dev;

struct sev_command {
	const char *name;   /* "status", ... */
	char *const *files; /* borrowed */
	size_t n_files;
	bool json, full, yes;
	/* Where AMD's certificates are looked for below; "" but in tests. */
	const char *root;
	FILE *out;
	/*
	 * Ask a person; the line they typed is in @line. False: there is nobody
	 * to ask.
	 */
	bool (*ask)(void *arg, const char *question, char *line, size_t size);
	void *arg; /* of ask() */
};

/*
 * -EINVAL with ERR_USAGE: there is no such command (the nearest one is named),
 * or it takes no such option
 */
int sev_command_check(const struct sev_command *c, struct err *err);

/*
 * Carry it out; sev_command_check() has liked it. Files are written whole or
 * not at all.
 * ERR_USAGE    a file is not named; who was asked has not said yes (-ECANCELED)
 * ERR_INPUT    a file is not what it should be
 * and the errors of vmm/kvm/sev_dev.h
 */
int sev_command_run(const struct sev_command *c, const struct sev_dev *d,
		    struct err *err);

#endif
