/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sipchaind as it is, but its role `ledger` can be stopped between two steps of
 * a reading or of a batch, so that a test kills something just there.
 *
 * The file "stop-at" beside the ledger's file (the one folder that the role may
 * write to) names a step. The role that comes to it makes the file "stopped",
 * removes the other, and waits until its own is gone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/start.h"
#include "ledger/ethereum/reader.h"
#include "ledger/ethereum/writer.h"

static char wanted[CONFIG_PATH_MAX + 16], reached[CONFIG_PATH_MAX + 16];

static bool is_wanted(const char *step)
{
	char text[32];
	int fd = open(wanted, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return !strcmp(text, step);
}

static void at_step(const char *step)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	int fd;

	if (!is_wanted(step))
		return;
	fd = open(reached, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	close(fd);
	unlink(wanted);
	while ((fd = open(reached, O_RDONLY | O_CLOEXEC)) >= 0) {
		close(fd);
		nanosleep(&pause, NULL);
	}
}

static void on_reader_step(const char *name)
{
	char step[32];

	snprintf(step, sizeof step, "read %s", name);
	at_step(step);
}

static void on_writer_step(const char *name)
{
	char step[32];

	snprintf(step, sizeof step, "write %s", name);
	at_step(step);
}

static int stepping_ledger(
	struct config *config, int parent_fd, const struct control_hello *hello)
{
	const char *path = config->ledger.path, *slash = strrchr(path, '/');
	int folder = slash ? (int)(slash - path) + 1 : 0;

	snprintf(wanted, sizeof wanted, "%.*sstop-at", folder, path);
	snprintf(reached, sizeof reached, "%.*sstopped", folder, path);
	reader_step = on_reader_step;
	writer_step = on_writer_step;
	return role_ledger(config, parent_fd, hello);
}

int main(int argc, char **argv)
{
	static role_fn *const roles[ROLE_COUNT] = {
		[ROLE_SENSE] = role_sense,
		[ROLE_NODE] = role_node,
		[ROLE_LEDGER] = stepping_ledger,
		[ROLE_ENFORCE] = role_enforce,
		[ROLE_DELIVER] = role_deliver,
	};

	return daemon_start(argc, argv, roles);
}
