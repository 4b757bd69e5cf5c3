/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/escape.h"

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
			"it; if it was ever exposed, change it on both sides",
			path, st.st_mode & 07777U);
	return 0;
}

int config_secret_read(
	char *dst, size_t size, const char *path, const char *what, struct error *err)
{
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
		error_set(err, "%s: the first line must be %s: 1 to %zu bytes of text",
			path, what, size - 1);
		explicit_bzero(dst, size);
		goto done;
	}
	explicit_bzero(dst + line.n, size - line.n);
	rc = (int)line.n;
done:
	close(fd);
	return rc;
}
