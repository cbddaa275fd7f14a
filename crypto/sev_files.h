/*
 * crypto/sev_files.h - where a host keeps what AMD publishes about its
 * processor. The firmware exports neither: the operator puts the files there
 * once, and `coffer sev export --full` adds them to the chain. Under
 * `coffer sim` the simulator answers opens of these two paths with the
 * simulated platform's own.
 */
#ifndef CRYPTO_SEV_FILES_H
#define CRYPTO_SEV_FILES_H

/* The CEK with its ASK signature, 2084 bytes (from AMD, by the chip's id). */
#define SEV_FILE_CEK "/var/lib/coffer/sev/cek.cert"
/* ASK, then ARK, as AMD's ask_ark_*.cert of the processor generation. */
#define SEV_FILE_ASK_ARK "/var/lib/coffer/sev/ask_ark.cert"

#endif
