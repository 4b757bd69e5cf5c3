/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/ami_login.h"

#include <nettle/md5.h>

#include "base/hex.h"

void ami_login_challenge(struct buffer *out, const char *id)
{
	buffer_printf(
		out, "Action: Challenge\r\nActionID: %s\r\nAuthType: MD5\r\n\r\n", id);
}

void ami_login_put(struct buffer *out, const char *id, const char *user,
	struct view secret, struct view challenge, const char *events)
{
	uint8_t digest[MD5_DIGEST_SIZE];
	char key[2 * MD5_DIGEST_SIZE + 1];
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, challenge.n, challenge.p);
	md5_update(&md5, secret.n, secret.p);
	md5_digest(&md5, sizeof digest, digest);
	explicit_bzero(&md5, sizeof md5);
	buffer_printf(out,
		"Action: Login\r\nActionID: %s\r\nAuthType: MD5\r\nUsername: %s\r\n"
		"Key: %s\r\nEvents: %s\r\n\r\n",
		id, user, hex_encode(key, digest, sizeof digest), events);
}
