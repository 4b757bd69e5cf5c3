/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sense_journal.h"

#include <stdio.h>
#include <stdlib.h>

struct sense_journal {
	uv_loop_t *loop;
	const struct config_source *config;
	log_entry_fn *entry;
	void *context;
	struct journald *journal; /* open while a node is there to take positions */
	uint64_t failures; /* of journals that were closed with a node that ended */
	bool moved;        /* position changed since it was told */
	struct log_position position;
};

struct sense_journal *sense_journal_new(uv_loop_t *loop,
	const struct config_source *config, log_entry_fn *entry, void *context,
	struct error *err)
{
	struct sense_journal *j;

	if (journald_load(err))
		return NULL;
	j = calloc(1, sizeof *j);
	if (!j) {
		error_set(err, "out of memory for the journal");
		return NULL;
	}
	j->loop = loop;
	j->config = config;
	j->entry = entry;
	j->context = context;
	return j;
}

size_t sense_journal_paths(const struct sense_journal *j, struct sandbox_path *paths)
{
	if (j->config->journal_path[0]) {
		paths[0] = (struct sandbox_path){j->config->journal_path, SANDBOX_READ};
		return 1;
	}
	paths[0] = (struct sandbox_path){JOURNAL_PERSISTENT, SANDBOX_READ};
	paths[1] = (struct sandbox_path){JOURNAL_VOLATILE, SANDBOX_READ};
	return 2;
}

/*
 * A cursor as a log's position: the id of the sequence stands for device and
 * inode, the number for the offset, time and hash for the fingerprint.
 */
static void on_position(void *context, const struct journald_position *p)
{
	struct sense_journal *j = context;

	memset(&j->position, 0, sizeof j->position);
	snprintf(
		j->position.path, sizeof j->position.path, "journal:%s", j->config->name);
	memcpy(&j->position.dev, p->seqnum_id, 8);
	memcpy(&j->position.inode, p->seqnum_id + 8, 8);
	j->position.offset = p->seqnum;
	memcpy(j->position.fingerprint, &p->realtime, 8);
	memcpy(j->position.fingerprint + 8, &p->hash, 8);
	j->moved = true;
}

static void on_entry(void *context, const struct log_entry *e)
{
	struct sense_journal *j = context;

	j->entry(j->context, e);
}

static bool find_position(struct journald_position *out, const struct config_source *c,
	const struct log_position *list, size_t count)
{
	char path[sizeof list[0].path];

	snprintf(path, sizeof path, "journal:%s", c->name);
	for (size_t i = 0; i < count; i++) {
		if (strncmp(list[i].path, path, sizeof path) != 0)
			continue;
		memcpy(out->seqnum_id, &list[i].dev, 8);
		memcpy(out->seqnum_id + 8, &list[i].inode, 8);
		out->seqnum = list[i].offset;
		memcpy(&out->realtime, list[i].fingerprint, 8);
		memcpy(&out->hash, list[i].fingerprint + 8, 8);
		return true;
	}
	return false;
}

int sense_journal_start(struct sense_journal *j, const struct log_position *list,
	size_t count, struct error *err)
{
	const struct journald_events events = {on_entry, on_position, j};
	const struct journald_config config = {
		j->config->journal_path, j->config->journal};
	struct journald_position resume;
	bool known = find_position(&resume, j->config, list, count);

	sense_journal_stop(j);
	j->journal = journald_open(
		j->loop, &config, known ? &resume : NULL, &events, err);
	if (!j->journal)
		return -1;
	/* Looked at after the sandbox closed: what this user may read counts. */
	if (journald_forbidden(j->config->journal_path))
		error_set(err,
			"there are journals that this user may not read: run `adduser "
			"sipchain systemd-journal` and restart");
	return 0;
}

void sense_journal_stop(struct sense_journal *j)
{
	struct journald_figures f;

	if (!j->journal)
		return;
	journald_figures(j->journal, &f);
	j->failures += f.failures;
	journald_close(j->journal);
	j->journal = NULL;
	j->moved = false;
}

void sense_journal_tell(struct sense_journal *j, struct link *node)
{
	if (j->moved &&
		!link_send(node, MSG_POSITION, view_of(&j->position, sizeof j->position)))
		j->moved = false;
}

uint64_t sense_journal_failures(const struct sense_journal *j)
{
	struct journald_figures f = {.failures = 0};

	if (j->journal)
		journald_figures(j->journal, &f);
	return j->failures + f.failures;
}

void sense_journal_free(struct sense_journal *j)
{
	if (!j)
		return;
	sense_journal_stop(j);
	free(j);
}
