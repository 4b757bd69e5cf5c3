/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include <string.h>

#include "base/core_dump.h"

int main(int argc, char **argv)
{
	static struct invocation in;
	int rc;

	/* Whatever it opens may hold a key or an endpoint's secret. */
	core_dump_forbid();
	/* Usage errors too: whoever asked for JSON parses what comes. */
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			failures_as_json();
	rc = invocation_parse(&in, argc, argv);

	if (rc < 0)
		return failure(CONTROL_USAGE, "%s", in.error.text);
	if (rc > 0) {
		if (in.command)
			command_help_print(stdout, in.command);
		else if (in.group)
			group_help_print(stdout, in.group);
		else
			usage_print(stdout);
		return 0;
	}
	return in.command->run(&in);
}
