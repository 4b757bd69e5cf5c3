/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int config_file_read(struct buffer *text, const char *path, struct error *err)
{
	uint8_t block[4096];
	struct stat st;
	ssize_t n = 0;
	int fd, rc = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return error_set(err, "%s", strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		error_set(err, "is no regular file");
		goto done;
	}
	while ((n = read(fd, block, sizeof block)) > 0) {
		if (!buffer_put(text, block, (size_t)n))
			continue;
		error_set(err, "is larger than %zu bytes", text->max);
		goto done;
	}
	rc = n < 0 ? error_set(err, "%s", strerror(errno)) : 0;
done:
	close(fd);
	return rc;
}
