/* SPDX-License-Identifier: Apache-2.0 */
#include "sense/observation.h"

#include "base/hash.h"
#include "base/hex.h"
#include "base/keccak.h"

/* Less than what attempts are told apart by (32 s, detect/attempt.h). */
#define LIVE (30 * USEC_PER_SEC)

/* Indexed by the enums of the header. */
static const char *const sensors[] = {
	"?", "hep", "security-log", "honeypot", "ami", "filter", "kamailio"};
static const char *const kinds[] = {"?", "auth-failed", "unknown-account", "scan",
	"call-rejected", "malformed", "auth-ok", "proof", "call", "injection", "dialled",
	"call-blocked"};
static const char *const signs[] = {"took-part", "forged", "tool", "unserved"};
static const char *const transports[] = {"?", "udp", "tcp", "tls", "ws", "wss"};

#define NAME(list, i) ((i) < sizeof(list) / sizeof *(list) ? (list)[i] : "?")

const char *sensor_name(uint8_t sensor)
{
	return NAME(sensors, sensor);
}

const char *observation_kind_name(uint8_t kind)
{
	const char *name = NAME(kinds, kind);

	return name ? name : "?";
}

const char *transport_name(uint8_t transport)
{
	return NAME(transports, transport);
}

const char *sign_name(uint8_t bit)
{
	return NAME(signs, bit);
}

uint64_t observation_attempt(struct view call_id, struct view response)
{
	/* Not secret: collisions made on purpose only merge one's own attempts. */
	static const struct hash_key key = {
		UINT64_C(0x5349506368616921), UINT64_C(0x617474656d707421)};
	uint64_t parts[2] = {0, 0};

	call_id = view_head(call_id, ATTEMPT_CALL_ID);
	parts[0] = hash_bytes(&key, call_id.p, call_id.n);
	if (response.n)
		parts[1] = hash_bytes(&key, response.p, response.n);
	return hash_bytes(&key, parts, sizeof parts);
}

void observation_live(struct observation *o, usec now)
{
	usec apart = o->time > now ? o->time - now : now - o->time;

	if (apart >= LIVE)
		o->time = now;
}

uint64_t observation_call_id(struct view call_id)
{
	uint8_t hash[KECCAK_SIZE];
	struct keccak k;

	if (!call_id.n)
		return 0;
	keccak_init(&k);
	keccak_update(&k, call_id.p, call_id.n);
	keccak_final(&k, hash);
	return be64_load(hash);
}

bool dialled_names_account(const char *dialled)
{
	size_t digits = strspn(dialled, "+*#0123456789");

	return dialled[digits] || digits <= 5;
}

static bool dial_char(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		(c >= 'A' && c <= 'Z') || (c && strchr("+*#._-", c));
}

void observation_dialled(char *dst, size_t size, struct view user)
{
	size_t n = 0;

	for (size_t i = 0; i < user.n && n + 1 < size; i++) {
		int high = -1, low = -1, c;

		if (user.p[i] == '%' && user.n - i > 2) {
			high = hex_digit(user.p[i + 1]);
			low = hex_digit(user.p[i + 2]);
		}
		c = high >= 0 && low >= 0 ? high * 16 + low : 0;
		if (dial_char(c)) {
			dst[n++] = (char)c;
			i += 2;
		} else {
			dst[n++] = user.p[i] ? (char)user.p[i] : '?';
		}
	}
	dst[n] = '\0';
}
