/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/local_file.h"

int64_t local_export(
	const char *path, local_event_fn *event, void *context, struct error *err)
{
	struct local *l = local_attach(path, err);
	int64_t rc = -1;

	if (!l)
		return -1;
	if (local_read(l, event, context, err) >= 0)
		rc = (int64_t)l->row;
	local_close(l);
	return rc;
}
