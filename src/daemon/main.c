/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/start.h"

int main(int argc, char **argv)
{
	static role_fn *const roles[ROLE_COUNT] = {
		[ROLE_SENSE] = role_sense,
		[ROLE_NODE] = role_node,
		[ROLE_LEDGER] = role_ledger,
		[ROLE_ENFORCE] = role_enforce,
		[ROLE_DELIVER] = role_deliver,
	};

	return daemon_start(argc, argv, roles);
}
