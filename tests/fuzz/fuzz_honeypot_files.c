/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's files of profiles and tools. */
#include <stdlib.h>

#include "sense/honeypot/profile.h"
#include "sense/honeypot/tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void check(int got, struct buffer *errors)
{
	/* An error says so, and who reads nothing wrong says nothing. */
	if ((got != 0) != (errors->n != 0) && !errors->failed)
		abort();
	buffer_free(errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static struct honeypot_profiles profiles;
	static struct honeypot_tools tools;
	struct buffer errors = {.max = 1 << 20};
	static const char packet[] =
		"INVITE sip:100@x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK-1\r\n"
		"From: <sip:100@x>;tag=3130300131323334\r\nTo: <sip:1@x>\r\nCall-ID: 7\r\n"
		"CSeq: 1 INVITE\r\nUser-Agent: x\r\n\r\n";
	struct view text = view_of(input, size),
		    whole = view_of(packet, sizeof packet - 1);
	struct sip_message m;

	memset(&profiles, 0, sizeof profiles);
	memset(&tools, 0, sizeof tools);
	check(profiles_read(&profiles, "f", text, &errors), &errors);
	if (tools_read(&tools, "f", text, &errors) == 0 &&
		sip_parse(&m, whole, NULL) == SIP_VALID)
		(void)tool_of(&tools, &m, whole);
	buffer_free(&errors);
	return 0;
}
