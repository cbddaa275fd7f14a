/* vmm/base/log.h - diagnostics on stderr. Components use log_debug() only. */
#ifndef VMM_BASE_LOG_H
#define VMM_BASE_LOG_H

enum log_level { LOG_QUIET = 0, LOG_INFO, LOG_DEBUG };

/*
 * Set once by the command line, before any thread starts. It is the one
 * variable with static storage in the project: a logger handed to every
 * function would be in every prototype and say nothing.
 */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* One line each, prefixed "coffer: ", written by one write(2). Any thread. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
