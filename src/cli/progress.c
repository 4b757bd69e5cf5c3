/* SPDX-License-Identifier: Apache-2.0 */
/* A sign of life for whatever takes longer than a second. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/command.h"

static char label[80];
static size_t label_length;
static volatile sig_atomic_t seconds;

/* In a signal handler nothing but write(2) may be used. */
static void on_second(int number)
{
	char line[sizeof label + 24];
	unsigned value = (unsigned)++seconds, at = sizeof line;
	int saved = errno;
	ssize_t put;

	(void)number;
	line[--at] = 's';
	line[--at] = ' ';
	do
		line[--at] = (char)('0' + value % 10);
	while (value /= 10);
	at -= (unsigned)label_length;
	for (size_t i = 0; i < label_length; i++)
		line[at + i] = label[i];
	put = write(STDERR_FILENO, line + at, sizeof line - at);
	(void)put;
	errno = saved;
}

/* Let SIGALRM come each second, or no more. */
static void each_second(int every)
{
	const struct itimerval timer = {{every, 0}, {every, 0}};
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = every ? on_second : SIG_IGN;
	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void progress_begin(const char *what)
{
	if (!isatty(STDERR_FILENO))
		return;
	snprintf(label, sizeof label, "\r%s ... ", what);
	label_length = strlen(label);
	seconds = 0;
	each_second(1);
}

void progress_end(void)
{
	if (!label_length)
		return;
	each_second(0);
	if (seconds)
		fputs("\r\033[K", stderr);
	label_length = 0;
	seconds = 0;
}
