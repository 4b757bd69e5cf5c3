/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CORE_H
#define BENCH_CORE_H

#include <sched.h>
#include <sys/resource.h>

/* What is measured of one process on one core. */

/* Keep this process to that core. It goes on when the machine has no such core. */
static inline void pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	(void)sched_setaffinity(0, sizeof set, &set);
}

/* The CPU time of this process so far, the kernel's for it included. */
static inline double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

#endif
