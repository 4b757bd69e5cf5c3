/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_ami.h"

int config_ami_check(const char *section, const struct address *address, const char *user,
	const char *secret_file, const struct config_key **at, struct error *err)
{
	char text[ADDRESS_TEXT];

	*at = config_key_find(section, "address");
	/* Account names, numbers and calls would travel in the clear, and could be forged. */
	if (!address_is_loopback(address))
		return error_set(err,
			"%s is another machine, and AMI is not encrypted: let a tunnel "
			"(ssh -L, stunnel, WireGuard with a local forward) end at "
			"127.0.0.1 and name that",
			address_print(text, address));
	*at = config_key_find(section, "user");
	if (!user[0])
		return error_set(err,
			"is empty; name the section of manager.conf, such as sipchain");
	*at = config_key_find(section, "secret_file");
	if (!secret_file[0])
		return error_set(err,
			"is missing; write the secret of manager.conf into a file of its own "
			"(chmod 600) and name that");
	return 0;
}
