/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_connector.h"

#include <stdio.h>

#include "daemon/config_ami.h"

const char *const config_connector_help[] = {
	[CONFIG_CONNECTOR_ASTERISK] =
		"Asterisk, by its manager interface: blocked numbers stand in AstDB, where the\n"
		"dialplan include (sipchain.conf) looks before a call goes to a trunk.",
	[CONFIG_CONNECTOR_KAMAILIO] =
		"Kamailio, by its JSON-RPC datagram socket: what is blocked stands in htables.",
	[CONFIG_CONNECTOR_HOOK] =
		"Anything else: a program that reads one JSON object a line from its standard\n"
		"input.",
};

static const struct config_named *kind(void)
{
	return config_named_find(CONFIG_CONNECTOR_SECTION);
}

static const struct config_key *key_of(const char *name)
{
	return config_key_find(CONFIG_CONNECTOR_SECTION, name);
}

const char *config_connector_type_name(uint8_t type)
{
	return config_named_type(kind(), type);
}

static int check_kamailio(
	const struct config_connector *c, const struct config_key **at, struct error *err)
{
	*at = key_of("socket");
	if (!c->socket[0])
		return error_set(err,
			"is missing; write the path that Kamailio's "
			"modparam(\"jsonrpcs\", \"dgram_socket\", ...) has");
	*at = key_of("numbers");
	if (!c->numbers[0] && !c->uris[0] && !c->domains[0] && !c->addresses[0])
		return error_set(err,
			"is empty, and so are uris, domains and addresses: "
			"nothing would be carried there");
	return 0;
}

int config_connector_check(
	const void *one, const struct config_key **at, struct error *err)
{
	const struct config_connector *c = one;

	switch (c->type) {
	case CONFIG_CONNECTOR_ASTERISK:
		return config_ami_check(CONFIG_CONNECTOR_SECTION, &c->address.address,
			c->user, c->secret_file, at, err);
	case CONFIG_CONNECTOR_KAMAILIO:
		return check_kamailio(c, at, err);
	case CONFIG_CONNECTOR_HOOK:
		*at = key_of("program");
		return c->program[0] ? 0 :
				       error_set(err,
					       "is missing; write the program's "
					       "absolute path");
	default:
		return config_named_typeless(kind(), at, err);
	}
}

const struct pbx_ops *config_connector_ops(const struct config_connector *c)
{
	return pbx_type(config_connector_type_name(c->type));
}

const char *config_connector_reply(
	char *dst, size_t size, const struct config *c, const struct config_connector *k)
{
	if (k->reply[0])
		snprintf(dst, size, "%s", k->reply);
	else
		snprintf(dst, size, "%s/%s.reply", c->node.run, k->name);
	return dst;
}
