/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/node_connector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret_page.h"
#include "daemon/config_connector.h"
#include "daemon/config_secret.h"
#include "daemon/node.h"
#include "daemon/node_connector_state.h"

#define SECRET_MAX 256
/* --- made and freed --- */

static int read_secret(struct node_connector *k, struct error *err)
{
	int n;

	k->secret = secret_page_new();
	if (!k->secret)
		return error_set(
			err, "a page of memory for the secret: %s", strerror(errno));
	n = config_secret_read(k->secret, SECRET_MAX, k->config.secret_file,
		"the secret of manager.conf", err);
	if (n < 0)
		return -1;
	k->secret_size = (size_t)n;
	return 0;
}

static unsigned kinds_of(const struct config_connector *c)
{
	unsigned kinds = 0;

	if (c->type != CONFIG_CONNECTOR_KAMAILIO)
		return 0; /* all that the type can carry */
	if (c->numbers[0])
		kinds |= PBX_KIND(INDICATOR_NUMBER);
	if (c->uris[0])
		kinds |= PBX_KIND(INDICATOR_URI);
	if (c->domains[0])
		kinds |= PBX_KIND(INDICATOR_DOMAIN);
	if (c->addresses[0])
		kinds |= PBX_KIND(INDICATOR_IP4) | PBX_KIND(INDICATOR_IP6);
	return kinds;
}

static void make(struct node_connector *k)
{
	const struct config_connector *c = &k->config;
	const struct connector_callbacks callbacks = node_connector_callbacks(k);
	struct pbx_config pbx = {.name = k->name,
		.seed = hash_key_random(),
		.user = c->user,
		.table_number = c->numbers,
		.table_uri = c->uris,
		.table_domain = c->domains,
		.table_address = c->addresses,
		.kinds = kinds_of(c)};
	struct error err = {""};

	k->ended = c->type == CONFIG_CONNECTOR_HOOK ? "the program has ended" :
						      "the PBX closed the connection";
	if (c->type != CONFIG_CONNECTOR_ASTERISK || !read_secret(k, &err)) {
		pbx.secret = view_of(k->secret, k->secret_size);
		k->c = pbx_connector_new(k->ops, &pbx, &callbacks, &err);
	}
	if (k->c)
		return;
	log_error("[connector \"%s\"] %s; it is not used", k->name, err.text);
	snprintf(k->trouble, sizeof k->trouble, "%.199s", err.text);
}

struct node_connectors *node_connectors_new(struct node *n)
{
	const struct config *config = n->config;
	struct node_connectors *all = calloc(1, sizeof *all);

	if (!all)
		return NULL;
	for (size_t i = 0; i < config->connector_count; i++) {
		struct node_connector *k = &all->list[i];

		k->node = n;
		k->index = (unsigned)i;
		k->config = config->connectors[i];
		snprintf(k->name, sizeof k->name, "%s", k->config.name);
		k->ops = config_connector_ops(&k->config);
		uv_timer_init(&n->loop, &k->timer);
		k->timer.data = k;
		make(k);
	}
	all->count = config->connector_count;
	return all;
}

static void follow_ban(void *context, const struct ban *b)
{
	node_connectors_follow(context, &b->indicator);
}

void node_connectors_start(struct node *n)
{
	node_connectors_recall(n);
	/* Before observe mode: what stood there before this start is then taken off. */
	ban_table_each(n->bans, follow_ban, n);
	EACH_CONNECTOR(n->connectors, k)
	if (k->c)
		pbx_connector_observe(k->c, n->config->node.observe);
	EACH_CONNECTOR(n->connectors, k)
	node_connector_step(k);
}

void node_connectors_follow(struct node *n, const struct indicator *i)
{
	const struct ban *b = NULL;

	/* A PBX knows no ports: of two bans of one indicator the longer counts. */
	for (uint8_t scope = BAN_SIP; scope <= BAN_ALL; scope++) {
		const struct ban *one = ban_table_get(n->bans, i, scope);

		if (one && (!b || one->until > b->until))
			b = one;
	}
	EACH_CONNECTOR(n->connectors, k)
	{
		if (!k->c || !pbx_connector_carries(k->c, i->kind))
			continue;
		pbx_connector_follow(k->c, i, b ? b->origin : 0, b ? b->category : 0,
			b ? b->until : 0, node_now());
		k->dirty = true;
	}
}

void node_connectors_flush(struct node *n)
{
	EACH_CONNECTOR(n->connectors, k)
	if (k->dirty) {
		k->dirty = false;
		node_connector_step(k);
	}
}

bool node_connectors_carry(const struct node *n, uint8_t kind)
{
	EACH_CONNECTOR(n->connectors, k)
	if (k->c && pbx_connector_carries(k->c, kind))
		return true;
	return false;
}

void node_connectors_observe(struct node *n)
{
	EACH_CONNECTOR(n->connectors, k)
	if (k->c && !k->ending && !k->cleared)
		pbx_connector_observe(k->c, n->config->node.observe);
	if (!n->config->node.observe)
		ban_table_each(n->bans, follow_ban, n);
	EACH_CONNECTOR(n->connectors, k)
	node_connector_step(k);
}

bool node_connectors_outdated(const struct node *n, const struct config *config)
{
	struct connector_figures f;

	if (config->connector_count != n->connectors->count)
		return true;
	EACH_CONNECTOR(n->connectors, k)
	{
		if (memcmp(&k->config, &config->connectors[k->index], sizeof k->config))
			return true;
		if (!k->c)
			return true;
		pbx_connector_figures(k->c, &f);
		if (f.refused)
			return true;
	}
	return false;
}

void node_connectors_close(struct node *n)
{
	EACH_CONNECTOR(n->connectors, k)
	{
		k->closing = true;
		node_connector_drop(k);
		uv_close((uv_handle_t *)&k->timer, NULL);
	}
}

void node_connectors_free(struct node_connectors *all)
{
	EACH_CONNECTOR(all, k)
	{
		pbx_connector_free(k->c);
		secret_page_free(k->secret);
	}
	free(all);
}
