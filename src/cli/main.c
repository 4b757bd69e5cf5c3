/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

int main(int argc, char **argv)
{
	static struct invocation in;
	int rc = invocation_parse(&in, argc, argv);

	if (rc < 0)
		return failure(CONTROL_USAGE, "%s", in.error.text);
	if (rc > 0) {
		if (in.command)
			command_help_print(stdout, in.command);
		else
			usage_print(stdout);
		return 0;
	}
	return in.command->run(&in);
}
