/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_source.h"

#include <stdio.h>

#include "daemon/config_ami.h"
#include "daemon/config_secret.h"

#define PORT_AMI    5038
#define PORT_SYSLOG 514

static const struct config_key *key_of(const char *name)
{
	return config_key_find(CONFIG_SOURCE_SECTION, name);
}

const char *config_source_title(
	char dst[CONFIG_SOURCE_TITLE], const struct config_source *s)
{
	return config_named_title(dst, config_named_find(CONFIG_SOURCE_SECTION),
		(const struct config_named_head *)s);
}

const char *config_source_type_name(uint8_t type)
{
	return config_named_type(config_named_find(CONFIG_SOURCE_SECTION), type);
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

int config_source_check(const void *one, const struct config_key **at, struct error *err)
{
	const struct config_source *s = one;

	switch (s->type) {
	case CONFIG_SOURCE_AMI:
		return config_ami_check(CONFIG_SOURCE_SECTION, &s->address.address,
			s->user, s->secret_file, at, err);
	case CONFIG_SOURCE_LOG:
		*at = key_of("filter");
		if (!s->filter[0])
			return error_set(err,
				"is missing; add a line such as \"filter = asterisk\"");
		return check_text(s, at, err);
	case CONFIG_SOURCE_KAMAILIO:
		return check_text(s, at, err);
	default:
		return config_named_typeless(
			config_named_find(CONFIG_SOURCE_SECTION), at, err);
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

int config_source_secret(
	char *dst, size_t size, const struct config_source *s, struct error *err)
{
	return config_secret_read(
		dst, size, s->secret_file, "the secret of manager.conf", err);
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
