/* SPDX-License-Identifier: Apache-2.0 */
/* What a client says to TLS before it is TLS: a handshake on a socket pair. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sense/honeypot/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static struct honeypot_tls *make(void)
{
	char folder[] = "/tmp/sipchain-fuzz-XXXXXX", path[64];
	struct honeypot_tls *t = NULL;

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder))
		return NULL;
	t = honeypot_tls_own(folder, "fuzz", NULL);
	(void)!snprintf(path, sizeof path, "%s/honeypot.pem", folder);
	unlink(path);
	rmdir(folder);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct honeypot_tls *tls;
	struct tls_connection *c;
	uint8_t bytes[1024];
	int pair[2];
	ssize_t n;

	if (!tls && !(tls = make()))
		abort();
	if (size > 60000 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		return 0;
	c = tls_open(tls, pair[0]);
	if (c && (!size || write(pair[1], input, size) == (ssize_t)size)) {
		shutdown(pair[1], SHUT_WR);
		while ((n = tls_read(c, bytes, sizeof bytes)) > 0)
			;
		/* It ends, or is refused; nothing is waited for any more. */
		if (n < 0 && errno != EPROTO && errno != EAGAIN)
			abort();
		(void)tls_is_open(c);
		tls_goodbye(c);
	}
	tls_free(c);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
