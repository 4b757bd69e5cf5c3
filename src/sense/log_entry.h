/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SENSE_LOG_ENTRY_H
#define SENSE_LOG_ENTRY_H

#include "base/bytes.h"
#include "base/clock.h"

/*
 * A message that comes with its fields apart: from the journal or as remote
 * syslog. All texts are hostile and raw, and valid during the call only.
 */
struct log_entry {
	usec time; /* when it was written, by the writer's clock; 0: it does not say */
	struct view host, app, pid, message; /* n == 0: not given */
};

/* Longest message given out; longer ones are cut or left out, and counted. */
#define LOG_ENTRY_MAX 65536

typedef void log_entry_fn(void *context, const struct log_entry *e);

/*
 * As fail2ban writes an entry of the journal before it looks for failures:
 * "HOST APP[PID]: MESSAGE", without what is not given. At most size bytes
 * (size >= LOG_ENTRY_MAX + 1024 holds any). Returns the bytes written to dst.
 */
struct view log_entry_line(char *dst, size_t size, const struct log_entry *e);

#endif
