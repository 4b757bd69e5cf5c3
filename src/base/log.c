/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_MAX_BYTES 2048

static const char *log_role = "sipchain";
static enum log_level log_most = LOG_LEVEL_INFO;
static bool log_journal;

/*
 * systemd sets JOURNAL_STREAM=device:inode and it stays set in children whose
 * standard error goes elsewhere: only a match means a journal
 * (systemd.exec(5)).
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	if (!stream || sscanf(stream, "%ju:%ju", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
		st.st_ino == inode;
}

void log_open(const char *role, enum log_level most)
{
	log_role = role;
	log_most = most;
	log_journal = stderr_is_journal();
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "?";
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES], time[21];
	size_t start, at;
	va_list ap;
	int n;

	if (level > log_most)
		return;
	if (log_journal)
		n = snprintf(line, sizeof(line), "<%d>%s: ", (int)level, log_role);
	else
		n = snprintf(line, sizeof(line),
			"%s %s %s: ", clock_rfc3339(time, clock_wall() / USEC_PER_SEC),
			level_name(level), log_role);
	if (n < 0 || (size_t)n >= sizeof(line) / 2)
		return;
	start = at = (size_t)n;
	va_start(ap, fmt);
	n = vsnprintf(line + at, sizeof(line) - 1 - at, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	at = start + strlen(line + start);
	/*
	 * Callers escape what they do not trust; should one forget it, a line
	 * break must still not make a second, forged line.
	 */
	for (size_t i = start; i < at; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[at++] = '\n';
	/* One write a line keeps lines whole; a lost line is no reason to stop. */
	if (write(STDERR_FILENO, line, at) < 0)
		return;
}
