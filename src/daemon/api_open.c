/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api_open.h"

#include <grp.h>

#include "api/control.h"
#include "api/http_listen.h"
#include "daemon/config_api.h"
#include "daemon/config_secret.h"

static int listener(
	const struct config *c, const struct config_api_listen *l, struct error *err)
{
	const struct group *g;
	int fd;

	if (!l->path[0])
		return http_listen(&l->address, l->port, err);
	g = c->node.control_group[0] ? getgrnam(c->node.control_group) : NULL;
	fd = control_listen(l->path, g ? g->gr_gid : (gid_t)-1, err);
	return fd < 0 ? error_prefix(err, "[api] listen") : fd;
}

int api_open(
	const struct config *c, enum api_part part, unsigned number, struct error *err)
{
	switch (part) {
	case API_LISTENER:
		if (number < c->api.listen_count)
			return listener(c, &c->api.listen[number], err);
		break;
	case API_TOKEN:
		if (number < c->token_count)
			return config_secret_open(c->tokens[number].secret_file, err);
		break;
	case API_CERTIFICATE:
		if (!number && c->api.tls_certificate[0])
			return config_api_pem_open(c->api.tls_certificate, false, err);
		break;
	case API_KEY:
		if (!number && c->api.tls_key[0])
			return config_api_pem_open(c->api.tls_key, true, err);
		break;
	}
	return error_set(err, "[api]: the configuration does not name it (any more)");
}
