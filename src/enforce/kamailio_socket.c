/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/kamailio_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(struct sockaddr_un *out, const char *path, struct error *err)
{
	memset(out, 0, sizeof *out);
	out->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof out->sun_path)
		return error_set(err, "%s: a socket's path has at most %zu bytes", path,
			sizeof out->sun_path - 1);
	memcpy(out->sun_path, path, strlen(path));
	return 0;
}

static int remove_socket(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) && errno == ENOENT)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, "%s is no socket: remove it", path);
	return unlink(path) ? error_set(err, "%s: %s", path, strerror(errno)) : 0;
}

static int bound_socket(const char *path, struct error *err)
{
	struct sockaddr_un address;
	int fd;

	if (address_of(&address, path, err) || remove_socket(path, err))
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, "a datagram socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&address, sizeof address)) {
		error_set(err, "%s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

static int connect_to(int fd, const char *path, struct error *err)
{
	struct sockaddr_un address;

	if (address_of(&address, path, err))
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return 0;
	switch (errno) {
	case ENOENT:
		return error_set(err,
			"there is no %s: start Kamailio, with modparam(\"jsonrpcs\", "
			"\"transport\", 4) and modparam(\"jsonrpcs\", \"dgram_socket\", "
			"\"%s\")",
			path, path);
	case ECONNREFUSED:
		return error_set(err, "%s: Kamailio has left it and does not run", path);
	case EACCES:
	case EPERM:
		return error_set(err,
			"%s: no permission; modparam(\"jsonrpcs\", \"dgram_mode\", 0660) "
			"and \"dgram_group\" give it, or start sipchaind as root",
			path);
	case EPROTOTYPE:
	case ENOTSOCK:
		return error_set(err,
			"%s is no datagram socket: the dgram_socket of jsonrpcs is meant",
			path);
	default:
		return error_set(err, "%s: %s", path, strerror(errno));
	}
}

/* Kamailio's user, or its group, may write answers. */
static int give_to_owner(const char *reply, const char *path, struct error *err)
{
	struct stat kamailio, own;

	if (stat(path, &kamailio) || lstat(reply, &own))
		return error_set(err, "%s: %s", path, strerror(errno));
	if (kamailio.st_uid == 0 && own.st_uid == 0)
		return chmod(reply, 0600) ? error_set(err, "%s", strerror(errno)) : 0;
	if ((own.st_uid != kamailio.st_uid || own.st_gid != kamailio.st_gid) &&
		lchown(reply, kamailio.st_uid, kamailio.st_gid))
		return error_set(err,
			"%s cannot be given to user %u, who runs Kamailio: %s", reply,
			(unsigned)kamailio.st_uid, strerror(errno));
	if (chmod(reply, 0620))
		return error_set(err, "%s: %s", reply, strerror(errno));
	return 0;
}

int kamailio_socket_open(
	int fds[2], const char *path, const char *reply, struct error *err)
{
	fds[0] = fds[1] = -1;
	fds[1] = bound_socket(reply, err);
	if (fds[1] < 0 || connect_to(fds[1], path, err))
		goto fail;
	fds[0] = bound_socket(reply, err);
	if (fds[0] < 0 || give_to_owner(reply, path, err))
		goto fail;
	return 0;
fail:
	for (unsigned i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
	unlink(reply);
	return -1;
}
