/* vmm/console_open.h - turns --console into descriptors. */
#ifndef VMM_CONSOLE_OPEN_H
#define VMM_CONSOLE_OPEN_H

#include <stdbool.h>

#include "vmm/config.h"
#include "vmm/console.h"
#include "vmm/unix_listen.h"

struct err;

/* What console_open() made, and what console_close() must undo. */
struct console_files {
	struct console_params params;
	int own[2];	   /* descriptors to close, or -1 */
	char *unlink_path; /* socket to remove, or NULL */
	struct unix_name name;
	const char *file; /* borrowed from the configuration, or NULL */
	bool raw;	  /* the terminal is in raw mode */
};

/*
 * Open, listen, or make the terminal raw. A pty's name is printed on stderr.
 * The message names --console and says what to do.
 * -EADDRINUSE  another process listens on the socket; a stale socket is
 *              replaced, any other kind of file is not
 */
int console_open(const struct console_config *c, struct console_files *ret,
		 struct err *err);
/*
 * What was in the file of file=PATH goes: just before the guest starts, and
 * after its disks were opened. A start that fails earlier takes nothing away.
 * -EBUSY       it is locked, as a disk is
 */
int console_empty_file(const struct console_files *f, struct err *err);
/* Give everything back. Fine after a failed or missing console_open(). */
void console_close(struct console_files *f);
/* "Nothing is open": what console_files must be initialised with. */
void console_files_init(struct console_files *f);

#endif
