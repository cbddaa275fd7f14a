/* vmm/status_file.h - --status-file: how and why a run ended, as JSON. */
#ifndef VMM_STATUS_FILE_H
#define VMM_STATUS_FILE_H

#include "vmm/exit_status.h"

struct err;

/*
 * Can @path be written at the end? Called before a guest starts, so that a
 * mistyped name does not cost its run. Writes nothing.
 * -ENOENT, -ENOTDIR, -EISDIR (ERR_INPUT); -EACCES, -EROFS (ERR_PERM)
 */
int status_file_check(const char *path, struct err *err);

/*
 * Write {"how", "why", "value", "exit_status", "coffer_version"}, "protection"
 * of a guest that ran, and, when there was a machine, "counters": {device:
 * {name: number}}, to @path. A
 * reader sees the old file or the whole new one: it is written beside @path and
 * renamed. What is there and is no regular file (a pipe, /dev/null) is written
 * to directly.
 * Negative errno with ERR_PERM or ERR_HOST.
 */
int status_file_write(const char *path, const struct run_result *res,
		      int exit_status, struct err *err);

#endif
