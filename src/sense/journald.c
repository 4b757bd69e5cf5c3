/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/journald.h"
#include "base/hex.h"
#include "base/log.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Entries in one turn of the loop: other sensors want their turn, too. */
#define TURN_ENTRIES 512
#define NEXT_TURN    1    /* milliseconds until the next, when there are more */
#define LOOK_EVERY   1000 /* without news, look again after this; milliseconds */
#define AGAIN_AFTER  10   /* looks until a journal that failed is opened anew */

/* sd-journal.h's, whose ABI is frozen; its header is not needed to build. */
typedef struct sd_journal sd_journal;
#define SD_JOURNAL_SYSTEM 4

static struct {
	void *handle;
	int (*open)(sd_journal **, int);
	int (*open_directory)(sd_journal **, const char *, int);
	void (*close)(sd_journal *);
	int (*add_match)(sd_journal *, const void *, size_t);
	int (*set_data_threshold)(sd_journal *, size_t);
	int (*seek_head)(sd_journal *);
	int (*seek_tail)(sd_journal *);
	int (*seek_cursor)(sd_journal *, const char *);
	int (*test_cursor)(sd_journal *, const char *);
	int (*get_cursor)(sd_journal *, char **);
	int (*next)(sd_journal *);
	int (*previous)(sd_journal *);
	int (*get_data)(sd_journal *, const char *, const void **, size_t *);
	int (*get_realtime_usec)(sd_journal *, uint64_t *);
	int (*get_fd)(sd_journal *);
	int (*process)(sd_journal *);
} sd;

static const struct {
	const char *name;
	void *function; /* a function pointer of sd */
} symbols[] = {
	{"sd_journal_open", &sd.open},
	{"sd_journal_open_directory", &sd.open_directory},
	{"sd_journal_close", &sd.close},
	{"sd_journal_add_match", &sd.add_match},
	{"sd_journal_set_data_threshold", &sd.set_data_threshold},
	{"sd_journal_seek_head", &sd.seek_head},
	{"sd_journal_seek_tail", &sd.seek_tail},
	{"sd_journal_seek_cursor", &sd.seek_cursor},
	{"sd_journal_test_cursor", &sd.test_cursor},
	{"sd_journal_get_cursor", &sd.get_cursor},
	{"sd_journal_next", &sd.next},
	{"sd_journal_previous", &sd.previous},
	{"sd_journal_get_data", &sd.get_data},
	{"sd_journal_get_realtime_usec", &sd.get_realtime_usec},
	{"sd_journal_get_fd", &sd.get_fd},
	{"sd_journal_process", &sd.process},
};

struct journald {
	uv_loop_t *loop;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles; /* open or closing; the last one frees */
	bool polling;     /* poll was initialised and is not closing */
	bool closing;
	sd_journal *sd;
	char *directory;
	char *match;
	unsigned waited; /* looks since it failed */
	struct journald_position position;
	struct journald_events events;
	struct journald_figures figures;
};

int journald_load(struct error *err)
{
	/* Newer versions load these when an entry is compressed: too late then. */
	static const char *const compression[] = {
		"libzstd.so.1", "liblz4.so.1", "liblzma.so.5"};
	void *handle;

	if (sd.handle)
		return 0;
	for (size_t i = 0; i < sizeof compression / sizeof compression[0]; i++)
		(void)dlopen(compression[i], RTLD_NOW | RTLD_LOCAL);
	handle = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return error_set(err,
			"libsystemd.so.0 cannot be loaded (%s): install libsystemd0, or "
			"name a file by path instead",
			dlerror());
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
		void *found = dlsym(handle, symbols[i].name);

		if (!found) {
			dlclose(handle);
			return error_set(err, "libsystemd.so.0 has no %s: it is too old",
				symbols[i].name);
		}
		memcpy(symbols[i].function, &found, sizeof found);
	}
	sd.handle = handle;
	return 0;
}

/* --- positions --- */

/* The cursor's text: without boot and monotonic time, which seqnum outdoes. */
static void print_cursor(char dst[160], const struct journald_position *p)
{
	char id[33];
	int n = 0;

	if (p->seqnum)
		n = snprintf(dst, 160, "s=%s;i=%" PRIx64 ";x=%" PRIx64 ";",
			hex_encode(id, p->seqnum_id, sizeof p->seqnum_id), p->seqnum,
			p->hash);
	snprintf(dst + n, 160 - (size_t)n, "t=%" PRIx64, p->realtime);
}

/* The value of `name=` in a cursor. */
static struct view cursor_item(const char *cursor, char name)
{
	struct view rest = view_str(cursor);

	while (rest.n) {
		size_t end = view_find(rest, ';');
		struct view item = view_head(rest, end);

		if (item.n > 2 && item.p[0] == (uint8_t)name && item.p[1] == '=')
			return view_from(item, 2);
		rest = view_from(rest, end < rest.n ? end + 1 : end);
	}
	return (struct view){0};
}

static uint64_t hex_number(struct view v)
{
	uint64_t number = 0;

	for (size_t i = 0; i < v.n; i++) {
		uint8_t c = v.p[i];

		number = number << 4 |
			(uint8_t)(c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return number;
}

/* The entry at which the journal stands. Returns 0 or -1. */
static int read_position(struct journald *j)
{
	struct journald_position p = {.seqnum = 0};
	char *cursor;
	int rc = -1;

	if (sd.get_cursor(j->sd, &cursor) < 0)
		return -1;
	if (!hex_decode(p.seqnum_id, sizeof p.seqnum_id, cursor_item(cursor, 's'))) {
		p.seqnum = hex_number(cursor_item(cursor, 'i'));
		p.realtime = hex_number(cursor_item(cursor, 't'));
		p.hash = hex_number(cursor_item(cursor, 'x'));
		j->position = p;
		rc = 0;
	}
	free(cursor);
	return rc;
}

/* --- opening --- */

static int seek(struct journald *j, bool resume)
{
	char cursor[160];
	int rc;

	if (!resume) {
		rc = sd.seek_tail(j->sd);
		if (rc >= 0)
			rc = sd.previous(j->sd);
		if (rc > 0)
			return read_position(j) ? -EBADMSG : 0;
		j->position.realtime = clock_wall();
		return rc < 0 ? rc : sd.seek_head(j->sd);
	}
	print_cursor(cursor, &j->position);
	rc = sd.seek_cursor(j->sd, cursor);
	if (rc >= 0)
		rc = sd.next(j->sd);
	/* The first behind it, when that itself is gone: it is to be read. */
	if (rc > 0 && (!j->position.seqnum || sd.test_cursor(j->sd, cursor) <= 0))
		rc = sd.previous(j->sd) > 0 ? 0 : sd.seek_head(j->sd);
	return rc < 0 ? rc : 0;
}

static void on_readable(uv_poll_t *poll, int status, int events);

static int watch(struct journald *j)
{
	int fd = sd.get_fd(j->sd), rc;

	if (fd < 0)
		return fd;
	rc = uv_poll_init(j->loop, &j->poll, fd);
	if (rc)
		return rc;
	j->poll.data = j;
	j->handles++;
	j->polling = true;
	return uv_poll_start(&j->poll, UV_READABLE, on_readable);
}

/* Returns 0, or -1 with a text. */
static int begin(struct journald *j, bool resume, struct error *err)
{
	char match[320];
	int rc, n;

	if (j->directory)
		rc = sd.open_directory(&j->sd, j->directory, 0);
	else
		rc = sd.open(&j->sd, SD_JOURNAL_SYSTEM);
	if (rc < 0) {
		j->sd = NULL;
		return error_set(err, "the journal%s%s: %s", j->directory ? " " : "",
			j->directory ? j->directory : "", strerror(-rc));
	}
	n = snprintf(match, sizeof match, "%s=%s",
		strchr(j->match, '.') ? "_SYSTEMD_UNIT" : "SYSLOG_IDENTIFIER", j->match);
	rc = sd.add_match(j->sd, match, (size_t)n);
	if (rc >= 0)
		rc = sd.set_data_threshold(j->sd, LOG_ENTRY_MAX + 16);
	if (rc >= 0)
		rc = seek(j, resume);
	if (rc >= 0)
		rc = watch(j);
	return rc < 0 ? error_set(err, "the journal: %s", strerror(-rc)) : 0;
}

/* --- closing --- */

static void on_closed(uv_handle_t *handle)
{
	struct journald *j = handle->data;

	if (--j->handles || !j->closing)
		return;
	free(j->directory);
	free(j->match);
	free(j);
}

/* The library's descriptor goes with it: the watch first. */
static void end(struct journald *j)
{
	if (j->polling)
		uv_close((uv_handle_t *)&j->poll, on_closed);
	j->polling = false;
	if (j->sd)
		sd.close(j->sd);
	j->sd = NULL;
}

void journald_close(struct journald *j)
{
	if (!j)
		return;
	end(j);
	j->closing = true;
	uv_close((uv_handle_t *)&j->timer, on_closed);
}

/* --- reading --- */

/* A field's value, cut to most; empty when the entry has none. */
static struct view field(struct journald *j, const char *name, size_t most)
{
	size_t n, skip = strlen(name) + 1;
	const void *at;

	if (sd.get_data(j->sd, name, &at, &n) < 0 || n < skip)
		return (struct view){0};
	return view_head(view_from(view_of(at, n), skip), most);
}

/* A field of the entry copied, since the next one may take its memory. */
#define KEEP(dst, view) view_of(dst, keep(dst, sizeof(dst), view))

static size_t keep(char *dst, size_t size, struct view v)
{
	size_t n = view_copy(dst, size, v);

	return n < size ? n : size - 1;
}

static void give(struct journald *j)
{
	char host[256], app[256], pid[24];
	struct log_entry e = {.time = 0};

	e.host = KEEP(host, field(j, "_HOSTNAME", 255));
	e.app = KEEP(app, field(j, "SYSLOG_IDENTIFIER", 255));
	e.pid = KEEP(pid, field(j, "_PID", 20));
	(void)sd.get_realtime_usec(j->sd, &e.time);
	/* The last to be asked for: its memory is the library's. */
	e.message = field(j, "MESSAGE", LOG_ENTRY_MAX + 1);
	j->figures.entries++;
	if (!e.message.p) {
		j->figures.without++;
		return;
	}
	if (e.message.n > LOG_ENTRY_MAX) {
		j->figures.cut++;
		e.message = view_head(e.message, LOG_ENTRY_MAX);
	}
	j->events.entry(j->events.context, &e);
}

static void fail(struct journald *j, int rc)
{
	j->figures.failures++;
	log_warning("the journal of %s: %s; it is opened again in %d s", j->match,
		strerror(-rc), AGAIN_AFTER);
	j->waited = 0;
	end(j);
}

/* Read what is there, at most one turn. Returns whether there may be more. */
static bool read_turn(struct journald *j)
{
	unsigned count = 0;
	int rc = 1;

	while (count < TURN_ENTRIES && (rc = sd.next(j->sd)) > 0) {
		give(j);
		count++;
		if (read_position(j)) {
			rc = -EBADMSG;
			break;
		}
	}
	if (count)
		j->events.position(j->events.context, &j->position);
	if (rc < 0)
		fail(j, rc);
	return rc > 0;
}

static void on_timer(uv_timer_t *timer);

static void look(struct journald *j)
{
	bool more = j->sd && read_turn(j);

	uv_timer_start(&j->timer, on_timer, more ? NEXT_TURN : LOOK_EVERY, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct journald *j = poll->data;
	int rc;

	(void)events;
	if (status < 0 || !j->sd)
		return;
	rc = sd.process(j->sd);
	if (rc < 0)
		fail(j, rc);
	else
		look(j);
}

static void on_timer(uv_timer_t *timer)
{
	struct journald *j = timer->data;
	struct error err = {""};

	/* A watch that is still closing cannot be begun anew. */
	if (!j->sd && ++j->waited >= AGAIN_AFTER && j->handles == 1) {
		j->waited = 0;
		if (begin(j, true, &err)) {
			log_warning("%s", err.text);
			end(j);
		}
	}
	look(j);
}

struct journald *journald_open(uv_loop_t *loop, const struct journald_config *config,
	const struct journald_position *resume, const struct journald_events *events,
	struct error *err)
{
	struct journald *j;
	bool named = config->directory && config->directory[0];

	if (!sd.handle) {
		error_set(err, "libsystemd.so.0 is not loaded");
		return NULL;
	}
	j = calloc(1, sizeof *j);
	if (!j)
		goto memory;
	j->match = strdup(config->match);
	j->directory = named ? strdup(config->directory) : NULL;
	if (!j->match || (named && !j->directory))
		goto memory;
	j->loop = loop;
	j->events = *events;
	if (resume)
		j->position = *resume;
	uv_timer_init(loop, &j->timer);
	j->timer.data = j;
	j->handles = 1;
	if (begin(j, resume != NULL, err) ||
		uv_timer_start(&j->timer, on_timer, NEXT_TURN, 0)) {
		journald_close(j);
		return NULL;
	}
	if (!resume)
		events->position(events->context, &j->position);
	return j;
memory:
	if (j) {
		free(j->match);
		free(j->directory);
	}
	free(j);
	error_set(err, "out of memory for the journal");
	return NULL;
}

void journald_figures(const struct journald *j, struct journald_figures *out)
{
	*out = j->figures;
}

/* --- who may read --- */

static bool is_journal(const char *name)
{
	size_t n = strlen(name);

	return n > 8 && strcmp(name + n - 8, ".journal") == 0;
}

/* A folder's journal files, and those of the folders in it when deep. */
static bool forbidden_below(int parent, const char *name, bool deep)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool forbidden = false;
	struct dirent *d;
	DIR *dir;

	if (fd < 0)
		return errno == EACCES;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	while (!forbidden && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		if (is_journal(d->d_name)) {
			int file = openat(fd, d->d_name, O_RDONLY | O_CLOEXEC);

			forbidden = file < 0 && errno == EACCES;
			if (file >= 0)
				close(file);
		} else if (deep) {
			forbidden = forbidden_below(fd, d->d_name, false);
		}
	}
	closedir(dir);
	return forbidden;
}

bool journald_forbidden(const char *directory)
{
	if (directory && directory[0])
		return forbidden_below(AT_FDCWD, directory, true);
	return forbidden_below(AT_FDCWD, JOURNAL_PERSISTENT, true) ||
		forbidden_below(AT_FDCWD, JOURNAL_VOLATILE, true);
}
