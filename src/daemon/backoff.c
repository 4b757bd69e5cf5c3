/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/backoff.h"

usec backoff_next(usec last, usec lived)
{
	if (last < BACKOFF_FIRST || lived >= BACKOFF_HEALTHY)
		return BACKOFF_FIRST;
	if (last >= BACKOFF_MOST / 2)
		return BACKOFF_MOST;
	return last * 2;
}
