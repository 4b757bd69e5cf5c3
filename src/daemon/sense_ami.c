/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sense_ami.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret_page.h"
#include "daemon/config_source.h"
#include "daemon/messages.h"
#include "daemon/sense_source.h"
#include "sense/ami.h"

#define SECRET_MAX 256

struct source {
	struct sense_ami *all;
	unsigned index; /* in the configuration */
	const struct config_source *config;
	char *secret; /* a page of its own; NULL: there is none */
	size_t secret_size;
	char trouble[200]; /* why there is none */
	struct ami *ami;
	struct ami_trunk *trunks; /* of the last round */
	size_t trunks_count;
	bool round;       /* there was one */
	bool trunks_told; /* the node has it */
	struct source_status told;
};

struct sense_ami {
	struct source sources[CONFIG_SOURCES_MAX];
	size_t count;
	struct parent *parent;
	observation_fn *observation;
	void *context;
};

static void read_secret(struct source *s)
{
	char title[CONFIG_SOURCE_TITLE];
	struct error err = {""};
	int n = -1;

	s->secret = secret_page_new();
	if (!s->secret)
		error_set(&err, "a page of memory for the secret: %s", strerror(errno));
	else
		n = config_source_secret(s->secret, SECRET_MAX, s->config, &err);
	if (n > 0) {
		s->secret_size = (size_t)n;
		return;
	}
	secret_page_free(s->secret);
	s->secret = NULL;
	log_error("[%s] secret_file: %s; this source is not used",
		config_source_title(title, s->config), err.text);
	snprintf(s->trouble, sizeof s->trouble, "%.199s", err.text);
}

struct sense_ami *sense_ami_new(
	const struct config *config, observation_fn *observation, void *context)
{
	struct sense_ami *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->observation = observation;
	s->context = context;
	for (size_t i = 0; i < config->source_count; i++) {
		struct source *one = &s->sources[s->count];

		if (config->sources[i].type != CONFIG_SOURCE_AMI)
			continue;
		one->all = s;
		one->index = (unsigned)i;
		one->config = &config->sources[i];
		read_secret(one);
		s->count++;
	}
	return s;
}

static void on_connect(void *context)
{
	struct source *s = context;

	parent_connect(s->all->parent, s->index);
}

static void on_observation(void *context, const struct observation *o)
{
	struct source *s = context;
	struct observation live = *o;

	observation_live(&live, clock_wall());
	s->all->observation(s->all->context, &live);
}

static void on_trunks(void *context, const struct ami_trunk *trunks, size_t count)
{
	struct source *s = context;

	if (!s->trunks)
		s->trunks = calloc(AMI_TRUNKS_MAX, sizeof *s->trunks);
	if (!s->trunks)
		return;
	if (count)
		memcpy(s->trunks, trunks, count * sizeof *trunks);
	s->trunks_count = count;
	s->round = true;
	s->trunks_told = false; /* also the same ones again: they live on */
}

int sense_ami_start(struct sense_ami *s, uv_loop_t *loop, struct parent *parent)
{
	s->parent = parent;
	for (size_t i = 0; i < s->count; i++) {
		struct source *one = &s->sources[i];
		const struct ami_callbacks callbacks = {
			one, on_connect, on_observation, on_trunks};
		const struct ami_config config = {
			.name = one->config->name,
			.user = one->config->user,
			.secret = view_of(one->secret, one->secret_size),
			.timing = ami_timing_default,
		};

		if (!one->secret)
			continue;
		one->ami = ami_open(loop, &config, &callbacks, hash_key_random());
		if (!one->ami)
			return -1;
	}
	return 0;
}

void sense_ami_connected(struct sense_ami *s, unsigned source, int error, int fd)
{
	char why[128], where[ADDRESS_TEXT];

	for (size_t i = 0; i < s->count; i++) {
		struct source *one = &s->sources[i];

		if (one->index != source || !one->ami)
			continue;
		if (fd >= 0) {
			ami_connected(one->ami, fd);
			return;
		}
		snprintf(why, sizeof why, "no connection to %s port %u: %s",
			address_print(where, &one->config->address.address),
			one->config->address.port, strerror(error));
		ami_unreachable(one->ami, why);
	}
	if (fd >= 0)
		close(fd);
}

/* --- to the node --- */

static void status_of(struct source_status *out, const struct source *s)
{
	struct ami_figures f = {.state = 0};

	if (s->ami)
		ami_figures(s->ami, &f);
	sense_source_begin(
		out, s->config, s->index, f.state, s->ami ? f.trouble : s->trouble);
	out->observations = f.observations;
	out->of.ami.booted = f.booted;
	out->of.ami.messages = f.messages;
	out->of.ami.injected = f.injected;
	out->of.ami.calls = f.calls;
	out->of.ami.floods = f.floods;
	out->of.ami.logins = f.logins;
	out->of.ami.gaps = f.gaps;
	out->of.ami.away = (uint32_t)(f.away / USEC_PER_SEC);
	out->of.ami.trunks = f.trunks;
	out->of.ami.trunks_unused = f.trunks_unused;
}

static int tell_trunks(const struct source *s, struct link *node)
{
	static struct {
		struct trunks_header header;
		struct trunk_entry list[AMI_TRUNKS_MAX];
	} message;

	memset(&message.header, 0, sizeof message.header);
	message.header.source = (uint8_t)s->index;
	message.header.count = (uint16_t)s->trunks_count;
	memcpy(message.header.name, s->config->name, sizeof message.header.name);
	for (size_t i = 0; i < s->trunks_count; i++) {
		message.list[i].indicator = s->trunks[i].indicator;
		memcpy(message.list[i].endpoint, s->trunks[i].endpoint,
			sizeof message.list[i].endpoint);
	}
	return link_send(node, MSG_TRUNKS,
		view_of(&message,
			sizeof message.header +
				s->trunks_count * sizeof message.list[0]));
}

void sense_ami_tell(struct sense_ami *s, struct link *node, bool again)
{
	struct source_status now;

	for (size_t i = 0; i < s->count; i++) {
		struct source *one = &s->sources[i];

		if (again) {
			memset(&one->told, 0, sizeof one->told);
			one->trunks_told = false;
		}
		status_of(&now, one);
		sense_source_tell(&one->told, &now, node);
		if (one->round && !one->trunks_told && !tell_trunks(one, node))
			one->trunks_told = true;
	}
}

bool sense_ami_waits(const struct sense_ami *s)
{
	struct ami_figures f;

	for (size_t i = 0; i < s->count; i++) {
		if (!s->sources[i].ami)
			return true;
		ami_figures(s->sources[i].ami, &f);
		if (f.state != AMI_READY)
			return true;
	}
	return false;
}

void sense_ami_free(struct sense_ami *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		ami_close(s->sources[i].ami);
		free(s->sources[i].trunks);
		secret_page_free(s->sources[i].secret);
	}
	free(s);
}
