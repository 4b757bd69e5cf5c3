/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_api.h"
#include "daemon/config_chain.h"
#include "daemon/config_honeypot.h"
#include "daemon/config_numbers.h"
#include "daemon/config_named.h"

#include <stdio.h>
#include <stdlib.h>

const struct config_section config_sections[] = {
	{"node", "This node."},
	{"member", "What this node signs with. Which member it is follows from the key."},
	{"ledger", "The history shared with the other members."},
	{"hep",
		"HEP3 from Asterisk (res_hep_pjsip), Kamailio (siptrace), OpenSIPS, FreeSWITCH:\n"
		"the best sensor, since it shows every SIP message in both directions."},
	{"honeypot",
		"A PBX that is none: whoever speaks to it attacks. It is on when something\n"
		"listens; give it addresses or ports that nobody else has."},
	{"security_log",
		"Asterisk's security events: security.json => [json]security in logger.conf."},
	{"connector",
		"PBXs that calls to blocked numbers are refused in. Each has a section with a\n"
		"name, as many as there are PBXs."},
	{"source",
		"Other sources of observations, each with a name of its own; up to 16, of any of\n"
		"these types."},
	{"detect", "When a source is banned: ATTEMPTS/WINDOW, or off."},
	{"report", "What this node tells the other members."},
	{"numbers",
		"How one dials here, and what is done with the numbers, SIP URIs and domains that\n"
		"attackers call. Without a country only numbers with an international prefix\n"
		"that can mean but one are told."},
	{"evidence",
		"The records behind this node's reports, which it shows to the owner of a listed\n"
		"address (sipchain evidence)."},
	{"policy",
		"The quorum that this node asks for before it follows the other members, as a\n"
		"sum of members' weights, by proof class and by kind. The greatest of these and of\n"
		"the ledger's threshold counts: more may be asked for, never less. 0: what the\n"
		"ledger asks. never: reports of that class or kind have no effect here."},
	{"allow", "What this node never bans, whatever anybody says."},
	{"enforce", "What carries bans out."},
	{"api", "The HTTP API, which docs/openapi.json describes; it begins with a restart."},
	{"token",
		"Who may use the HTTP API, each with a name of its own; up to 16. They change with\n"
		"a restart."},
	{"webhook",
		"Who is sent what happens here: events, in order, signed, by HTTP POST, again and\n"
		"again until they are taken. Each has a section with a name; up to 16."},
};

const size_t config_sections_count = sizeof config_sections / sizeof config_sections[0];

const struct config_key *config_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < config_keys_count; i++)
		if (strcmp(config_keys[i].section, section) == 0 &&
			strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	return NULL;
}

const struct config_section *config_section_find(const char *name)
{
	for (size_t i = 0; i < config_sections_count; i++)
		if (strcmp(config_sections[i].name, name) == 0)
			return &config_sections[i];
	return NULL;
}

void config_defaults(struct config *c)
{
	struct error err;

	memset(c, 0, sizeof *c);
	c->detect = detect_config_default;
	c->policy = policy_default;
	c->enforce.nft = nft_config_default;
	for (size_t i = 0; i < config_keys_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (k->fallback && !config_key_is_named(k) &&
			config_value_parse(c, k, view_str(k->fallback), &err)) {
			fprintf(stderr, "[%s] %s: %s\n", k->section, k->name, err.text);
			abort();
		}
	}
}

/* The key whose value stands at offset. */
static const struct config_key *key_at(size_t offset)
{
	for (size_t i = 0; i < config_keys_count; i++)
		if (config_keys[i].offset == offset)
			return &config_keys[i];
	abort();
}

void config_complete(struct config *c)
{
	bool chain = c->ledger.type == CONFIG_LEDGER_ETHEREUM;

	if (!c->ledger.path[0])
		snprintf(c->ledger.path, sizeof c->ledger.path, "%s",
			chain ? CONFIG_PATH_ETHEREUM : CONFIG_PATH_LOCAL);
	if (chain)
		memcpy(c->ledger.ethereum.journal, c->ledger.path,
			sizeof c->ledger.ethereum.journal);
	else
		explicit_bzero(&c->ledger.ethereum, sizeof c->ledger.ethereum);
}

_Static_assert(sizeof(((struct ethereum_settings *)0)->journal) == CONFIG_PATH_MAX,
	"a path fits");

int config_cross_check(
	const struct config *c, const struct config_key **at, struct error *err)
{
	if (c->ledger.type == CONFIG_LEDGER_ETHEREUM && config_chain_check(c, at, err))
		return -1;
	if (config_honeypot_check(c, at, err))
		return -1;
	if (config_numbers_check(c, at, err))
		return -1;
	if (c->detect.ban > c->detect.ban_max) {
		*at = key_at(offsetof(struct config, detect.ban_max));
		return error_set(
			err, "is shorter than [detect] ban; make it as long at least");
	}
	if (c->enforce.type == CONFIG_ENFORCE_NFTABLES && !c->enforce.nft.ports_count) {
		*at = key_at(offsetof(struct config, enforce.nft.ports));
		return error_set(
			err, "names no port; write one at least, such as 5060-5061");
	}
	return config_api_check(c, at, err);
}
