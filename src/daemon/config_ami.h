/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_AMI_H
#define DAEMON_CONFIG_AMI_H

#include "base/error.h"
#include "daemon/config_schema.h"
#include "indicator/address.h"

/*
 * Whether Asterisk's manager interface can be spoken to with what a section of this kind
 * ("source", "connector") gives: keys address, user, secret_file. Returns 0, or -1 with a
 * text and the key that it is about.
 */
int config_ami_check(const char *section, const struct address *address, const char *user,
	const char *secret_file, const struct config_key **at, struct error *err);

#endif
