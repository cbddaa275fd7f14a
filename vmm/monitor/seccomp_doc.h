/* vmm/monitor/seccomp_doc.h - the table as a page of documentation. */
#ifndef VMM_MONITOR_SECCOMP_DOC_H
#define VMM_MONITOR_SECCOMP_DOC_H

#include <stdio.h>

/* All of docs/seccomp.md. */
void seccomp_doc_print(FILE *out);
/* A line per entry: kind, index, call, host-dependent or "always", detail. */
void seccomp_doc_list(FILE *out);

#endif
