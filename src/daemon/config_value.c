/* SPDX-License-Identifier: Apache-2.0 */
/* One value of each type, from text. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/units.h"
#include "daemon/config_api.h"
#include "daemon/config_chain.h"
#include "daemon/config_honeypot.h"
#include "daemon/config_rules.h"
#include "daemon/config_source.h"

#define HEP_PORT 9060

static int parse_bool(bool *out, struct view v, struct error *err)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	for (size_t i = 0; i < 4; i++) {
		if (view_eq_nocase(v, yes[i])) {
			*out = true;
			return 0;
		}
		if (view_eq_nocase(v, no[i])) {
			*out = false;
			return 0;
		}
	}
	return error_set(err, "\"%s\" is neither yes nor no", escaped(v));
}

static int parse_number(
	uint32_t *out, const struct config_key *k, struct view v, struct error *err)
{
	bool time = k->type == CONFIG_DURATION;
	char low[32], high[32];
	uint64_t n;

	if (time ? duration_parse(&n, v, err) : count_parse(&n, v, err))
		return -1;
	if (n >= k->min && n <= k->max) {
		*out = (uint32_t)n;
		return 0;
	}
	if (time)
		return error_set(err, "\"%s\" is out of range: %s to %s", escaped(v),
			duration_print(low, k->min), duration_print(high, k->max));
	return error_set(err, "\"%s\" is out of range: %" PRIu64 " to %" PRIu64,
		escaped(v), k->min, k->max);
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Texts, words and paths differ in what they may hold. */
static int check_text(const struct config_key *k, struct view v, struct error *err)
{
	size_t most = k->max ? k->max : k->size - 1;

	if (k->type == CONFIG_PATHS)
		most = CONFIG_PATH_MAX - 1;
	if (v.n == 0 && (k->min > 0 || k->flags & CONFIG_REQUIRED))
		return error_set(err, "is empty; give it a value");
	if (v.n > most)
		return error_set(err, "has %zu bytes, the most is %zu", v.n, most);
	if (!text_is_clean(v))
		return error_set(err, "\"%s\" holds control characters or is no UTF-8",
			escaped(v));
	if (v.n && v.p[0] == ';')
		return error_set(err, "begins with ';', which begins a comment");
	if (k->type == CONFIG_KEY_NAME && v.n && v.p[0] != '/' &&
		!view_starts(v, "credential:"))
		return error_set(err,
			"\"%s\" is neither an absolute path (begin it with /) nor "
			"credential:NAME",
			escaped(v));
	if ((k->type == CONFIG_PATH_NAME || k->type == CONFIG_PATHS ||
		    k->type == CONFIG_SECRET_FILE) &&
		v.n && v.p[0] != '/')
		return error_set(
			err, "\"%s\" is no absolute path: begin it with /", escaped(v));
	if (k->type == CONFIG_WORD && v.n && !is_letter(v.p[0]) && v.p[0] != '_')
		return error_set(err, "\"%s\" must begin with a letter", escaped(v));
	for (size_t i = 0; k->type == CONFIG_WORD && i < v.n; i++)
		if (!is_letter(v.p[i]) && !(v.p[i] >= '0' && v.p[i] <= '9') &&
			!strchr("_-.", v.p[i]))
			return error_set(err,
				"\"%s\" may hold letters, digits, '_', '-' "
				"and '.' only",
				escaped(v));
	return 0;
}

static int parse_text(
	char *out, const struct config_key *k, struct view v, struct error *err)
{
	if (check_text(k, v, err))
		return -1;
	/* Clears what was there: values are compared and copied as memory. */
	memset(out, 0, k->type == CONFIG_PATHS ? CONFIG_PATH_MAX : k->size);
	memcpy(out, v.p ? v.p : (const uint8_t *)"", v.n);
	return 0;
}

/* The first line of a file that nobody else may read. */
static int parse_secret_file(
	char *out, const struct config_key *k, struct view v, struct error *err)
{
	struct config_key secret = *k;
	char path[CONFIG_PATH_MAX], text[1024];
	struct view line;
	struct stat st;
	ssize_t n = -1;
	int fd, rc;

	secret.size = sizeof path;
	secret.min = 1;
	if (check_text(&secret, v, err))
		return -1;
	view_copy(path, sizeof path, v);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return error_set(err, "%s: %s", escaped(v), strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (st.st_mode & 07) ||
		(n = read(fd, text, sizeof text)) < 0)
		rc = error_set(err,
			"%s: must be a regular file that others cannot read "
			"(chmod 600)",
			escaped(v));
	else {
		line = view_of(text, (size_t)n);
		line = view_trim(view_head(line, view_find(line, '\n')));
		secret.type = CONFIG_SECRET;
		secret.size = k->size;
		rc = parse_text(out, &secret, line, err);
		if (!rc && view_find_str(line, " ;") < line.n)
			rc = error_set(
				err, "a password may not hold a blank followed by ';'");
		if (rc)
			error_prefix(err, "%s: the first line", escaped(v));
	}
	explicit_bzero(text, sizeof text);
	close(fd);
	return rc;
}

static int parse_choice(
	uint8_t *out, const struct config_key *k, struct view v, struct error *err)
{
	struct buffer names = {.max = 200};

	for (const struct config_choice *c = k->choices; c->name; c++) {
		if (view_eq(v, view_str(c->name))) {
			*out = c->value;
			buffer_free(&names);
			return 0;
		}
		buffer_printf(&names, "%s%s", names.n ? ", " : "", c->name);
	}
	error_set(err, "\"%s\" is not one of: %.*s", escaped(v), (int)names.n,
		names.p ? (const char *)names.p : "");
	buffer_free(&names);
	return -1;
}

static int parse_proofs(uint32_t *out, struct view v, struct error *err)
{
	struct view word;
	uint32_t set = 0;

	while ((word = word_next(&v)).n) {
		int proof = proof_parse(word);

		if (proof == PROOF_NONE)
			return error_set(
				err, "none: a source without proof is never reported");
		if (proof < 0)
			return error_set(err,
				"\"%s\" is no proof class; they are nonce, ack, "
				"tcp, auth, log, manual, rule, cluster",
				escaped(word));
		set |= 1U << proof;
	}
	*out = set;
	return 0;
}

static int parse_rule(struct detect_rule *out, const struct config_key *k, struct view v,
	struct error *err)
{
	size_t slash = view_find(v, '/');
	uint64_t attempts, window;

	if (view_eq(v, view_str("off"))) {
		*out = (struct detect_rule){0, 0};
		return 0;
	}
	if (slash == v.n)
		return error_set(err,
			"\"%s\" is no rule: write ATTEMPTS/WINDOW, such as 3/10m, "
			"or off",
			escaped(v));
	if (count_parse(&attempts, view_trim(view_head(v, slash)), err) ||
		duration_parse(&window, view_trim(view_from(v, slash + 1)), err))
		return -1;
	if (attempts < 1 || attempts > k->max)
		return error_set(err,
			"\"%s\": attempts are out of range: 1 to %" PRIu64 ", or off",
			escaped(v), k->max);
	if (window < 1 || window > 86400)
		return error_set(
			err, "\"%s\": the window is out of range: 1s to 1d", escaped(v));
	*out = (struct detect_rule){(uint32_t)attempts, (uint32_t)window};
	return 0;
}

/* Sorted and merged, so that one set of ports has one form. */
static void add_ports(struct nft_config *nft, unsigned first, unsigned last)
{
	unsigned i = 0, n = 0;

	while (i < nft->ports_count) {
		unsigned f = nft->ports[i].first, l = nft->ports[i].last;

		if (l + 1 >= first && f <= last + 1) {
			first = f < first ? f : first;
			last = l > last ? l : last;
		} else {
			nft->ports[n++] = nft->ports[i];
		}
		i++;
	}
	for (i = n; i > 0 && nft->ports[i - 1].first > first; i--)
		nft->ports[i] = nft->ports[i - 1];
	nft->ports[i].first = (uint16_t)first;
	nft->ports[i].last = (uint16_t)last;
	nft->ports_count = n + 1;
}

static int parse_ports(struct nft_config *out, struct view v, struct error *err)
{
	struct nft_config nft = *out;
	struct view word;

	nft.ports_count = 0;
	memset(nft.ports, 0, sizeof nft.ports);
	while ((word = word_next(&v)).n) {
		size_t dash = view_find(word, '-');
		uint64_t first, last;

		if (view_decimal(view_head(word, dash), 65535, &first) || first == 0 ||
			view_decimal(dash < word.n ? view_from(word, dash + 1) : word,
				65535, &last) ||
			last < first)
			return error_set(err,
				"\"%s\" is no port: write 1 to 65535 or a range "
				"such as 5060-5061",
				escaped(word));
		if (nft.ports_count == NFT_PORTS_MAX)
			return error_set(err,
				"has more than %u ports or ranges; join some",
				NFT_PORTS_MAX);
		add_ports(&nft, (unsigned)first, (unsigned)last);
	}
	for (unsigned i = nft.ports_count; i < NFT_PORTS_MAX; i++)
		nft.ports[i].first = nft.ports[i].last = 0;
	*out = nft;
	return 0;
}

int config_listen_parse(
	struct config_listen *out, struct view v, unsigned usual, struct error *err)
{
	struct config_listen listen;

	memset(&listen, 0, sizeof listen);
	if (view_starts(v, "udp:"))
		listen.transport = TRANSPORT_UDP;
	else if (view_starts(v, "tcp:"))
		listen.transport = TRANSPORT_TCP;
	else
		return error_set(err,
			"\"%s\": write udp:ADDRESS:PORT or tcp:ADDRESS:PORT, "
			"such as udp:127.0.0.1:%u",
			escaped(v), usual);
	if (address_port_parse(
		    &listen.address, &listen.port, view_from(v, 4), (uint16_t)usual, err))
		return -1;
	if (!listen.port)
		return error_set(err, "\"%s\": port 0 is no port; the usual one is %u",
			escaped(v), usual);
	*out = listen;
	return 0;
}

static int parse_allow(struct config_allow *out, struct view v, struct error *err)
{
	struct config_allow allow;
	struct view note, word;
	size_t n = 0;

	memset(&allow, 0, sizeof allow);
	while (n < v.n && v.p[n] != ' ' && v.p[n] != '\t')
		n++;
	word = view_head(v, n);
	note = view_trim(view_from(v, n));
	if (indicator_parse(&allow.indicator, NULL, word, err) ||
		indicator_check_shape(&allow.indicator, err))
		return -1;
	if (allow.indicator.kind == INDICATOR_AGENT)
		return error_set(err,
			"a user agent is no party to allow: name an address, "
			"prefix, number, SIP URI or domain");
	if (note.n >= sizeof allow.note)
		return error_set(err, "the note has %zu bytes, the most is %zu", note.n,
			sizeof allow.note - 1);
	if (!text_is_clean(note))
		return error_set(err, "the note holds control characters or is no UTF-8");
	view_copy(allow.note, sizeof allow.note, note);
	*out = allow;
	return 0;
}

/* Append to the list, which grows by doubling. */
static int add_allow(struct config *c, size_t most, struct view v, struct error *err)
{
	size_t n = c->allow.entry_count;
	struct config_allow allow, *list;

	if (parse_allow(&allow, v, err))
		return -1;
	if (n >= most)
		return error_set(err, "there are more than %zu entries", most);
	if ((n & (n - 1)) == 0) {
		list = realloc(c->allow.entry, (n ? 2 * n : 1) * sizeof *list);
		if (!list)
			return error_set(err, "out of memory");
		c->allow.entry = list;
	}
	c->allow.entry[n] = allow;
	c->allow.entry_count = n + 1;
	return 0;
}

/* One more value of a repeated key; an empty one empties the list. */
static int parse_repeated(
	struct config *c, const struct config_key *k, struct view v, struct error *err)
{
	size_t *count = config_at(c, k->count);
	char *list = config_at(c, k->offset);
	size_t each = k->type == CONFIG_LISTEN ? sizeof(struct config_listen) :
						 CONFIG_PATH_MAX;
	int rc;

	if (v.n == 0) {
		*count = 0;
		if (k->type != CONFIG_ALLOW) {
			memset(list, 0, k->size);
		} else {
			free(c->allow.entry);
			c->allow.entry = NULL;
		}
		return 0;
	}
	if (k->type == CONFIG_ALLOW)
		return add_allow(c, k->max, v, err);
	if (*count >= k->size / each)
		return error_set(err, "is given more than %zu times", k->size / each);
	if (k->type == CONFIG_LISTEN) {
		struct config_listen *listen = config_at(c, k->offset);

		rc = config_listen_parse(&listen[*count], v, HEP_PORT, err);
	} else {
		rc = parse_text(list + *count * each, k, v, err);
	}
	*count += rc == 0;
	return rc;
}

static int parse_quorum(
	uint32_t *out, const struct config_key *k, struct view v, struct error *err)
{
	uint64_t n;

	if (view_eq(v, view_str("never"))) {
		*out = QUORUM_NEVER;
		return 0;
	}
	if (view_decimal(v, k->max, &n))
		return error_set(err,
			"\"%s\" is no quorum: write 0 to %" PRIu64 ", or never",
			escaped(v), k->max);
	*out = (uint32_t)n;
	return 0;
}

int config_value_parse(struct config *c, const struct config_key *k, struct view value,
	struct error *err)
{
	void *at = config_at(c, k->offset);

	switch (k->type) {
	case CONFIG_BOOL:
		return parse_bool(at, value, err);
	case CONFIG_COUNT:
	case CONFIG_DURATION:
		return parse_number(at, k, value, err);
	case CONFIG_TEXT:
	case CONFIG_WORD:
	case CONFIG_PATH_NAME:
	case CONFIG_KEY_NAME:
	case CONFIG_SECRET:
	case CONFIG_WEBHOOK_URL:
		return parse_text(at, k, value, err);
	case CONFIG_SECRET_FILE:
		return parse_secret_file(at, k, value, err);
	case CONFIG_CHOICE:
		return parse_choice(at, k, value, err);
	case CONFIG_PROOFS:
		return parse_proofs(at, value, err);
	case CONFIG_RULE:
		return parse_rule(at, k, value, err);
	case CONFIG_QUORUM:
		return parse_quorum(at, k, value, err);
	case CONFIG_PORTS:
		return parse_ports(&c->enforce.nft, value, err);
	case CONFIG_SERVER:
		return config_server_parse(at, value, err);
	case CONFIG_RULES_FILE:
		return config_rules_file(c, k, value, err);
	case CONFIG_RULES_LINE:
		return config_rules_line(c, value, err);
	case CONFIG_SYSLOG:
		return config_syslog_parse(at, value, err);
	case CONFIG_SENDERS:
		return config_senders_parse(at, value, err);
	case CONFIG_API_LISTEN:
		return config_api_listen_add(c, k, value, err);
	case CONFIG_LISTEN:
	case CONFIG_PATHS:
	case CONFIG_ALLOW:
		return parse_repeated(c, k, value, err);
	case CONFIG_SIP_LISTEN:
	case CONFIG_ACCOUNTS:
	case CONFIG_HOST:
	case CONFIG_COLLECTOR:
		return config_honeypot_parse(c, k, value, err);
	case CONFIG_ADDRESS:
	case CONFIG_HASH:
	case CONFIG_NUMBER:
	case CONFIG_FEE:
	case CONFIG_FINALITY:
	case CONFIG_POLL:
	case CONFIG_ENDPOINTS:
		return config_chain_parse(c, k, value, err);
	}
	return error_set(err, "has an unknown type");
}
