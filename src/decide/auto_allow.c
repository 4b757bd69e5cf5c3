/* SPDX-License-Identifier: Apache-2.0 */
#include "decide/auto_allow.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/route.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/escape.h"
#include "base/hex.h"

#define FIELDS_MAX 11         /* of a route line */
#define FILE_MAX   (1u << 20) /* a routing table larger than that is cut */

const struct auto_allow_paths auto_allow_paths_default = {
	"/proc/net/route", "/proc/net/ipv6_route", "/etc/resolv.conf"};

/* Cut the first line off text. Returns false at the end. */
static bool next_line(struct view *text, struct view *line)
{
	size_t end;

	if (text->n == 0)
		return false;
	end = view_find(*text, '\n');
	*line = view_head(*text, end);
	*text = view_from(*text, end + 1);
	return true;
}

/* Split at blanks into at most FIELDS_MAX fields. Returns how many. */
static unsigned split(struct view line, struct view fields[FIELDS_MAX])
{
	unsigned n = 0;

	for (line = view_trim(line); line.n > 0 && n < FIELDS_MAX;
		line = view_trim(line)) {
		size_t end = 0;

		while (end < line.n && line.p[end] != ' ' && line.p[end] != '\t')
			end++;
		fields[n++] = view_head(line, end);
		line = view_from(line, end);
	}
	return n;
}

/* An integer of 1..8 hex digits. Returns 0 or -1. */
static int hex_integer(struct view field, uint32_t *out)
{
	uint8_t bytes[4];
	uint8_t digits[8] = {'0', '0', '0', '0', '0', '0', '0', '0'};

	if (field.n == 0 || field.n > sizeof(digits))
		return -1;
	memcpy(digits + sizeof(digits) - field.n, field.p, field.n);
	if (hex_decode(bytes, sizeof(bytes), view_of(digits, sizeof(digits))) != 0)
		return -1;
	*out = be32_load(bytes);
	return 0;
}

/* Add one address. Returns 0, or -1 when memory is short. */
static int add(struct allowlist *a, const struct address *address, uint8_t origin,
	struct view note)
{
	struct allow_entry e = {.origin = origin};

	e.indicator = indicator_from_address(address, address->family == 4 ? 32 : 128);
	if (text_is_clean(note))
		view_copy(e.note, sizeof(e.note), note);
	return allowlist_add(a, &e);
}

/* Whether a route's flags field says that it is up and has a gateway. */
static bool is_gateway(struct view field)
{
	const uint32_t wanted = RTF_UP | RTF_GATEWAY;
	uint32_t flags;

	return hex_integer(field, &flags) == 0 && (flags & wanted) == wanted;
}

int auto_allow_routes4(struct allowlist *a, struct view text)
{
	struct view line, f[FIELDS_MAX];
	int found = 0;

	while (next_line(&text, &line)) {
		uint32_t destination, gateway, mask;
		struct address address = {.family = 4};

		/* Iface Destination Gateway Flags RefCnt Use Metric Mask ... */
		if (split(line, f) < 8 || hex_integer(f[1], &destination) != 0 ||
			hex_integer(f[2], &gateway) != 0 || !is_gateway(f[3]) ||
			hex_integer(f[7], &mask) != 0)
			continue;
		if (destination != 0 || mask != 0 || gateway == 0)
			continue;
		/* Printed as the CPU reads the network-order word: %08X. */
		memcpy(address.bytes, &gateway, sizeof(gateway));
		if (add(a, &address, ALLOW_GATEWAY, f[0]) != 0)
			return -1;
		found++;
	}
	return found;
}

int auto_allow_routes6(struct allowlist *a, struct view text)
{
	struct view line, f[FIELDS_MAX];
	int found = 0;

	while (next_line(&text, &line)) {
		struct address address = {.family = 6};
		uint8_t destination[16];
		uint32_t plen;

		if (split(line, f) < 10 || hex_decode(destination, 16, f[0]) != 0 ||
			hex_integer(f[1], &plen) != 0 ||
			hex_decode(address.bytes, 16, f[4]) != 0 || !is_gateway(f[8]))
			continue;
		if (plen != 0 || !bytes_zero(destination, 16) ||
			bytes_zero(address.bytes, 16))
			continue;
		if (add(a, &address, ALLOW_GATEWAY, f[9]) != 0)
			return -1;
		found++;
	}
	return found;
}

int auto_allow_resolvers(struct allowlist *a, struct view text)
{
	struct view line, f[FIELDS_MAX];
	int found = 0;

	while (next_line(&text, &line)) {
		struct address address;

		if (split(line, f) < 2 || !view_eq(f[0], view_str("nameserver")))
			continue;
		f[1] = view_head(f[1], view_find(f[1], '%'));
		if (address_parse(&address, f[1], NULL) != 0)
			continue;
		if (add(a, &address, ALLOW_RESOLVER, f[0]) != 0)
			return -1;
		found++;
	}
	return found;
}

int auto_allow_interfaces(struct allowlist *a, struct error *err)
{
	struct ifaddrs *list;
	int found = 0;

	if (getifaddrs(&list) != 0)
		return error_set(err, "own addresses: getifaddrs: %s", strerror(errno));
	for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
		struct address address;
		uint16_t port;

		if (i->ifa_addr == NULL ||
			address_from_sockaddr(&address, &port, i->ifa_addr) != 0)
			continue;
		if (add(a, &address, ALLOW_OWN, view_str(i->ifa_name)) != 0) {
			found = error_set(err, "own addresses: out of memory");
			break;
		}
		found++;
	}
	freeifaddrs(list);
	return found;
}

/* The whole file (at most FILE_MAX bytes) appended to out; absent: nothing. */
static int read_file(struct buffer *out, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t chunk[4096];
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_set(err, "%s: %s", path, strerror(errno));
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		if (buffer_put(out, chunk, (size_t)n) != 0)
			break;
	}
	if (n < 0)
		error_set(err, "%s: %s", path, strerror(errno));
	else if (n > 0)
		error_set(err, "%s: larger than %u bytes", path, FILE_MAX);
	close(fd);
	return n == 0 ? 0 : -1;
}

typedef int parse_fn(struct allowlist *a, struct view text);

/* Read and parse one file. Returns what the parser found, or -1. */
static int read_one(
	struct allowlist *a, const char *path, parse_fn *parse, struct error *err)
{
	struct buffer b = {.max = FILE_MAX};
	int found = read_file(&b, path, err);

	if (found == 0) {
		found = parse(a, view_of(b.p, b.n));
		if (found < 0)
			error_set(err, "%s: out of memory", path);
	}
	buffer_free(&b);
	return found;
}

static const uint8_t own_origins[] = {ALLOW_OWN, ALLOW_GATEWAY, ALLOW_RESOLVER};

static bool is_own_origin(uint8_t origin)
{
	for (size_t k = 0; k < sizeof(own_origins); k++) {
		if (own_origins[k] == origin)
			return true;
	}
	return false;
}

/*
 * Put the entries of fresh into a and then remove what fresh does not have: in
 * this order no address is without its entry when memory runs out half way.
 */
static int replace(struct allowlist *a, struct allowlist *fresh)
{
	const struct allow_entry *e;
	size_t n;

	e = allowlist_entries(fresh, &n);
	for (size_t k = 0; k < n; k++) {
		if (allowlist_add(a, &e[k]) != 0)
			return -1;
	}
	e = allowlist_entries(a, &n);
	for (size_t k = n; k-- > 0;) {
		struct allow_entry old = e[k];

		if (!is_own_origin(old.origin))
			continue;
		if (!allowlist_remove(fresh, &old.indicator, old.origin))
			allowlist_remove(a, &old.indicator, old.origin);
	}
	return 0;
}

int auto_allow_read(
	struct allowlist *a, const struct auto_allow_paths *paths, struct error *err)
{
	struct allowlist *fresh = allowlist_new();
	int result = -1;
	size_t n;

	if (fresh == NULL)
		return error_set(err, "own addresses: out of memory");
	if (auto_allow_interfaces(fresh, err) < 0 ||
		read_one(fresh, paths->route4, auto_allow_routes4, err) < 0 ||
		read_one(fresh, paths->route6, auto_allow_routes6, err) < 0 ||
		read_one(fresh, paths->resolv, auto_allow_resolvers, err) < 0)
		goto done;
	allowlist_entries(fresh, &n);
	result = (int)n;
	if (replace(a, fresh) != 0)
		result = error_set(err, "own addresses: out of memory");
done:
	allowlist_free(fresh);
	return result;
}
