/* SPDX-License-Identifier: Apache-2.0 */
#include "manager.h"

#include <nettle/md5.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"

#define CHALLENGE "168553278"

void manager_open(struct manager *m, unsigned behaviour)
{
	memset(m, 0, sizeof *m);
	m->behaviour = behaviour;
	m->entries = calloc(MANAGER_ENTRIES, sizeof *m->entries);
	if (!m->entries)
		abort();
}

void manager_close(struct manager *m)
{
	buffer_free(&m->in);
	buffer_free(&m->out);
	free(m->entries);
	m->entries = NULL;
}

void manager_say(struct manager *m, const char *text)
{
	buffer_put(&m->out, text, strlen(text));
}

void manager_accept(struct manager *m)
{
	m->in.n = m->out.n = 0;
	m->logged_in = false;
	manager_say(m, "Asterisk Call Manager/11.0.0\r\n");
}

/* --- AstDB --- */

/* Where the key is, or would be. */
static size_t place(const struct manager *m, const char *key)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(m->entries[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct manager *m, size_t at, const char *key)
{
	return at < m->count && strcmp(m->entries[at].key, key) == 0;
}

void manager_put(struct manager *m, const char *key, const char *value)
{
	size_t at = place(m, key);

	if (!is_at(m, at, key)) {
		if (m->count == MANAGER_ENTRIES)
			abort();
		memmove(m->entries + at + 1, m->entries + at,
			(m->count - at) * sizeof *m->entries);
		m->count++;
		snprintf(m->entries[at].key, sizeof m->entries[at].key, "%s", key);
	}
	snprintf(m->entries[at].value, sizeof m->entries[at].value, "%s", value);
}

bool manager_delete(struct manager *m, const char *key)
{
	size_t at = place(m, key);

	if (!is_at(m, at, key))
		return false;
	m->count--;
	memmove(m->entries + at, m->entries + at + 1,
		(m->count - at) * sizeof *m->entries);
	return true;
}

const char *manager_get(const struct manager *m, const char *key)
{
	size_t at = place(m, key);

	return is_at(m, at, key) ? m->entries[at].value : NULL;
}

/* --- actions --- */

/* The value of a line "Key: value" of an action, or "". */
static const char *field(char dst[200], struct view action, const char *key)
{
	dst[0] = 0;
	while (action.n) {
		size_t end = view_find_str(action, "\r\n");
		struct view line = view_head(action, end);
		size_t colon = view_find(line, ':');

		action = view_from(action, end + 2);
		if (view_eq(view_head(line, colon), view_str(key)))
			view_copy(dst, 200, view_from(line, colon + 2));
	}
	return dst;
}

static void answer(struct manager *m, const char *id, bool good, const char *text)
{
	if (m->behaviour & MANAGER_FORGES)
		buffer_printf(&m->out,
			"Response: %s\r\nActionID: sipchain-0000000000000000\r\n"
			"Message: forged\r\n\r\n",
			good ? "Error" : "Success");
	buffer_printf(&m->out, "Response: %s\r\nActionID: %s\r\n%s\r\n\r\n",
		good ? "Success" : "Error", id, text);
}

static void login(struct manager *m, struct view action, const char *id)
{
	static const char whole[] = CHALLENGE MANAGER_SECRET;
	uint8_t digest[MD5_DIGEST_SIZE];
	char key[2 * MD5_DIGEST_SIZE + 1], given[200];
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, sizeof whole - 1, (const uint8_t *)whole);
	md5_digest(&md5, sizeof digest, digest);
	hex_encode(key, digest, sizeof digest);
	if (strcmp(field(given, action, "Key"), key) ||
		strcmp(field(given, action, "Username"), MANAGER_USER)) {
		answer(m, id, false, "Message: Authentication failed");
		return;
	}
	m->logged_in = true;
	snprintf(m->events, sizeof m->events, "%.60s", field(given, action, "Events"));
	answer(m, id, true, "Message: Authentication accepted");
	if (!(m->behaviour & MANAGER_BOOTING))
		manager_say(m,
			"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 7\r\n"
			"LastReload: 7\r\nStatus: Fully Booted\r\n\r\n");
}

static void tree(struct manager *m, const char *id)
{
	m->trees++;
	answer(m, id, true, "EventList: start\r\nMessage: Result will follow");
	for (size_t i = 0; i < m->count; i++)
		buffer_printf(&m->out,
			"Event: DBGetTreeResponse\r\nKey: /sipchain/%s\r\nVal: %s\r\n"
			"ActionID: %s\r\n\r\n",
			m->entries[i].key, m->entries[i].value, id);
	buffer_printf(&m->out,
		"Event: DBGetTreeComplete\r\nActionID: %s\r\nEventList: Complete\r\n"
		"ListItems: %zu\r\n\r\n",
		id, m->count);
}

static void change(struct manager *m, struct view action, const char *id, bool put)
{
	char key[200], value[200];
	size_t n;

	field(key, action, "Key");
	n = strlen(key);
	if (put && m->behaviour & MANAGER_FAILS_PUT && key[n - 1] == '9') {
		answer(m, id, false, "Message: Failed to update entry");
	} else if (put) {
		m->puts++;
		manager_put(m, key, field(value, action, "Val"));
		answer(m, id, true, "Message: Updated database successfully");
	} else {
		m->deletes++;
		if (manager_delete(m, key))
			answer(m, id, true, "Message: Key deleted successfully");
		else
			answer(m, id, false,
				"Message: Database entry could not be deleted");
	}
}

static void act(struct manager *m, struct view action)
{
	char name[200], id[200], more[200];

	m->actions++;
	field(name, action, "Action");
	field(id, action, "ActionID");
	if (!strcmp(name, "Challenge")) {
		answer(m, id, true,
			m->behaviour & MANAGER_NO_CHALLENGE ? "Message: none" :
							      "Challenge: " CHALLENGE);
	} else if (!strcmp(name, "Login")) {
		login(m, action, id);
	} else if (!m->logged_in) {
		answer(m, id, false, "Message: Permission denied");
	} else if (m->behaviour & MANAGER_SILENT) {
		return;
	} else if (m->behaviour & MANAGER_DENIES_WRITE && strcmp(name, "Ping") != 0) {
		answer(m, id, false, "Message: Permission denied");
	} else if (!strcmp(name, "Filter")) {
		snprintf(
			m->filter, sizeof m->filter, "%s", field(more, action, "Filter"));
		answer(m, id, !(m->behaviour & MANAGER_DENIES_FILTER), "Message: Filter");
	} else if (!strcmp(name, "DBGetTree") && m->behaviour & MANAGER_OLD) {
		answer(m, id, false,
			"Message: Invalid/unknown command: DBGetTree. Use "
			"Action: ListCommands to show available commands.");
	} else if (!strcmp(name, "DBGetTree")) {
		tree(m, id);
	} else if (!strcmp(name, "DBPut") || !strcmp(name, "DBDel")) {
		change(m, action, id, name[2] == 'P');
	} else if (!strcmp(name, "DBDelTree")) {
		m->cleared++;
		if (!strcmp(field(more, action, "Family"), "sipchain") &&
			!strcmp(field(more, action, "Key"), "num") && m->count) {
			m->count = 0;
			answer(m, id, true, "Message: Key tree deleted successfully");
		} else {
			answer(m, id, false, "Message: Database entry not found");
		}
	} else if (!strcmp(name, "Ping")) {
		m->pings++;
		answer(m, id, true, "Ping: Pong\r\nTimestamp: 1795353239.000000");
	} else {
		abort(); /* nothing else is ever asked */
	}
}

void manager_take(struct manager *m, struct view bytes)
{
	size_t end;

	buffer_put(&m->in, bytes.p, bytes.n);
	while ((end = view_find_str(view_of(m->in.p, m->in.n), "\r\n\r\n")) < m->in.n) {
		act(m, view_of(m->in.p, end + 2));
		buffer_consume(&m->in, end + 4);
	}
}
