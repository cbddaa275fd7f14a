/* vmm/tty.h - the terminal in raw mode, given back on every way out. */
#ifndef VMM_TTY_H
#define VMM_TTY_H

#include <stdbool.h>

struct err;

/*
 * Put the terminal @fd (borrowed, open until tty_restore()) into raw mode, if
 * we are in its foreground. One terminal per process. From then on it is
 * restored by tty_restore(), by exit(), and by a signal that kills us with a
 * core dump. 0: raw now; 1: not a terminal, or not in the foreground.
 */
int tty_raw(int fd, struct err *err);
/* Idempotent; async-signal-safe. */
void tty_restore(void);
/* After SIGCONT: somebody else had the terminal meanwhile. */
void tty_resume(void);
/* Rows and columns of @fd; false when it has none. */
bool tty_size(int fd, unsigned int *ret_rows, unsigned int *ret_cols);

#endif
