/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/logtail.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read in one turn of the loop: other sensors want their turn, too. */
#define TURN_BYTES (256 * 1024)

/*
 * Until the next turn, when there is more to read; milliseconds. Not 0:
 * libuv runs a timer that is due again within the very same turn.
 */
#define NEXT_TURN 1

/* Without news, look again after this; milliseconds. */
#define LOOK_EVERY 1000

/*
 * How long a file that lost its name is still read: logrotate makes the new
 * file first and tells the PBX to reopen it afterwards. Milliseconds.
 */
#define OLD_FOR (60 * 1000)

/* Names looked through for a file that was renamed; a log folder is small. */
#define NAMES_MAX 4096

struct logtail {
	uv_timer_t timer;
	uv_poll_t poll;
	int directory, inotify;
	unsigned handles;        /* that are not closed yet */
	struct logfile *current; /* NULL: not there */
	struct logfile *old;     /* what had the name before; NULL: none */
	uint64_t old_until;      /* in the loop's time */
	int open_errno, read_errno;
	struct logtail_events events;
	logfile_skip_fn *skip; /* NULL: none */
	struct logfile_position told;
	struct logtail_figures figures;
	char name[NAME_MAX + 1];
};

static void look(uv_timer_t *timer);

/* Let look() run soon (milliseconds). */
static void schedule(struct logtail *t, uint64_t wait)
{
	uv_timer_start(&t->timer, look, wait, 0);
}

static struct logtail *of(void *data)
{
	return data;
}

/* Drain the watch; which file it was is seen by looking. */
static void on_inotify(uv_poll_t *poll, int status, int events)
{
	struct logtail *t = of(poll->data);
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	(void)events;
	if (status < 0) {
		uv_poll_stop(poll);
		return;
	}
	n = read(t->inotify, buffer, sizeof(buffer));
	/* At once: NEXT_TURN would cost each line a millisecond. */
	if (n > 0)
		schedule(t, 0);
}

const char *logtail_trouble(int trouble)
{
	switch (trouble) {
	case ENOENT:
		return "is not there; it is read as soon as it is";
	case ENXIO:
	case ELOOP:
		return "is no regular file but a folder, a pipe or a link; put the log back";
	case EACCES:
	case EPERM:
		return "may not be read by this user; let its owner give the right";
	default:
		return strerror(trouble);
	}
}

/*
 * Tell once why the file cannot be opened or read (last: what was told of that),
 * and again when the reason changes.
 */
static void tell_errno(struct logtail *t, int *last, int error)
{
	if (error && error != *last && error != ENOENT)
		log_warning("log %s: cannot read: it %s; trying on",
			escaped(view_str(t->name)), logtail_trouble(error));
	*last = error;
	t->figures.trouble = t->open_errno ? t->open_errno : t->read_errno;
}

/* Give up the old file. */
static void drop_old(struct logtail *t)
{
	t->figures.file.unended += logfile_has_rest(t->old);
	logfile_close(t->old);
	t->old = NULL;
}

/*
 * Open what has the name now. Returns whether that is another one than
 * before, which then is old and is to be read to its end first.
 */
static bool look_for_new(struct logtail *t)
{
	struct logfile *found;
	struct stat st;

	t->figures.present = !fstatat(t->directory, t->name, &st, AT_SYMLINK_NOFOLLOW);
	if (!t->figures.present) {
		tell_errno(t, &t->open_errno, errno);
		return false;
	}
	if (t->current && logfile_is(t->current, st.st_dev, st.st_ino)) {
		tell_errno(t, &t->open_errno, 0);
		return false;
	}
	found = logfile_open(t->directory, t->name);
	tell_errno(t, &t->open_errno, found ? 0 : errno);
	if (!found)
		return false;
	if (!t->current) {
		t->current = found;
		return false;
	}
	t->figures.rotations++;
	if (t->old)
		drop_old(t);
	t->old = t->current;
	t->old_until = uv_now(t->timer.loop) + OLD_FOR;
	t->current = found;
	return true;
}

/* Read one file for a turn. Returns whether there is more at once. */
static bool read_turn(struct logtail *t, struct logfile *f)
{
	const struct logfile_taker taker = {t->events.line, t->skip, t->events.context};
	enum logfile_state state;

	state = logfile_read(f, TURN_BYTES, &taker, &t->figures.file);
	tell_errno(t, &t->read_errno, state == LOGFILE_FAILED ? errno : 0);
	return state == LOGFILE_MORE || state == LOGFILE_TRUNCATED;
}

/* Tell where f stands, when that is news. */
static void tell_position(struct logtail *t, const struct logfile *f)
{
	struct logfile_position now = logfile_position(f);

	if (!t->events.position || !memcmp(&now, &t->told, sizeof(now)))
		return;
	t->told = now;
	t->events.position(t->events.context, &now);
}

/* One turn. */
static void look(uv_timer_t *timer)
{
	struct logtail *t = of(timer->data);
	bool more;

	if (t->old) {
		/* Its remainder comes first, in order and for the position. */
		if (read_turn(t, t->old)) {
			tell_position(t, t->old);
			schedule(t, NEXT_TURN);
			return;
		}
		if (uv_now(timer->loop) >= t->old_until)
			drop_old(t);
	}
	if (look_for_new(t)) {
		schedule(t, NEXT_TURN);
		return;
	}
	more = t->current && read_turn(t, t->current);
	if (t->current)
		tell_position(t, t->current);
	schedule(t, more ? NEXT_TURN : LOOK_EVERY);
}

/* The file of a position under another name: rotated while nobody looked. */
static struct logfile *find_renamed(
	const struct logtail *t, const struct logfile_position *resume)
{
	struct logfile *found = NULL;
	struct dirent *entry;
	unsigned names = 0;
	DIR *dir;
	int fd;

	fd = openat(t->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return NULL;
	}
	while (!found && names++ < NAMES_MAX && (entry = readdir(dir))) {
		if (entry->d_ino != (ino_t)resume->inode)
			continue;
		found = logfile_open(t->directory, entry->d_name);
		if (found &&
			(!logfile_is(found, resume->device, resume->inode) ||
				logfile_resume(found, resume))) {
			logfile_close(found);
			found = NULL;
		}
	}
	closedir(dir);
	return found;
}

/* Where to begin. */
static void start(struct logtail *t, const struct logfile_position *resume)
{
	t->current = logfile_open(t->directory, t->name);
	tell_errno(t, &t->open_errno, t->current ? 0 : errno);
	if (!resume) {
		if (t->current && logfile_seek_end(t->current))
			tell_errno(t, &t->read_errno, errno);
		return;
	}
	if (t->current && logfile_is(t->current, resume->device, resume->inode)) {
		if (logfile_resume(t->current, resume))
			t->figures.file.truncated++;
		return;
	}
	t->old = find_renamed(t, resume);
	t->old_until = uv_now(t->timer.loop) + OLD_FOR;
	if (t->old)
		t->figures.rotations++;
	else
		t->figures.lost++;
}

/* Watch the directory; without it there is still the look every second. */
static void watch(struct logtail *t, uv_loop_t *loop)
{
	char path[32];

	t->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (t->inotify < 0)
		goto none;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", t->directory);
	if (inotify_add_watch(t->inotify, path,
		    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0 ||
		uv_poll_init(loop, &t->poll, t->inotify))
		goto none;
	t->poll.data = t;
	t->handles++;
	uv_poll_start(&t->poll, UV_READABLE, on_inotify);
	return;
none:
	log_info("log %s: no inotify (%s), looking every second",
		escaped(view_str(t->name)), strerror(errno));
	if (t->inotify >= 0)
		close(t->inotify);
	t->inotify = -1;
}

struct logtail *logtail_open(uv_loop_t *loop, int directory, const char *name,
	const struct logfile_position *resume, const struct logtail_events *events,
	struct error *err)
{
	struct logtail *t;

	if (!*name || strchr(name, '/') || strlen(name) > NAME_MAX) {
		error_set(err,
			"log file name %s: a plain name in the log directory is "
			"needed, such as security.json",
			escaped(view_str(name)));
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		error_set(err, "log file %s: out of memory", escaped(view_str(name)));
		return NULL;
	}
	strcpy(t->name, name);
	t->events = *events;
	t->directory = fcntl(directory, F_DUPFD_CLOEXEC, 3);
	if (t->directory < 0) {
		error_set(err, "log file %s: directory: %s", escaped(view_str(name)),
			strerror(errno));
		free(t);
		return NULL;
	}
	/* First the watch, then the look: nothing comes between. */
	watch(t, loop);
	uv_timer_init(loop, &t->timer);
	t->timer.data = t;
	t->handles++;
	start(t, resume);
	schedule(t, NEXT_TURN);
	return t;
}

static void on_closed(uv_handle_t *handle)
{
	struct logtail *t = of(handle->data);

	if (--t->handles)
		return;
	if (t->inotify >= 0)
		close(t->inotify);
	free(t);
}

void logtail_skip(struct logtail *t, logfile_skip_fn *skip)
{
	t->skip = skip;
}

void logtail_close(struct logtail *t)
{
	if (!t)
		return;
	logfile_close(t->current);
	logfile_close(t->old);
	t->current = t->old = NULL;
	close(t->directory);
	if (t->inotify >= 0)
		uv_close((uv_handle_t *)&t->poll, on_closed);
	uv_close((uv_handle_t *)&t->timer, on_closed);
}

void logtail_figures(const struct logtail *t, struct logtail_figures *out)
{
	*out = t->figures;
}
