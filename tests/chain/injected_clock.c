/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks of a daemon under test: the machine's, and what the test adds.
 *
 * SIPCHAIN_TEST_CLOCK names a file of two 64-bit numbers, nanoseconds: what is
 * added to every clock, and what to the time of day besides. The test changes
 * them while the daemon runs, so that an hour passes at once. Without the
 * variable everything is libc's. This stands in the tests' own program and in no
 * library: a program's definitions take the place of libc's for all that it
 * loads, libuv, libcurl and SQLite too. Each role maps the file when it is
 * loaded, before its sandbox closes.
 *
 * A wait ends when its time is over by the changed clock: the kernel, which knows
 * nothing of it, is asked to wait in short pieces.
 */
#undef _FORTIFY_SOURCE /* its inline poll() is no function to take the place of */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PIECE_MS    50
#define NS_PER_SEC  INT64_C(1000000000)
#define NS_PER_MS   INT64_C(1000000)
#define SIGSET_SIZE 8 /* the kernel's, not libc's */

static const struct added {
	_Atomic int64_t all, wall;
} * added; /* NULL: nothing */

__attribute__((constructor)) static void map_clock(void)
{
	const char *path = getenv("SIPCHAIN_TEST_CLOCK");
	void *p = MAP_FAILED;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		p = mmap(NULL, sizeof *added, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		perror(path);
		_exit(1);
	}
	close(fd);
	added = p;
}

static int64_t added_to(clockid_t id)
{
	if (!added)
		return 0;
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		return atomic_load(&added->all) + atomic_load(&added->wall);
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME:
		return atomic_load(&added->all);
	default:
		return 0; /* what a process or a thread has used */
	}
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t more = added_to(id), ns;

	if (syscall(SYS_clock_gettime, id, ts))
		return -1;
	ns = ts->tv_nsec + more % NS_PER_SEC;
	ts->tv_sec += more / NS_PER_SEC;
	if (ns < 0 || ns >= NS_PER_SEC) {
		ts->tv_sec += ns < 0 ? -1 : 1;
		ns += ns < 0 ? NS_PER_SEC : -NS_PER_SEC;
	}
	ts->tv_nsec = (long)ns;
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *at)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (at)
		*at = ts.tv_sec;
	return ts.tv_sec;
}

/* --- waiting --- */

static int64_t steady_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / NS_PER_MS;
}

/* How long the kernel may wait at once; end: steady_ms(), negative never. */
static int piece(int64_t end)
{
	int64_t left = end < 0 ? PIECE_MS : end - steady_ms();

	return (int)(left < 0 ? 0 : left < PIECE_MS ? left : PIECE_MS);
}

int epoll_pwait(
	int fd, struct epoll_event *events, int max, int timeout, const sigset_t *signals)
{
	int64_t end = timeout < 0 ? -1 : steady_ms() + timeout;
	int n;

	do {
		n = (int)syscall(SYS_epoll_pwait, fd, events, max,
			added ? piece(end) : timeout, signals, SIGSET_SIZE);
	} while (n == 0 && added && (end < 0 || steady_ms() < end));
	return n;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	return epoll_pwait(fd, events, max, timeout, NULL);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	int64_t end = timeout < 0 ? -1 : steady_ms() + timeout;
	struct timespec wait;
	int ms, n;

	do {
		ms = added ? piece(end) : timeout;
		wait = (struct timespec){ms / 1000, ms % 1000 * NS_PER_MS};
		n = (int)syscall(
			SYS_ppoll, fds, count, ms < 0 ? NULL : &wait, NULL, SIGSET_SIZE);
	} while (n == 0 && added && (end < 0 || steady_ms() < end));
	return n;
}
