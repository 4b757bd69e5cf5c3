/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/hep.h"
#include "sense/listen.h"

#define RECEIVE_BUFFER (32 << 20)

int hep_open_udp(const struct address *local, uint16_t port, struct error *err)
{
	int fd = listen_udp(local, port, RECEIVE_BUFFER, err);

	return fd < 0 ? error_prefix(err, "HEP") : fd;
}

int hep_open_tcp(const struct address *local, uint16_t port, struct error *err)
{
	int fd = listen_tcp(local, port, err);

	return fd < 0 ? error_prefix(err, "HEP") : fd;
}
