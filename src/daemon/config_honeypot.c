/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_honeypot.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/units.h"
#include "daemon/config_file.h"
#include "daemon/config_source.h"

#define FILE_BYTES     262144
#define COLLECTOR_PORT 9060

/* --- values --- */

static const struct {
	const char *prefix;
	uint8_t transport;
	uint16_t port; /* the usual one */
} transports[] = {
	{"udp:", TRANSPORT_UDP, 5060},
	{"tcp:", TRANSPORT_TCP, 5060},
	{"tls:", TRANSPORT_TLS, 5061},
	{"ws:", TRANSPORT_WS, 8088},
	{"wss:", TRANSPORT_WSS, 8089},
};

static int parse_listen(struct config_listen *out, struct view v, struct error *err)
{
	struct config_listen l;

	for (size_t i = 0; i < sizeof transports / sizeof *transports; i++) {
		if (!view_starts(v, transports[i].prefix))
			continue;
		memset(&l, 0, sizeof l);
		l.transport = transports[i].transport;
		if (address_port_parse(&l.address, &l.port,
			    view_from(v, strlen(transports[i].prefix)),
			    transports[i].port, err))
			return -1;
		if (!l.port)
			return error_set(err,
				"\"%s\": port 0 is no port; the usual one is %u",
				escaped(v), transports[i].port);
		*out = l;
		return 0;
	}
	return error_set(err,
		"\"%s\": write udp:ADDRESS:PORT, or tcp:, tls:, ws: or wss: instead, such as "
		"udp:192.0.2.5:5060",
		escaped(v));
}

static int add_listen(struct config_honeypot *h, struct view v, struct error *err)
{
	if (!v.n) {
		memset(h->listen, 0, sizeof h->listen);
		h->listen_count = 0;
		return 0;
	}
	if (h->listen_count == CONFIG_LISTEN_MAX)
		return error_set(err, "is given more than %d times", CONFIG_LISTEN_MAX);
	if (parse_listen(&h->listen[h->listen_count], v, err))
		return -1;
	h->listen_count++;
	return 0;
}

/* A user part as a tool guesses it: what a URI has without escapes (RFC 3261). */
static bool is_account(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!((v.p[i] | 0x20) >= 'a' && (v.p[i] | 0x20) <= 'z') &&
			!(v.p[i] >= '0' && v.p[i] <= '9') &&
			!strchr("-_.!~*'()+", v.p[i]))
			return false;
	return v.n > 0 && v.n < CONFIG_ACCOUNT_MAX;
}

static int parse_accounts(struct config_honeypot *h, struct view v, struct error *err)
{
	struct config_honeypot out;
	struct view word;

	memset(&out, 0, sizeof out);
	while ((word = word_next(&v)).n) {
		if (!is_account(word))
			return error_set(err,
				"\"%s\" is no account: letters, digits and -_.!~*'()+, up "
				"to %d",
				escaped(word), CONFIG_ACCOUNT_MAX - 1);
		if (out.account_count == CONFIG_ACCOUNTS_MAX)
			return error_set(
				err, "names more than %d accounts", CONFIG_ACCOUNTS_MAX);
		view_copy(out.account[out.account_count++], CONFIG_ACCOUNT_MAX, word);
	}
	memcpy(h->account, out.account, sizeof h->account);
	h->account_count = out.account_count;
	return 0;
}

static int parse_host(struct address *out, struct view v, struct error *err)
{
	memset(out, 0, sizeof *out);
	return v.n ? address_parse(out, v, err) : 0;
}

static int parse_collector(struct config_server *out, struct view v, struct error *err)
{
	struct config_listen l;

	memset(out, 0, sizeof *out);
	if (!v.n)
		return 0;
	if (!view_starts(v, "udp:"))
		return error_set(err,
			"\"%s\": write udp:ADDRESS:PORT, such as udp:192.0.2.20:%d",
			escaped(v), COLLECTOR_PORT);
	if (config_listen_parse(&l, v, COLLECTOR_PORT, err))
		return -1;
	out->address = l.address;
	out->port = l.port;
	return 0;
}

int config_honeypot_parse(struct config *c, const struct config_key *k, struct view value,
	struct error *err)
{
	switch ((int)k->type) {
	case CONFIG_SIP_LISTEN:
		return add_listen(&c->honeypot, value, err);
	case CONFIG_ACCOUNTS:
		return parse_accounts(&c->honeypot, value, err);
	case CONFIG_HOST:
		return parse_host(config_at(c, k->offset), value, err);
	default:
		return parse_collector(config_at(c, k->offset), value, err);
	}
}

int config_listen_print(struct buffer *out, const struct config_listen *l)
{
	const char *open = l->address.family == 6 ? "[" : "";
	const char *close = l->address.family == 6 ? "]" : "";
	char text[ADDRESS_TEXT];

	return buffer_printf(out, "%s:%s%s%s:%u", transport_name(l->transport), open,
		address_print(text, &l->address), close, l->port);
}

int config_honeypot_print(
	struct buffer *out, const struct config *c, const struct config_key *k)
{
	const void *at = config_at_const(c, k->offset);
	const struct config_server *server = at;
	const struct address *host = at;
	struct config_listen l = {.transport = TRANSPORT_UDP};
	char text[ADDRESS_TEXT];

	switch ((int)k->type) {
	case CONFIG_ACCOUNTS:
		for (uint32_t i = 0; i < c->honeypot.account_count; i++)
			buffer_printf(out, "%s%s", i ? " " : "", c->honeypot.account[i]);
		return out->failed ? -1 : 0;
	case CONFIG_HOST:
		return host->family ?
			buffer_printf(out, "%s", address_print(text, host)) :
			0;
	default:
		l.address = server->address;
		l.port = server->port;
		return server->address.family ? config_listen_print(out, &l) : 0;
	}
}

/* --- rules between keys --- */

static bool is_any(const struct address *a)
{
	return bytes_zero(a->bytes, sizeof a->bytes);
}

/* Whether the kernel gives only one of them its port. */
static bool collide(const struct config_listen *a, const struct config_listen *b)
{
	return (a->transport == TRANSPORT_UDP) == (b->transport == TRANSPORT_UDP) &&
		a->port == b->port && a->address.family == b->address.family &&
		(address_eq(&a->address, &b->address) || is_any(&a->address) ||
			is_any(&b->address));
}

static int complain(const struct config_listen *a, const struct config_listen *b,
	const char *where, struct error *err)
{
	struct buffer one = {.max = 128}, two = {.max = 128};

	config_listen_print(&one, a);
	config_listen_print(&two, b);
	error_set(err,
		"%.*s and %.*s%s want the same port: write another address or port",
		(int)one.n, one.p ? (char *)one.p : "", (int)two.n,
		two.p ? (char *)two.p : "", where);
	buffer_free(&one);
	buffer_free(&two);
	return -1;
}

static int check_listens(const struct config *c, struct error *err)
{
	const struct config_honeypot *h = &c->honeypot;

	for (size_t i = 0; i < h->listen_count; i++) {
		for (size_t j = 0; j < i; j++)
			if (collide(&h->listen[i], &h->listen[j]))
				return complain(&h->listen[i], &h->listen[j], "", err);
		for (size_t j = 0; j < c->hep.listen_count; j++)
			if (collide(&h->listen[i], &c->hep.listen[j]))
				return complain(&h->listen[i], &c->hep.listen[j],
					" of [hep]", err);
	}
	return 0;
}

int config_honeypot_check(
	const struct config *c, const struct config_key **at, struct error *err)
{
	const struct config_honeypot *h = &c->honeypot;

	*at = config_key_find("honeypot", "listen");
	if (check_listens(c, err))
		return -1;
	*at = config_key_find("honeypot", "key");
	if (h->certificate[0] && !h->key[0])
		return error_set(err,
			"is missing: name the file of the certificate's key, which may be "
			"the certificate's own");
	*at = config_key_find("honeypot", "certificate");
	if (h->key[0] && !h->certificate[0])
		return error_set(
			err, "is missing: name the file of the key's certificate");
	return 0;
}

/* --- files --- */

static unsigned lines_of(const struct buffer *errors, size_t from)
{
	size_t n = view_count(view_from(view_of(errors->p, errors->n), from), '\n');

	return n ? (unsigned)n : 1;
}

/* What reads a file into one of the two structs: profiles_read(), tools_read(). */
static unsigned read_into(void *into,
	int (*take)(void *, const char *, struct view, struct buffer *), const char *key,
	const char *path, struct buffer *errors)
{
	struct buffer text = {.max = FILE_BYTES};
	struct error err = {""};
	size_t before = errors->n;
	unsigned count = 0;

	if (config_file_read(&text, path, &err)) {
		buffer_printf(errors, "[honeypot] %s: %s: %s\n", key, path, err.text);
		count = 1;
	} else if (take(into, path, view_of(text.p, text.n), errors)) {
		count = lines_of(errors, before);
	}
	buffer_free(&text);
	return count;
}

static int take_profiles(
	void *into, const char *name, struct view text, struct buffer *errors)
{
	return profiles_read(into, name, text, errors);
}

static int take_tools(
	void *into, const char *name, struct view text, struct buffer *errors)
{
	return tools_read(into, name, text, errors);
}

static unsigned load_profile(struct honeypot_profile **out,
	const struct config_honeypot *c, struct buffer *errors)
{
	struct honeypot_profiles *all = malloc(sizeof *all);
	const struct honeypot_profile *found;
	unsigned count = 0;

	*out = malloc(sizeof **out);
	if (!all || !*out) {
		count = 1;
		buffer_printf(errors, "[honeypot] profile: out of memory\n");
		goto done;
	}
	*all = *profiles_builtin();
	if (c->profiles[0])
		count = read_into(all, take_profiles, "profiles", c->profiles, errors);
	if (count)
		goto done;
	found = profiles_find(all, view_str(c->profile));
	if (found) {
		**out = *found;
		goto done;
	}
	count = 1;
	buffer_printf(errors, "[honeypot] profile: there is no \"%s\"; there are",
		escaped(view_str(c->profile)));
	for (unsigned i = 0; i < all->n; i++)
		buffer_printf(errors, "%s %s", i ? "," : "", all->at[i].name);
	buffer_printf(errors, "\n");
done:
	free(all);
	if (count) {
		free(*out);
		*out = NULL;
	}
	return count;
}

unsigned config_honeypot_files(struct config_honeypot_files *out,
	const struct config_honeypot *c, struct buffer *errors)
{
	unsigned count;

	*out = (struct config_honeypot_files){NULL, NULL};
	count = load_profile(&out->profile, c, errors);
	if (count || !c->tools[0])
		return count;
	out->tools = malloc(sizeof *out->tools);
	if (out->tools) {
		*out->tools = *tools_builtin();
		count = read_into(out->tools, take_tools, "tools", c->tools, errors);
	} else {
		count = 1;
		buffer_printf(errors, "[honeypot] tools: out of memory\n");
	}
	if (count) {
		free(out->profile);
		free(out->tools);
		*out = (struct config_honeypot_files){NULL, NULL};
	}
	return count;
}

unsigned config_honeypot_try(const struct config *c, struct buffer *errors)
{
	struct config_honeypot_files files;
	unsigned count = config_honeypot_files(&files, &c->honeypot, errors);

	free(files.profile);
	free(files.tools);
	return count;
}
