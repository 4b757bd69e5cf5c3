/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_ACTIVATION_H
#define DAEMON_ACTIVATION_H

#include "daemon/control.h"

/*
 * Sockets that the service manager opened (sd_listen_fds(3)): LISTEN_FDS of them
 * from descriptor 3 on, with the names of LISTEN_FDNAMES, when LISTEN_PID is this
 * process. They are kept open, for the role sense, however often it starts.
 */
struct activation {
	unsigned count;
	int fd[INHERITED_MAX];
	uint8_t transport[INHERITED_MAX]; /* as in struct control_hello */
};

/*
 * Take those of IPv4 and IPv6 that are named honeypot, or honeypot-udp, -tcp, -tls,
 * -ws, -wss; any other is closed, which is logged. The environment's variables are
 * removed. To be called before any descriptor is opened. Returns the count.
 */
unsigned activation_take(struct activation *out);

/*
 * What a FileDescriptorName= says: enum sip_transport, 0 for "honeypot", -1 when it
 * is not the honeypot's. Pure.
 */
int activation_transport(const char *name, size_t n);

#endif
