/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"
#include "indicator/unroutable.h"

#define PORT_AMI    5038
#define PORT_SYSLOG 514

static bool is_name(struct view v)
{
	if (!v.n || v.n >= sizeof((struct config_source *)0)->name)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
			!(c >= '0' && c <= '9') && !strchr("_-.", c))
			return false;
	}
	return true;
}

int config_source_heading(struct view *name, struct view heading, struct error *err)
{
	struct view rest;

	if (!view_starts(heading, CONFIG_SOURCE_SECTION))
		return 0;
	rest = view_from(heading, sizeof CONFIG_SOURCE_SECTION - 1);
	if (rest.n && rest.p[0] != ' ' && rest.p[0] != '\t' && rest.p[0] != '"')
		return 0;
	rest = view_trim(rest);
	if (rest.n < 2 || rest.p[0] != '"' || rest.p[rest.n - 1] != '"') {
		error_set(
			err, "a source needs a name in quotes, such as [source \"pbx\"]");
		return -1;
	}
	*name = view_head(view_from(rest, 1), rest.n - 2);
	if (is_name(*name))
		return 1;
	error_set(err,
		"\"%s\" is no name of a source: write 1 to %zu letters, digits, '_', "
		"'-' and '.'",
		escaped(*name), sizeof((struct config_source *)0)->name - 1);
	return -1;
}

struct config_key config_source_key(const struct config_key *k, size_t i)
{
	struct config_key own = *k;

	own.offset += i * sizeof(struct config_source);
	return own;
}

int config_source_index(struct config *c, struct view name, struct error *err)
{
	for (size_t i = 0; i < c->source_count; i++)
		if (view_eq(name, view_str(c->sources[i].name)))
			return (int)i;
	if (c->source_count == CONFIG_SOURCES_MAX)
		return error_set(
			err, "there are more than %u sources", CONFIG_SOURCES_MAX);
	view_copy(c->sources[c->source_count].name, sizeof c->sources[0].name, name);
	for (size_t i = 0; i < config_keys_count; i++) {
		struct config_key k = config_source_key(&config_keys[i], c->source_count);

		if (config_key_of_source(&k) && k.fallback &&
			config_value_parse(c, &k, view_str(k.fallback), err))
			abort(); /* the table is wrong: a test sees to that */
	}
	return (int)c->source_count++;
}

static const struct config_key *key_of(const char *name)
{
	return config_key_find(CONFIG_SOURCE_SECTION, name);
}

static bool is_loopback(const struct address *a)
{
	struct indicator i = indicator_from_address(a, a->family == 4 ? 32 : 128);
	const struct unroutable *range = unroutable_find(&i);

	return range && strcmp(range->name, "loopback") == 0;
}

const char *config_source_title(
	char dst[CONFIG_SOURCE_TITLE], const struct config_source *s)
{
	snprintf(dst, CONFIG_SOURCE_TITLE, "%s \"%s\"", CONFIG_SOURCE_SECTION, s->name);
	return dst;
}

const char *config_source_type_name(uint8_t type)
{
	const struct config_choice *t = key_of("type")->choices;

	while (t->name && t->value != type)
		t++;
	return t->name;
}

/* The types whose bits are set, as "ami or log". */
static const char *types_print(char dst[80], unsigned types)
{
	size_t n = 0;

	dst[0] = 0;
	for (const struct config_choice *t = key_of("type")->choices; t->name; t++)
		if (types & 1U << t->value && n < 80)
			n += (size_t)snprintf(
				dst + n, 80 - n, "%s%s", n ? " or " : "", t->name);
	return dst;
}

int config_source_strange(
	const struct config_source *s, const struct config_key *k, struct error *err)
{
	char own[80], other[80];

	return error_set(err,
		"belongs to a source of type = %s, and this one's is %s; remove it, or "
		"change the type",
		types_print(other, k->of), types_print(own, 1U << s->type));
}

/* What AMI needs. */
static int check_ami(
	const struct config_source *s, const struct config_key **at, struct error *err)
{
	char text[ADDRESS_TEXT];

	*at = key_of("address");
	/* Account names, addresses and calls would travel in the clear. */
	if (!is_loopback(&s->address.address))
		return error_set(err,
			"%s is another machine, and AMI is not encrypted: let a tunnel "
			"(ssh -L, stunnel, WireGuard with a local forward) end at "
			"127.0.0.1 and name that",
			address_print(text, &s->address.address));
	*at = key_of("user");
	if (!s->user[0])
		return error_set(err,
			"is empty; name the section of manager.conf, such as sipchain");
	*at = key_of("secret_file");
	if (!s->secret_file[0])
		return error_set(err,
			"is missing; write the secret of manager.conf into a file of its own "
			"(chmod 600) and name that");
	return 0;
}

/* What a unit's or an identifier's name is made of; systemd.unit(5). */
static bool is_journal_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') &&
			!(*c >= '0' && *c <= '9') && !strchr(":-_.\\@", *c))
			return false;
	return true;
}

/* Lines come from one place. */
static int check_text(
	const struct config_source *s, const struct config_key **at, struct error *err)
{
	unsigned places = !!s->path[0] + !!s->journal[0] + !!s->syslog.transport;

	*at = key_of("path");
	if (!places)
		return error_set(err,
			"is missing; name a log by path, a unit by journal, or a socket by "
			"syslog");
	if (places > 1)
		return error_set(err,
			"path, journal and syslog exclude each other; write a source for each");
	*at = key_of("journal");
	if (!is_journal_name(s->journal))
		return error_set(err,
			"\"%s\" is no unit and no identifier: write its name alone, such as "
			"kamailio.service",
			s->journal);
	*at = key_of("journal_path");
	if (s->journal_path[0] && !s->journal[0])
		return error_set(err, "is of no use without journal");
	*at = key_of("from");
	if (s->from.from_count && !s->syslog.transport)
		return error_set(err, "is of no use without syslog");
	return 0;
}

int config_source_check(
	const struct config_source *s, const struct config_key **at, struct error *err)
{
	char types[80];

	switch (s->type) {
	case CONFIG_SOURCE_AMI:
		return check_ami(s, at, err);
	case CONFIG_SOURCE_LOG:
		*at = key_of("filter");
		if (!s->filter[0])
			return error_set(err,
				"is missing; add a line such as \"filter = asterisk\"");
		return check_text(s, at, err);
	case CONFIG_SOURCE_KAMAILIO:
		return check_text(s, at, err);
	default:
		*at = key_of("type");
		return error_set(
			err, "is missing; write type = %s", types_print(types, UINT_MAX));
	}
}

struct filter *config_source_filter(const struct config_source *s, struct error *err)
{
	const struct filter_settings settings = {
		.now = clock_wall(), .journal = !s->path[0]};

	return filter_new(s->filter, &settings, err);
}

unsigned config_sources_try(const struct config *c, struct buffer *errors)
{
	char title[CONFIG_SOURCE_TITLE];
	unsigned count = 0;

	for (size_t i = 0; i < c->source_count; i++) {
		const struct config_source *s = &c->sources[i];
		struct error err = {""};
		struct filter *f;

		if (s->type != CONFIG_SOURCE_LOG)
			continue;
		f = config_source_filter(s, &err);
		if (!f) {
			buffer_printf(errors, "[%s] %s\n", config_source_title(title, s),
				err.text);
			count++;
		}
		filter_free(f);
	}
	return count;
}

/* The file's owner and mode. Returns 0, or -1 with a text. */
static int check_file(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return error_set(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "%s: a secret must be in a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(err,
			"%s: the secret belongs to user %u, not to root or this "
			"process's user %u: chown it",
			path, st.st_uid, geteuid());
	if (st.st_mode & 077)
		return error_set(err,
			"%s: others can read the secret (mode %04o): run chmod 600 on "
			"it; if it was ever exposed, change it in manager.conf too",
			path, st.st_mode & 07777U);
	return 0;
}

int config_source_secret(
	char *dst, size_t size, const struct config_source *s, struct error *err)
{
	const char *path = s->secret_file;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct view line;
	ssize_t n;
	int rc = -1;

	if (fd < 0)
		return error_set(err, "%s: %s", path,
			errno == ELOOP ? "is a symbolic link; name the file itself" :
					 strerror(errno));
	if (check_file(fd, path, err))
		goto done;
	n = read(fd, dst, size);
	if (n < 0) {
		error_set(err, "%s: %s", path, strerror(errno));
		goto done;
	}
	line = view_of(dst, (size_t)n);
	line = view_head(line, view_find(line, '\n'));
	while (line.n && line.p[line.n - 1] == '\r')
		line = view_head(line, line.n - 1);
	if (!line.n || line.n == size || !text_is_clean(line)) {
		error_set(err,
			"%s: the first line must be the secret of manager.conf: 1 to "
			"%zu bytes of text",
			path, size - 1);
		explicit_bzero(dst, size);
		goto done;
	}
	explicit_bzero(dst + line.n, size - line.n);
	rc = (int)line.n;
done:
	close(fd);
	return rc;
}

int config_server_parse(struct config_server *out, struct view v, struct error *err)
{
	memset(out, 0, sizeof *out);
	if (address_port_parse(&out->address, &out->port, v, PORT_AMI, err))
		return -1;
	return out->port ? 0 : error_set(err, "port 0 is none; write 1 to 65535");
}

int config_server_print(struct buffer *out, const struct config_server *s)
{
	const char *open = s->address.family == 6 ? "[" : "";
	const char *close = s->address.family == 6 ? "]" : "";
	char text[ADDRESS_TEXT];

	return buffer_printf(
		out, "%s%s%s:%u", open, address_print(text, &s->address), close, s->port);
}

int config_syslog_parse(struct config_listen *out, struct view v, struct error *err)
{
	if (v.n)
		return config_listen_parse(out, v, PORT_SYSLOG, err);
	memset(out, 0, sizeof *out);
	return 0;
}

int config_senders_parse(struct syslog_config *out, struct view v, struct error *err)
{
	struct syslog_config senders;

	memset(&senders, 0, sizeof senders); /* values are compared as memory */
	for (v = view_trim(v); v.n; v = view_trim(v)) {
		size_t end = view_find(v, ' ');

		if (senders.from_count == SYSLOG_FROM_MAX)
			return error_set(
				err, "names more than %u addresses", SYSLOG_FROM_MAX);
		if (address_parse(
			    &senders.from[senders.from_count], view_head(v, end), err))
			return -1;
		senders.from_count++;
		v = view_from(v, end);
	}
	*out = senders;
	return 0;
}

int config_senders_print(struct buffer *out, const struct syslog_config *s)
{
	char text[ADDRESS_TEXT];
	int rc = 0;

	for (size_t i = 0; i < s->from_count; i++)
		rc = buffer_printf(
			out, "%s%s", i ? " " : "", address_print(text, &s->from[i]));
	return rc;
}
