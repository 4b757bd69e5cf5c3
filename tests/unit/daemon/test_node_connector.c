/* SPDX-License-Identifier: Apache-2.0 */
/* PBXs that the configuration no longer names when the node starts. */
#include "node_for_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/node_connector.h"
#include "daemon/node_connector_state.h"
#include "remove_tree.h"
#include "store/connector_row.h"
#include "store/event.h"

#define ASTERISK "Asterisk at 192.0.2.1 port 5038"
#define KAMAILIO "Kamailio at /run/k.sock, tables num adr"

static char folder[64];

/* A node with these connectors, made as the role does; none of them is connected. */
static struct node *begun(const char *asterisk, const char *kamailio)
{
	struct node *n = node_begin(folder, false);
	struct config_connector *c;

	n->config->connector_count = 0;
	n->connectors = calloc(1, sizeof *n->connectors);
	assert_non_null(n->connectors);
	for (unsigned i = 0; i < 2; i++) {
		const char *name = i ? kamailio : asterisk;
		struct node_connector *k = &n->connectors->list[n->connectors->count];

		if (!name)
			continue;
		k->node = n;
		snprintf(k->name, sizeof k->name, "%s", name);
		c = &k->config;
		c->type = i ? CONFIG_CONNECTOR_KAMAILIO : CONFIG_CONNECTOR_ASTERISK;
		assert_int_equal(
			address_parse(&c->address.address, view_str("192.0.2.1"), NULL),
			0);
		c->address.port = 5038;
		snprintf(c->socket, sizeof c->socket, "/run/k.sock");
		snprintf(c->numbers, sizeof c->numbers, "num");
		snprintf(c->addresses, sizeof c->addresses, "adr");
		n->connectors->count++;
	}
	return n;
}

static void ended(struct node *n)
{
	free(n->connectors);
	n->connectors = NULL;
	node_kill(n);
}

static void put(struct node *n, const char *place, const char *name, uint8_t type)
{
	struct connector_row row = {.type = type};
	struct error err = {""};

	snprintf(row.place, sizeof row.place, "%s", place);
	snprintf(row.name, sizeof row.name, "%s", name);
	assert_int_equal(connector_row_put(n->store, &row, &err), 0);
}

static void append(void *context, const struct connector_row *row)
{
	char *text = context;

	snprintf(text + strlen(text), 300 - strlen(text), "%s|%s|%llu;", row->name,
		row->place, (unsigned long long)row->gone);
}

static void expect_rows(struct node *n, const char *rows)
{
	char text[300] = "";

	assert_true(connector_row_each(n->store, append, text, NULL) >= 0);
	assert_string_equal(text, rows);
}

static bool count(void *context, const struct event *e)
{
	*(unsigned *)context += !strcmp(e->type, "trouble");
	return true;
}

static unsigned troubles(struct node *n)
{
	unsigned found = 0;

	assert_true(events_after(n->store, 0, 1000, count, &found, NULL) >= 0);
	return found;
}

/* Its trouble in `status`; "": it has none. */
static const char *trouble_of(struct node *n, const char *name)
{
	static char text[1200];
	json_t *list = json_array(), *c;
	size_t at;

	text[0] = 0;
	node_connectors_left_behind(n, list);
	json_array_foreach(list, at, c)
	{
		if (strcmp(json_string_value(json_object_get(c, "name")), name) != 0)
			continue;
		assert_string_equal(
			json_string_value(json_object_get(c, "state")), "removed");
		snprintf(text, sizeof text, "%s",
			json_string_value(json_object_get(c, "trouble")));
	}
	json_decref(list);
	return text;
}

/* Removed while it was down: said once as an event, shown until it is back. */
static void test_removed(void **state)
{
	struct node *n;

	(void)state;
	clock_set(0);
	n = begun("pbx", "proxy");
	put(n, ASTERISK, "pbx", CONFIG_CONNECTOR_ASTERISK);
	put(n, KAMAILIO, "proxy", CONFIG_CONNECTOR_KAMAILIO);
	node_connectors_recall(n);
	assert_true(n->connectors->list[0].noted && n->connectors->list[1].noted);
	assert_string_equal(trouble_of(n, "pbx"), "");
	ended(n);

	n = begun(NULL, NULL);
	node_connectors_recall(n);
	expect_rows(n,
		"pbx|" ASTERISK "|1700000000;"
		"proxy|" KAMAILIO "|1700000000;");
	assert_string_equal(trouble_of(n, "pbx"),
		"is no longer configured, and was not emptied before: what stands in "
		"Asterisk at 192.0.2.1 port 5038 may go on blocking there, each entry "
		"until its own end. Put the section back and say `sipchain connector "
		"clear pbx`; or remove it there by hand (asterisk -rx 'database deltree "
		"sipchain num'), then say `sipchain connector forget pbx`");
	assert_non_null(strstr(trouble_of(n, "proxy"), "for up to 7 days"));
	assert_int_equal(troubles(n), 2);
	ended(n);

	/* Once more, later: the same since, and no second event. */
	clock_set(500);
	n = begun(NULL, NULL);
	node_connectors_recall(n);
	expect_rows(n,
		"pbx|" ASTERISK "|1700000000;"
		"proxy|" KAMAILIO "|1700000000;");
	assert_int_equal(troubles(n), 2);
	ended(n);

	/* Back under another name: it is nobody's trouble, and known by that. */
	n = begun("other", NULL);
	node_connectors_recall(n);
	expect_rows(n,
		"other|" ASTERISK "|0;"
		"proxy|" KAMAILIO "|1700000000;");
	assert_true(n->connectors->list[0].noted);
	assert_string_equal(trouble_of(n, "other"), "");
	assert_string_not_equal(trouble_of(n, "proxy"), "");
	ended(n);
}

/* What stands in Kamailio counts for a week without us; in Asterisk until its own end. */
static void test_week(void **state)
{
	struct node *n;

	(void)state;
	clock_set(0);
	n = begun(NULL, NULL);
	put(n, ASTERISK, "pbx", CONFIG_CONNECTOR_ASTERISK);
	put(n, KAMAILIO, "proxy", CONFIG_CONNECTOR_KAMAILIO);
	node_connectors_recall(n);
	clock_set(7 * 86400 - 1);
	assert_string_not_equal(trouble_of(n, "proxy"), "");
	clock_set(7 * 86400);
	assert_string_equal(trouble_of(n, "proxy"), "");
	ended(n);
	n = begun(NULL, NULL);
	node_connectors_recall(n);
	expect_rows(n, "pbx|" ASTERISK "|1700000000;");
	ended(n);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/node-connector-XXXXXX");
	clock_set(0);
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	return remove_tree(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_removed, make_folder, drop_folder),
		cmocka_unit_test_setup_teardown(test_week, make_folder, drop_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
