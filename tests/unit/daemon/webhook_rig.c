/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remove_tree.h"

char folder[64];

static int fd = -1;
struct node *n;

int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/webhook-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

int delete_folder(void **state)
{
	(void)state;
	remove_tree(folder);
	return 0;
}

/* --- the stage --- */

static void add(const char *name, const char *events)
{
	struct config_webhook *w = &n->config->webhooks[n->config->webhook_count++];

	memset(w, 0, sizeof *w);
	snprintf(w->name, sizeof w->name, "%s", name);
	snprintf(w->url, sizeof w->url, "https://%s.example.net", name);
	snprintf(w->events, sizeof w->events, "%s", events);
	w->enabled = true;
}

/* A node with the webhooks "siem", which wants all, and "bans". */
void begin(void)
{
	struct error err = {""};

	clock_set(0);
	n = node_begin(folder, false);
	snprintf(n->config->node.name, sizeof n->config->node.name, "edge1");
	add("siem", "");
	add("bans", "ban unban");
	if (node_webhooks_open(n, &err))
		fail_msg("%s", err.text);
}

static void unlink_role(void)
{
	link_close(n->deliver);
	n->deliver = NULL;
	node_webhooks_linked(n);
	if (fd >= 0)
		close(fd);
	fd = -1;
}

void end(void)
{
	struct node_webhooks *all = n->webhooks;

	unlink_role();
	node_webhooks_close(n);
	node_kill(n);
	node_webhooks_free(all);
	n = NULL;
}

static void no_message(
	void *context, struct link *l, uint16_t type, struct view payload, int passed)
{
	(void)context;
	(void)l;
	(void)type;
	(void)payload;
	(void)passed;
}

static void no_end(void *context, struct link *l, const char *why)
{
	(void)context;
	(void)l;
	(void)why;
}

/* Let the node do what is due; libuv's timers, with a clock of their own, are pushed. */
void turn(double seconds)
{
	clock_set(seconds);
	for (int i = 0; i < 20; i++) {
		n->webhooks->due = 0;
		node_webhooks_wake(n);
		uv_update_time(&n->loop);
		uv_run(&n->loop, UV_RUN_NOWAIT);
		usleep(1500);
	}
}

/* The role says what each webhook lacks. */
void say(const char *first, const char *second)
{
	struct webhook_self list[2];

	memset(list, 0, sizeof list);
	strcpy(list[0].webhook, "siem");
	strcpy(list[1].webhook, "bans");
	snprintf(list[0].trouble, sizeof list[0].trouble, "%s", first);
	snprintf(list[1].trouble, sizeof list[1].trouble, "%s", second);
	node_webhooks_message(n, MSG_WEBHOOKS, view_of(list, sizeof list));
}

void link_role(void)
{
	const struct link_callbacks callbacks = {.message = no_message, .closed = no_end};
	int fds[2];

	unlink_role();
	assert_int_equal(packet_pair(fds), 0);
	n->deliver = link_open(&n->loop, fds[0], 8U << 20, &callbacks);
	assert_non_null(n->deliver);
	fd = fds[1];
	node_webhooks_linked(n);
	say("", "");
}

void forget(struct arrived *a)
{
	buffer_free(&a->body);
	json_decref(a->json);
	memset(a, 0, sizeof *a);
}

/* The next one; false: nothing came. */
bool take(struct arrived *a)
{
	static uint8_t buffer[PACKET_MAX];
	struct batch_header h;
	struct packet p;

	forget(a);
	do {
		if (packet_receive(fd, buffer, &p) != 1) {
			assert_int_equal(a->body.n, 0);
			return false;
		}
		assert_int_equal(p.type, MSG_POST);
		assert_true(p.payload.n > sizeof h);
		memcpy(&h, p.payload.p, sizeof h);
		assert_int_equal(h.offset, a->body.n);
		if (h.offset)
			assert_int_equal(h.ticket, a->header.ticket);
		a->header = h;
		buffer_put(&a->body, p.payload.p + sizeof h, p.payload.n - sizeof h);
	} while (a->body.n < h.length);
	assert_int_equal(a->body.n, h.length);
	a->json = json_loadb((const char *)a->body.p, a->body.n, 0, NULL);
	assert_non_null(a->json);
	return true;
}

size_t count_of(const struct arrived *a)
{
	return json_array_size(json_object_get(a->json, "events"));
}

json_int_t id_of(const struct arrived *a, size_t i)
{
	return json_integer_value(json_object_get(
		json_array_get(json_object_get(a->json, "events"), i), "id"));
}

void answer(const struct arrived *a, enum webhook_verdict verdict, uint32_t status,
	uint32_t retry_s, const char *reason)
{
	struct batch_done d;

	memset(&d, 0, sizeof d);
	d.ticket = a->header.ticket;
	d.verdict = (uint8_t)verdict;
	d.status = status;
	d.retry_s = retry_s;
	memcpy(d.webhook, a->header.webhook, sizeof d.webhook);
	snprintf(d.reason, sizeof d.reason, "%s", reason);
	node_webhooks_message(n, MSG_POSTED, view_of(&d, sizeof d));
}

void events(unsigned count, const char *type)
{
	for (unsigned i = 0; i < count; i++)
		node_event(n, type, NULL, "number %u", i);
}

struct webhook_row stored(const char *name)
{
	struct webhook_row row;
	struct error err = {""};

	assert_int_equal(webhook_row_get(n->store, &row, name, &err), 1);
	return row;
}
