/*
 * vmm/console.h - the host's end of the serial console.
 *
 * The guest's end gives bytes from vCPU threads and takes bytes in the loop's
 * thread. Giving never blocks, since devices give under their locks; writing
 * them out may, and is a step of its own (console_flush).
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct console; /* opaque */
struct console_port;
struct err;
struct loop;

enum {
	/*
	 * Bytes kept for a reader that is slow or not there yet. When a
	 * socket or pty has no reader the oldest go; stdio and files never
	 * lose any, and the guest waits instead.
	 */
	CONSOLE_BUFFER = 16384,
};

/* Who is behind the descriptors. */
enum console_style {
	CONSOLE_STYLE_NONE,   /* output vanishes, no input */
	CONSOLE_STYLE_STREAM, /* in_fd and out_fd; lossless */
	CONSOLE_STYLE_LISTEN, /* out_fd listens; one client at a time */
	CONSOLE_STYLE_PTY,    /* out_fd is a pty master */
};

struct console_params {
	enum console_style style;
	int in_fd;    /* -1: no input. Borrowed. */
	int out_fd;   /* borrowed; non-blocking for LISTEN and PTY */
	bool escapes; /* Ctrl-A commands are for us: a person is typing */
};

/* What the console asks of the machine it is plugged into. */
struct console_port_ops {
	/* Take up to @len bytes of input; return how many. Loop's thread. */
	size_t (*input)(struct console_port *p, const uint8_t *buf, size_t len);
	/* Call console_output() with whatever waits there. Loop's thread. */
	void (*flush)(struct console_port *p);
};

struct console_port {
	const struct console_port_ops *ops;
};

/* What a person typed to us. Loop's thread. */
enum console_command {
	CONSOLE_CMD_END,	  /* Ctrl-A x */
	CONSOLE_CMD_POWER_BUTTON, /* Ctrl-A p */
};

struct console_owner_ops {
	void (*command)(void *arg, enum console_command cmd);
};

/* @ops and @arg, @loop are borrowed. Descriptors stay the caller's. */
int console_create(const struct console_params *p, struct loop *loop,
		   const struct console_owner_ops *ops, void *arg,
		   struct console **ret, struct err *err);
/* Writes what is left, as far as that does not block for over a second. */
void console_destroy(struct console *c);
DEFINE_CLEANUP(struct console, console_destroy)

/* Plug in a machine, or NULL. Loop's thread; no vCPU runs. */
void console_plug(struct console *c, struct console_port *port);

/* Bytes from the guest. Any thread, never blocks. */
void console_output(struct console *c, const uint8_t *buf, size_t len);
/*
 * The port holds the beginning of a line back: ask it to flush some
 * milliseconds from now. Any thread, cheap to repeat.
 */
void console_output_pending(struct console *c);
/*
 * Write what was given. A vCPU thread calls it after each port access, with
 * no lock held: it may block when the reader is slow, and returns early when
 * the thread gets a signal after console_abandon().
 */
void console_flush(struct console *c);
/*
 * The same without blocking, for a loop that has nobody else to do it: write
 * what can be, and go on when more can. Loop's thread. After progress,
 * console_port_ops.flush is called.
 */
void console_write_ready(struct console *c);
/* Would console_output() of 4 KiB lose nothing? */
bool console_has_room(struct console *c);
/* Write what is there, patiently: false, when a second was not enough. */
bool console_write_last(struct console *c);
/* The guest has room for input again. Any thread. */
void console_input_ready(struct console *c);
/* The machine is being stopped: do not let writers block any more. */
void console_abandon(struct console *c);

/* Bytes that no reader took. */
uint64_t console_lost(const struct console *c);

#endif
