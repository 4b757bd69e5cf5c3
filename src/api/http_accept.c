/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http_accept.h"

#define MEDIA_COUNT 3

/* A range of the header and how closely it names a type. */
struct range {
	unsigned matches; /* bits of enum http_media */
	unsigned closeness;
	unsigned quality; /* 0 .. 1000 */
};

static const struct {
	enum http_media media;
	const char *type, *all, *name;
} medias[MEDIA_COUNT] = {
	{HTTP_JSON, "application/json", "application/*", "application/json"},
	{HTTP_TEXT, "text/plain", "text/*", "text/plain; charset=utf-8"},
	{HTTP_EVENTS, "text/event-stream", "text/*", "text/event-stream"},
};

/* "0.5", "1", "0.333"; -1 for anything else. */
static int quality(struct view v)
{
	unsigned value = 0, scale = 1000;

	if (!v.n || v.n > 5 || (v.p[0] != '0' && v.p[0] != '1') ||
		(v.n > 1 && v.p[1] != '.'))
		return -1;
	value = (unsigned)(v.p[0] - '0') * 1000;
	for (size_t i = 2; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return -1;
		scale /= 10;
		value += (unsigned)(v.p[i] - '0') * scale;
	}
	return value > 1000 ? -1 : (int)value;
}

/* The next piece up to c, trimmed; *rest goes on after it. */
static struct view piece(struct view *rest, uint8_t c)
{
	size_t end = view_find(*rest, c);
	struct view v = view_trim(view_head(*rest, end));

	*rest = view_from(*rest, end + 1);
	return v;
}

static void range_parse(struct range *out, struct view item)
{
	struct view name = piece(&item, ';');

	*out = (struct range){.quality = 1000};
	for (size_t i = 0; i < MEDIA_COUNT; i++) {
		if (view_eq_nocase(name, medias[i].type)) {
			out->matches = medias[i].media;
			out->closeness = 3;
		} else if (view_eq_nocase(name, medias[i].all)) {
			out->matches |= medias[i].media;
			out->closeness = 2;
		} else if (view_eq_nocase(name, "*/*")) {
			out->matches |= medias[i].media;
			out->closeness = 1;
		}
	}
	while (item.n) {
		struct view parameter = piece(&item, ';');
		int q;

		if (!view_starts(parameter, "q=") && !view_starts(parameter, "Q="))
			continue;
		q = quality(view_from(parameter, 2));
		if (q < 0)
			out->matches = 0;
		else
			out->quality = (unsigned)q;
	}
}

enum http_media http_accept(struct view header, unsigned offered)
{
	unsigned closest[MEDIA_COUNT] = {0}, given[MEDIA_COUNT] = {0}, best = 0;
	enum http_media found = 0;
	struct range r;

	if (!header.p)
		header = view_str("*/*");
	while (header.n) {
		range_parse(&r, piece(&header, ','));
		for (size_t i = 0; i < MEDIA_COUNT; i++) {
			if (!(r.matches & medias[i].media) || r.closeness < closest[i])
				continue;
			closest[i] = r.closeness;
			given[i] = r.quality;
		}
	}
	for (size_t i = 0; i < MEDIA_COUNT; i++) {
		if (!(offered & medias[i].media) || given[i] <= best)
			continue;
		best = given[i];
		found = medias[i].media;
	}
	return found;
}

const char *http_media_name(enum http_media media)
{
	for (size_t i = 0; i < MEDIA_COUNT; i++)
		if (medias[i].media == media)
			return medias[i].name;
	return "?";
}

bool http_is_json(struct view content_type)
{
	struct view name = piece(&content_type, ';');

	if (!view_eq_nocase(name, "application/json"))
		return false;
	while (content_type.n) {
		struct view parameter = piece(&content_type, ';');

		if (view_eq_nocase(view_head(parameter, 8), "charset=") &&
			!view_eq_nocase(view_from(parameter, 8), "utf-8") &&
			!view_eq_nocase(view_from(parameter, 8), "\"utf-8\""))
			return false;
	}
	return true;
}
