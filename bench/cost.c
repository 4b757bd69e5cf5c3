/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost FILE COMMAND...: run it and write "NANOSECONDS MICROSECONDS KILOBYTES" into
 * FILE: the time from before its start until its end was seen, the processor
 * time of it, and the most memory that it had resident. Leaves with its status.
 *
 * A program of its own because the kernel counts what a process had before
 * execve() as its memory too: started by a Python, everything has Python's.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long microseconds(const struct timeval *t)
{
	return t->tv_sec * 1000000LL + t->tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long long begun;
	int status, rc;
	pid_t pid;
	FILE *f;

	if (argc < 3) {
		fprintf(stderr, "usage: %s FILE COMMAND...\n", argv[0]);
		return 2;
	}
	begun = now();
	rc = posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (rc || wait4(pid, &status, 0, &usage) != pid) {
		fprintf(stderr, "cost: %s: %s\n", argv[2], strerror(rc ? rc : errno));
		return 1;
	}
	begun = now() - begun;
	f = fopen(argv[1], "w");
	if (!f ||
		fprintf(f, "%lld %lld %ld\n", begun,
			microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime),
			usage.ru_maxrss) < 0 ||
		fclose(f)) {
		fprintf(stderr, "cost: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
