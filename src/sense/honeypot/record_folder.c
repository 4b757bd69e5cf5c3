/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/honeypot/record_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int record_folder_list(int folder, record_folder_fn *fn, void *context)
{
	/* A descriptor of its own: the walk's position belongs to it. */
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *e;
	struct stat st;
	DIR *d;

	if (fd < 0)
		return -1;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	errno = 0;
	while ((e = readdir(d))) {
		uint64_t sequence = record_sequence(e->d_name);

		if (sequence && !fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
			S_ISREG(st.st_mode))
			fn(context, sequence, &st);
		errno = 0; /* ENOENT of one that is gone by now */
	}
	fd = errno;
	closedir(d);
	errno = fd;
	return fd ? -1 : 0;
}

int record_folder_take(int file)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(file, F_OFD_SETLK, &lock);
}

bool record_folder_in_use(int file)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	return !fcntl(file, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}
