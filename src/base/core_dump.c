/* SPDX-License-Identifier: Apache-2.0 */
#include "base/core_dump.h"

#include <sys/prctl.h>
#include <sys/resource.h>

int core_dump_forbid(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none))
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
