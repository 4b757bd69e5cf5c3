/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where entries of this node's may stand, in the store: a section may be taken out of
 * the configuration while sipchaind is down, and nobody else knows why calls are
 * refused there then. What is needed to reach that PBX again is not kept (for Asterisk
 * it is a secret; and the parent, which is root, connects to what is configured and to
 * nothing that a role asks for), so that people are told and do the rest.
 */
#include "daemon/node_connector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "daemon/config_connector.h"
#include "daemon/node.h"
#include "daemon/node_connector_state.h"
#include "store/connector_row.h"

/* Rows looked at; who removes more sections in his life hears of the first. */
#define ROWS_MAX 64
/* The mark without which nothing in Kamailio's tables counts lives so long. */
#define KAMAILIO_ENDS (7 * 86400)

struct places {
	struct connector_row row[ROWS_MAX];
	size_t count;
};

static char *place_of(char dst[CONNECTOR_ROW_PLACE], const struct config_connector *c)
{
	const char *const tables[] = {c->numbers, c->uris, c->domains, c->addresses};
	char address[ADDRESS_TEXT];
	size_t n;

	if (c->type == CONFIG_CONNECTOR_ASTERISK) {
		snprintf(dst, CONNECTOR_ROW_PLACE, "Asterisk at %s port %u",
			address_print(address, &c->address.address), c->address.port);
		return dst;
	}
	n = (size_t)snprintf(
		dst, CONNECTOR_ROW_PLACE, "Kamailio at %s, tables", c->socket);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		if (tables[i][0] && n < CONNECTOR_ROW_PLACE)
			n += (size_t)snprintf(
				dst + n, CONNECTOR_ROW_PLACE - n, " %s", tables[i]);
	return dst;
}

/* --- what is noted --- */

static void note(const struct node_connector *k)
{
	struct connector_row row = {.type = k->config.type};
	struct error err = {""};

	place_of(row.place, &k->config);
	memcpy(row.name, k->name, sizeof k->name);
	if (connector_row_put(k->node->store, &row, &err))
		log_error("store: %s", err.text);
}

void node_connector_note(struct node_connector *k)
{
	char place[CONNECTOR_ROW_PLACE];
	struct connector_figures f;
	struct error err = {""};

	/* A hook's program is ended, and told so by that. */
	if (k->config.type == CONFIG_CONNECTOR_HOOK)
		return;
	if (k->noted && !k->cleared && !k->ending && !k->node->config->node.observe)
		return;
	pbx_connector_figures(k->c, &f);
	if (!k->noted && f.state == CONNECTOR_READY) {
		note(k);
		k->noted = true;
	} else if (k->noted && f.state == CONNECTOR_OFF) {
		if (connector_row_delete(
			    k->node->store, place_of(place, &k->config), &err))
			log_error("store: %s", err.text);
		k->noted = false;
	}
}

/* --- what is not configured any more --- */

static void collect(void *context, const struct connector_row *row)
{
	struct places *all = context;

	if (all->count < ROWS_MAX)
		all->row[all->count++] = *row;
}

/* All that is noted; NULL, said: it cannot be had. */
static struct places *places(const struct node *n)
{
	struct places *all = calloc(1, sizeof *all);
	struct error err = {"out of memory"};

	if (all && connector_row_each(n->store, collect, all, &err) >= 0)
		return all;
	log_error("store: %s", err.text);
	free(all);
	return NULL;
}

static struct node_connector *at_place(const struct node *n, const char *place)
{
	char here[CONNECTOR_ROW_PLACE];

	EACH_CONNECTOR(n->connectors, k)
	if (k->config.type != CONFIG_CONNECTOR_HOOK &&
		!strcmp(place_of(here, &k->config), place))
		return k;
	return NULL;
}

static bool is_over(const struct connector_row *row)
{
	return row->type == CONFIG_CONNECTOR_KAMAILIO && row->gone &&
		node_now() >= row->gone + KAMAILIO_ENDS;
}

/* What people are told of it. */
static const char *sentence(char dst[1200], const struct connector_row *row)
{
	snprintf(dst, 1200,
		"is no longer configured, and was not emptied before: what stands in %s "
		"may go on blocking there, %s. Put the section back and say `sipchain "
		"connector clear %s`; or remove it there by hand (%s), then say "
		"`sipchain connector forget %s`",
		escaped(view_str(row->place)),
		row->type == CONFIG_CONNECTOR_KAMAILIO ? "for up to 7 days" :
							 "each entry until its own end",
		row->name,
		row->type == CONFIG_CONNECTOR_KAMAILIO ?
			"kamcmd htable.flush TABLE" :
			"asterisk -rx 'database deltree sipchain num'",
		row->name);
	return dst;
}

static void recall(struct node *n, struct connector_row *row)
{
	struct node_connector *k = at_place(n, row->place);
	bool news = !row->gone;
	struct error err = {""};
	char text[1200];
	int rc = 0;

	if (k) {
		k->noted = true;
		note(k); /* it may have another name now */
		return;
	}
	if (is_over(row)) {
		rc = connector_row_delete(n->store, row->place, &err);
	} else {
		if (news) {
			row->gone = node_now();
			rc = connector_row_put(n->store, row, &err);
		}
		log_warning("[connector \"%s\"] %s", row->name, sentence(text, row));
		if (news)
			node_event(
				n, "trouble", NULL, "connector %s: %s", row->name, text);
	}
	if (rc)
		log_error("store: %s", err.text);
}

void node_connectors_recall(struct node *n)
{
	struct places *all = places(n);

	for (size_t i = 0; all && i < all->count; i++)
		recall(n, &all->row[i]);
	free(all);
}

static bool is_left(const struct node *n, const struct connector_row *row)
{
	return row->gone && !is_over(row) && !at_place(n, row->place);
}

void node_connectors_left_behind(const struct node *n, json_t *list)
{
	struct places *all = places(n);
	char text[1200];

	for (size_t i = 0; all && i < all->count; i++) {
		const struct connector_row *row = &all->row[i];

		if (is_left(n, row))
			json_array_append_new(list,
				json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "name",
					row->name, "type",
					config_connector_type_name(row->type), "state",
					"removed", "since", (json_int_t)row->gone,
					"place", row->place, "trouble",
					sentence(text, row)));
	}
	free(all);
}

void node_connectors_forget(
	struct node *n, struct control_client *client, const json_t *arguments)
{
	const char *name = json_string_value(json_object_get(arguments, "name"));
	struct places *all;
	struct error err = {""};
	unsigned forgotten = 0;

	if (!control_let_change(client))
		return;
	if (!name) {
		control_refuse(client, CONTROL_USAGE, "name the connector");
		return;
	}
	all = places(n);
	for (size_t i = 0; all && i < all->count; i++) {
		if (strcmp(all->row[i].name, name) != 0 || !is_left(n, &all->row[i]))
			continue;
		if (connector_row_delete(n->store, all->row[i].place, &err)) {
			control_refuse(client, CONTROL_FAILED, "store: %s", err.text);
			free(all);
			return;
		}
		log_notice("[connector \"%s\"] uid %u: what was left in %s is forgotten",
			all->row[i].name, (unsigned)control_uid(client),
			escaped(view_str(all->row[i].place)));
		forgotten++;
	}
	free(all);
	if (!forgotten)
		control_refuse(client, CONTROL_FAILED,
			"no connector \"%s\" was removed with entries left behind; "
			"`sipchain connector status` lists those there are",
			escaped(view_str(name)));
	else
		control_answer(client,
			json_pack(
				"{s:s, s:i}", "name", name, "forgotten", (int)forgotten));
}
