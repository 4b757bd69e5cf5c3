/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sip/message.h"
#include "sip/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

/* Every view that the parser returns lies within the packet. */
static void check(struct view v, struct view packet)
{
	if (v.n && (v.p < packet.p || v.p + v.n > packet.p + packet.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct view packet = view_of(input, size);
	struct sip_message m;
	const char *why;

	switch (sip_parse(&m, packet, &why)) {
	case SIP_VALID:
		if (!m.call_id.n || !m.cseq_method.n || !m.via.host.n)
			abort();
		(void)proof_tag_is_secret(&m);
		break;
	case SIP_MALFORMED:
		if (!why[0])
			abort();
		break;
	case SIP_KEEPALIVE:
	case SIP_FOREIGN:
		break;
	}
	check(m.uri, packet);
	check(m.target.user, packet);
	check(m.target.host, packet);
	check(m.via.branch, packet);
	check(m.from.tag, packet);
	check(m.to.parts.user, packet);
	check(m.contact.uri, packet);
	check(m.agent, packet);
	check(m.body, packet);
	for (unsigned i = 0; i < m.n_credentials; i++) {
		check(m.credentials[i].nonce, packet);
		check(m.credentials[i].response, packet);
	}
	for (unsigned i = 0; i < m.n_challenges; i++)
		check(m.challenges[i].nonce, packet);
	return 0;
}
