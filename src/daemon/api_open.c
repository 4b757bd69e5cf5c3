/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/api_open.h"

#include <grp.h>

#include "api/control.h"
#include "api/http_listen.h"
#include "daemon/config_api.h"

static int not_named(struct error *err)
{
	return error_set(err, "[api]: the configuration does not name it (any more)");
}

int api_listen(const struct config *c, unsigned number, struct error *err)
{
	const struct config_api_listen *l;
	const struct group *g;
	int fd;

	if (number >= c->api.listen_count)
		return not_named(err);
	l = &c->api.listen[number];
	if (!l->path[0])
		return http_listen(&l->address, l->port, err);
	g = c->node.control_group[0] ? getgrnam(c->node.control_group) : NULL;
	fd = control_listen(l->path, g ? g->gr_gid : (gid_t)-1, err);
	return fd < 0 ? error_prefix(err, "[api] listen") : fd;
}

static int certificate_digest(
	uint8_t digest[KECCAK_SIZE], const struct config *c, struct error *err)
{
	struct buffer text = {0};
	int rc = config_api_pem(&text, c->api.tls_certificate, false, err);

	if (!rc)
		keccak256(digest, text.p, text.n);
	buffer_free(&text);
	return rc;
}

int api_digest(uint8_t digest[KECCAK_SIZE], const struct config *c, enum api_part part,
	unsigned number, struct error *err)
{
	if (part == API_TOKEN && number < c->token_count)
		return config_api_token_digest(digest, &c->tokens[number], err);
	if (part == API_CERTIFICATE && !number && c->api.tls_certificate[0])
		return certificate_digest(digest, c, err);
	return not_named(err);
}
