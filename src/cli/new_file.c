/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* All of it: a write may take less than it was given. */
static int write_all(int fd, struct view rest)
{
	while (rest.n) {
		ssize_t n = write(fd, rest.p, rest.n);

		if (n < 0)
			return -1;
		rest = view_from(rest, (size_t)n);
	}
	return fsync(fd);
}

int new_file_write(const char *path, mode_t mode, struct view content)
{
	int saved, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return -1;
	if (!write_all(fd, content))
		return close(fd);
	saved = errno;
	close(fd);
	unlink(path);
	errno = saved;
	return -1;
}
