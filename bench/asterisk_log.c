/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asterisk_log LINES SEED START > FILE: a log as Asterisk writes it, the same
 * for the same arguments: 90 % of the lines ordinary, 10 % attacks in every form
 * that fail2ban's asterisk.conf knows, from 20,000 addresses of which the n-th
 * comes 1/n as often as the first (Zipf); but each tenth attack is from the next
 * address in turn, so that 2M lines have all of them. START is the first line's time in unix
 * seconds (UTC); 2,000 lines are a second.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOURCES      20000u
#define LINES_SECOND 2000u

static uint64_t state;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 16) % below);
}

static double cumulated[SOURCES];

static void weigh_sources(void)
{
	double sum = 0;

	for (unsigned i = 0; i < SOURCES; i++) {
		sum += 1.0 / (i + 1);
		cumulated[i] = sum;
	}
}

/* An attacker's address, of 198.18.0.0/15, which is kept for measurements. */
static const char *attacker(void)
{
	double at = cumulated[SOURCES - 1] * (draw(1u << 30) / (double)(1u << 30));
	unsigned low = 0, high = SOURCES - 1, mixed;
	static unsigned attacks;
	static char text[32];

	if (++attacks % 10 == 0)
		low = high = attacks / 10 % SOURCES;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (cumulated[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	mixed = low * 40503u % (1u << 17);
	snprintf(text, sizeof text, "198.%u.%u.%u", 18 + (mixed >> 16), mixed >> 8 & 255,
		mixed & 255);
	return text;
}

static char now[64];    /* [2026-11-21 20:03:25.537] */
static char now_tv[64]; /* 2026-11-21T20:03:25.537+0000 */

static void set_time(uint64_t start, uint64_t line)
{
	time_t t = (time_t)(start + line / LINES_SECOND);
	unsigned ms = (unsigned)(line % LINES_SECOND * 1000 / LINES_SECOND);
	char text[32];
	struct tm tm;

	memset(&tm, 0, sizeof tm);
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(now, sizeof now, "[%s.%03u]", text, ms);
	text[10] = 'T';
	snprintf(now_tv, sizeof now_tv, "%s.%03u+0000", text, ms);
}

static void security(const char *event, const char *severity, unsigned account,
	const char *from, const char *more)
{
	printf("%s SECURITY[%u] res_security_log.c: SecurityEvent=\"%s\",EventTV=\"%s\",Severity="
	       "\"%s\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"%u\",SessionID=\"%u@%s\","
	       "LocalAddress=\"IPV4/UDP/192.0.2.10/5060\",RemoteAddress=\"IPV4/UDP/%s/%u\"%s\n",
		now, 20000 + draw(9000), event, now_tv, severity, account, draw(1u << 30),
		from, from, 1024 + draw(60000), more);
}

static void ordinary(void)
{
	unsigned call = draw(1 << 20), phone = 1000 + draw(400),
		 thread = 20000 + draw(9000);

	switch (draw(14)) {
	case 0:
		printf("%s VERBOSE[%u][C-%08x] pbx.c: Executing [%u@internal:%u] Dial(\"PJSIP/%u-"
		       "%08x\", \"PJSIP/+44%u@trunk,60\") in new stack\n",
			now, thread, call, phone, 1 + draw(9), phone, call,
			draw(1u << 30));
		break;
	case 1:
	case 2:
		printf("%s VERBOSE[%u][C-%08x] app_dial.c: PJSIP/trunk-%08x is making progress "
		       "passing it to PJSIP/%u-%08x\n",
			now, thread, call, call + 1, phone, call);
		break;
	case 3:
		security("ChallengeSent", "Informational", phone, "192.0.2.77", "");
		break;
	case 4:
		security("SuccessfulAuth", "Informational", phone, "192.0.2.78",
			",UsingPassword=\"1\"");
		break;
	case 5:
	case 6:
		printf("%s VERBOSE[%u][C-%08x] app_dial.c: PJSIP/trunk-%08x is ringing\n",
			now, thread, call, call + 1);
		break;
	case 7:
		printf("%s VERBOSE[%u] res_pjsip_registrar.c: Added contact 'sip:%u@192.0.2.%u:5060' "
		       "to AOR '%u' with expiration of 3600 seconds\n",
			now, thread, phone, draw(250), phone);
		break;
	case 8:
		printf("%s VERBOSE[%u] res_pjsip/pjsip_configuration.c: Endpoint %u is now %s\n",
			now, thread, phone, draw(2) ? "Reachable" : "Unreachable");
		break;
	case 9:
		printf("%s NOTICE[%u] chan_sip.c: Peer '%u' is now Lagged. (%ums / 2000ms), last "
		       "qualified from 192.0.2.%u\n",
			now, thread, phone, 2000 + draw(900), draw(250));
		break;
	case 10:
		printf("%s WARNING[%u][C-%08x] res_rtp_asterisk.c: RTP Read too short, dropping "
		       "packet of %u bytes from 192.0.2.%u:%u\n",
			now, thread, call, draw(12), draw(250), 10000 + draw(10000));
		break;
	default:
		printf("%s VERBOSE[%u][C-%08x] pbx.c: Spawn extension (internal, +44%u, %u) exited "
		       "non-zero on 'PJSIP/%u-%08x'\n",
			now, thread, call, draw(1u << 30), 1 + draw(9), phone, call);
	}
}

static void security_event(const char *event)
{
	bool challenged = strcmp(event, "ChallengeResponseFailed") == 0;

	security(event, "Error", 100 + draw(9900), attacker(),
		challenged ? ",Challenge=\"1795291405/87b6bc5f5b\"" : "");
}

static void distributor(const char *why)
{
	const char *from = attacker();
	unsigned account = 100 + draw(9900);

	printf("%s NOTICE[%u] res_pjsip/pjsip_distributor.c: Request '%s' from '\"%u\" "
	       "<sip:%u@192.0.2.10>' failed for '%s:%u' (callid: %u) - %s\n",
		now, 20000 + draw(9000), draw(3) ? "REGISTER" : "INVITE", account,
		account, from, 1024 + draw(60000), draw(1u << 30), why);
}

static void attack(void)
{
	static const char *const why[] = {"Wrong password", "No matching peer found",
		"Username/auth name mismatch", "Device does not match ACL"};
	unsigned account = 100 + draw(9900), thread = 20000 + draw(9000);

	switch (draw(12)) {
	case 0:
		printf("%s NOTICE[%u] chan_sip.c: Registration from '\"%u\" <sip:%u@192.0.2.10>' failed "
		       "for '%s:%u' - %s\n",
			now, thread, account, account, attacker(), 1024 + draw(60000),
			why[draw(4)]);
		break;
	case 1:
		printf("%s NOTICE[%u][C-%08x] chan_sip.c: Call from '' (%s:%u) to extension "
		       "'9011442%u' rejected because extension not found in context 'default'.\n",
			now, thread, draw(1 << 20), attacker(), 1024 + draw(60000),
			draw(1u << 30));
		break;
	case 2:
		printf("%s NOTICE[%u] chan_iax2.c: Host %s failed %s\n", now, thread,
			attacker(),
			draw(2) ? "to authenticate as 'guest'" :
				  "MD5 authentication for 'guest' (1a2b != 3c4d)");
		break;
	case 3:
		printf("%s NOTICE[%u] chan_iax2.c: No registration for peer 'phone%u' (from %s)\n",
			now, thread, account, attacker());
		break;
	case 4:
		printf("%s WARNING[%u] Ext. s: hacking attempt detected '%s'\n", now,
			thread, attacker());
		break;
	case 5:
		security_event("InvalidAccountID");
		break;
	case 6:
		security_event("InvalidPassword");
		break;
	case 7:
		security_event("ChallengeResponseFailed");
		break;
	case 8:
		printf("%s WARNING[%u][C-%08x] Ext. s: \"Rejecting unknown SIP connection from %s\"\n",
			now, thread, draw(1 << 20), attacker());
		break;
	case 9:
		distributor("No matching endpoint found");
		break;
	default:
		distributor("Failed to authenticate");
	}
}

int main(int argc, char **argv)
{
	uint64_t lines, start;

	if (argc != 4) {
		fprintf(stderr, "usage: asterisk_log LINES SEED START > FILE\n");
		return 2;
	}
	lines = strtoull(argv[1], NULL, 10);
	state = strtoull(argv[2], NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	start = strtoull(argv[3], NULL, 10);
	weigh_sources();
	for (uint64_t i = 0; i < lines; i++) {
		set_time(start, i);
		if (draw(10))
			ordinary();
		else
			attack();
	}
	return ferror(stdout) || fflush(stdout);
}
