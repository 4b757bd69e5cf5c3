/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PBXs that the new configuration no longer names: what stands there is taken away
 * while the connection is still there. Nobody could do so later.
 */
#include "daemon/node_connector.h"

#include <string.h>

#include "base/log.h"
#include "daemon/node.h"
#include "daemon/node_connector_state.h"

/* 20,000 deletions take a second or two; a reload does not wait for long. */
#define LEAVE_WAIT (5 * USEC_PER_SEC)

/* Whether both are the same PBX, and what is written there stands in the same place. */
static bool same_place(const struct config_connector *a, const struct config_connector *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case CONFIG_CONNECTOR_ASTERISK:
		return !memcmp(&a->address, &b->address, sizeof a->address);
	case CONFIG_CONNECTOR_KAMAILIO:
		return !strcmp(a->socket, b->socket) && !strcmp(a->numbers, b->numbers) &&
			!strcmp(a->uris, b->uris) && !strcmp(a->domains, b->domains) &&
			!strcmp(a->addresses, b->addresses);
	default: /* the parent ends the program, which is told so by that */
		return true;
	}
}

static bool named_in(const struct config *config, const struct config_connector *c)
{
	for (size_t i = 0; i < config->connector_count; i++)
		if (same_place(&config->connectors[i], c))
			return true;
	return false;
}

static void warn(const struct node_connector *k)
{
	log_warning("[connector \"%s\"] is no longer configured, and what stands in that "
		    "PBX could not be taken away: it blocks until its own end. Ask "
		    "for its removal before (sipchain connector clear %s), or remove "
		    "it there by hand: %s",
		k->name, k->name,
		k->config.type == CONFIG_CONNECTOR_ASTERISK ?
			"asterisk -rx 'database deltree sipchain num'" :
			"kamcmd htable.flush TABLE");
}

bool node_connectors_leave(struct node *n, const struct config *config)
{
	struct node_connectors *all = n->connectors;
	struct connector_figures f;

	EACH_CONNECTOR(all, k)
	{
		if (!k->c || k->ending || k->config.type == CONFIG_CONNECTOR_HOOK ||
			named_in(config, &k->config))
			continue;
		pbx_connector_figures(k->c, &f);
		if (f.state == CONNECTOR_OFF)
			continue;
		if (f.state != CONNECTOR_READY) {
			warn(k);
			continue;
		}
		log_notice(
			"[connector \"%s\"] is no longer configured: what stands there "
			"is taken away",
			k->name);
		k->ending = all->leaving = true;
		pbx_connector_observe(k->c, true);
	}
	if (!all->leaving)
		return false;
	if (!all->leave)
		all->leave = clock_monotonic() + LEAVE_WAIT;
	EACH_CONNECTOR(all, k)
	if (k->ending)
		node_connector_step(k);
	return true;
}

void node_connectors_left(struct node *n)
{
	struct node_connectors *all = n->connectors;
	bool late = clock_monotonic() >= all->leave;
	struct connector_figures f;

	EACH_CONNECTOR(all, k)
	{
		if (!k->ending)
			continue;
		pbx_connector_figures(k->c, &f);
		if (f.state == CONNECTOR_OFF) {
			k->ending = false;
			continue;
		}
		if (!late)
			return;
		warn(k);
	}
	all->leaving = false;
	n->again = true;
	uv_stop(&n->loop);
}
