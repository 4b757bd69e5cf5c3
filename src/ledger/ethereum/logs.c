/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ethereum/logs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/escape.h"
#include "ledger/ethereum/hex_pieces.h"
#include "ledger/ethereum/json_scan.h"

#define MESSAGE_MAX   1024 /* of an error's message; the rest is cut */
#define DATA_TEXT_MAX 8192 /* of its data */
#define VERSION_MAX   8
#define QUANTITY_MAX  16 /* digits */

enum field {
	NONE = 0, /* unknown: skipped */
	JSONRPC,
	ID,
	RESULT,
	ERROR,
	CODE,
	MESSAGE,
	DATA_TEXT,
	ADDRESS,
	TOPICS,
	DATA,
	BLOCK_NUMBER,
	BLOCK_HASH,
	TRANSACTION_HASH,
	LOG_INDEX,
	REMOVED,
};

/* Where a field stands. */
enum place {
	OUTSIDE,
	REPLY,
	LOGS,
	LOG,
	LOG_TOPICS,
	FAULT,
};

struct name {
	const char *key;
	size_t n; /* its length: a dozen comparisons a key, most end here */
	enum place place;
	enum field field;
};

#define KEY(text, place, field)                                                          \
	{                                                                                \
		text, sizeof text - 1, place, field                                      \
	}

static const struct name names[] = {
	KEY("jsonrpc", REPLY, JSONRPC),
	KEY("id", REPLY, ID),
	KEY("result", REPLY, RESULT),
	KEY("error", REPLY, ERROR),
	KEY("code", FAULT, CODE),
	KEY("message", FAULT, MESSAGE),
	KEY("data", FAULT, DATA_TEXT),
	KEY("address", LOG, ADDRESS),
	KEY("topics", LOG, TOPICS),
	KEY("data", LOG, DATA),
	KEY("blockNumber", LOG, BLOCK_NUMBER),
	KEY("blockHash", LOG, BLOCK_HASH),
	KEY("transactionHash", LOG, TRANSACTION_HASH),
	KEY("logIndex", LOG, LOG_INDEX),
	KEY("removed", LOG, REMOVED),
};

#define BIT(field) (UINT32_C(1) << (field))
#define NEEDED                                                                           \
	(BIT(ADDRESS) | BIT(TOPICS) | BIT(DATA) | BIT(BLOCK_NUMBER) | BIT(BLOCK_HASH) |  \
		BIT(TRANSACTION_HASH) | BIT(LOG_INDEX))

struct log_scanner {
	struct json_scan json;
	log_fn *fn;
	void *context;
	uint64_t id;
	uint64_t count;
	enum place place;
	unsigned skipping; /* open containers of an unknown field */
	enum field field;  /* whose value comes next */
	uint32_t seen;     /* fields of the reply and its error */
	uint32_t log_seen; /* of the log at hand */
	bool id_right, has_result, has_error, broken;
	bool in_string; /* hex has begun to take one */
	struct hex_pieces hex;
	struct log log;
	uint8_t quantity[QUANTITY_MAX];
	uint8_t *data; /* the log's */
	size_t data_capacity;
	int64_t code;
	struct buffer message, data_text, version;
};

static const char *name_of(enum field field)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].field == field)
			return names[i].key;
	return "?";
}

/* --- a log's values --- */

static int malformed(const struct log_scanner *s, struct error *err)
{
	return error_set(
		err, "log %" PRIu64 ": malformed %s", s->count, name_of(s->field));
}

/* Where the hex of the field goes, and how many bytes it must or may have. */
static int begin_hex(struct log_scanner *s, struct error *err)
{
	struct log *l = &s->log;

	switch ((int)s->field) {
	case ADDRESS:
		hex_begin(&s->hex, l->address, ADDRESS20);
		return 0;
	case BLOCK_HASH:
		hex_begin(&s->hex, l->block_hash, HASH_SIZE);
		return 0;
	case TRANSACTION_HASH:
		hex_begin(&s->hex, l->transaction, HASH_SIZE);
		return 0;
	case TOPICS:
		if (s->place != LOG_TOPICS)
			return malformed(s, err);
		if (l->topic_count == LOG_TOPICS_MAX)
			return error_set(err, "log %" PRIu64 ": more than %d topics",
				s->count, LOG_TOPICS_MAX);
		hex_begin(&s->hex, l->topics[l->topic_count], HASH_SIZE);
		return 0;
	case BLOCK_NUMBER:
	case LOG_INDEX:
		hex_begin(&s->hex, s->quantity, QUANTITY_MAX);
		return 0;
	case DATA:
		hex_begin(&s->hex, s->data, s->data_capacity);
		return 0;
	default:
		return malformed(s, err);
	}
}

/* Room for a piece of n digits and one left over from before. */
static int grow_data(struct log_scanner *s, size_t n, struct error *err)
{
	size_t need = s->hex.n + n / 2 + 1, capacity = s->data_capacity;
	uint8_t *p;

	if (need <= capacity || capacity == LOG_DATA_MAX)
		return 0; /* hex_feed() refuses what is too much */
	for (capacity = capacity ? capacity : 1024; capacity < need; capacity *= 2)
		;
	if (capacity > LOG_DATA_MAX)
		capacity = LOG_DATA_MAX;
	p = realloc(s->data, capacity);
	if (!p)
		return error_set(err, "out of memory");
	s->data = s->hex.dst = p;
	s->data_capacity = s->hex.max = capacity;
	return 0;
}

/* blockNumber and logIndex: digits without leading zeros. */
static int end_quantity(struct log_scanner *s, struct error *err)
{
	uint64_t value;

	if (hex_end_quantity(&value, &s->hex) ||
		(s->field == LOG_INDEX && value > UINT32_MAX))
		return malformed(s, err);
	if (s->field == LOG_INDEX)
		s->log.index = (uint32_t)value;
	else
		s->log.block = value;
	return 0;
}

static int end_hex(struct log_scanner *s, struct error *err)
{
	s->in_string = false;
	if (s->field == BLOCK_NUMBER || s->field == LOG_INDEX)
		return end_quantity(s, err);
	if (hex_end(&s->hex) || (s->field != DATA && s->hex.n != s->hex.max))
		return malformed(s, err);
	if (s->field == TOPICS)
		s->log.topic_count++;
	else if (s->field == DATA)
		s->log.data = view_of(s->data, s->hex.n);
	return 0;
}

static int log_string(
	struct log_scanner *s, struct view piece, bool last, struct error *err)
{
	if (!s->in_string && begin_hex(s, err))
		return -1;
	s->in_string = true;
	if (s->field == DATA && grow_data(s, piece.n, err))
		return -1;
	if (s->field == BLOCK_NUMBER || s->field == LOG_INDEX) {
		if (hex_feed_quantity(&s->hex, piece))
			return malformed(s, err);
	} else if (hex_feed(&s->hex, piece)) {
		if (s->field == DATA && s->hex.max == LOG_DATA_MAX &&
			s->hex.n + piece.n / 2 > LOG_DATA_MAX)
			return error_set(err,
				"log %" PRIu64 ": data of more than %d bytes", s->count,
				LOG_DATA_MAX);
		return malformed(s, err);
	}
	return last ? end_hex(s, err) : 0;
}

static int end_log(struct log_scanner *s, struct error *err)
{
	uint32_t missing = NEEDED & ~s->log_seen;

	if (missing)
		return error_set(err, "log %" PRIu64 ": no %s", s->count,
			name_of((enum field)__builtin_ctz(missing)));
	s->place = LOGS;
	s->count++;
	if (!s->fn(s->context, &s->log))
		return error_set(err, "stopped at log %" PRIu64, s->count - 1);
	return 0;
}

static int log_event(struct log_scanner *s, enum json_event event, struct view text,
	bool last, struct error *err)
{
	bool truth = event == JSON_EVENT_TRUE || event == JSON_EVENT_FALSE;

	if (event == JSON_EVENT_STRING && s->field != REMOVED)
		return log_string(s, text, last, err);
	if (event == JSON_EVENT_ARRAY && s->field == TOPICS && s->place == LOG) {
		s->place = LOG_TOPICS;
		return 0;
	}
	if (event == JSON_EVENT_ARRAY_END && s->place == LOG_TOPICS) {
		s->place = LOG;
		return 0;
	}
	if (event == JSON_EVENT_OBJECT_END && s->place == LOG)
		return end_log(s, err);
	if (truth && s->field == REMOVED && s->place == LOG) {
		s->log.removed = event == JSON_EVENT_TRUE;
		return 0;
	}
	return malformed(s, err);
}

/* --- around the logs --- */

/* A string or number under "id", "code" and so on; text is a piece of it. */
static void take_text(struct buffer *b, size_t max, struct view text)
{
	if (b->n < max)
		buffer_put(b, text.p, text.n < max - b->n ? text.n : max - b->n);
}

static int fault_event(
	struct log_scanner *s, enum json_event event, struct view text, bool last)
{
	char number[JSON_SCAN_TEXT + 1];

	(void)last;
	if (event == JSON_EVENT_OBJECT_END) {
		s->place = REPLY;
	} else if (event == JSON_EVENT_NUMBER && s->field == CODE) {
		view_copy(number, sizeof number, text);
		s->code = strtoll(number, NULL, 10);
	} else if (event == JSON_EVENT_STRING && s->field == MESSAGE) {
		take_text(&s->message, MESSAGE_MAX, text);
	} else if (event == JSON_EVENT_STRING && s->field == DATA_TEXT) {
		take_text(&s->data_text, DATA_TEXT_MAX, text);
	} else if (event == JSON_EVENT_OBJECT || event == JSON_EVENT_ARRAY) {
		s->skipping = 1;
	}
	return 0;
}

static int result_event(struct log_scanner *s, enum json_event event, struct error *err)
{
	/* Some nodes send "result": null beside an error. */
	if (event == JSON_EVENT_NULL)
		return 0;
	if (event != JSON_EVENT_ARRAY)
		return error_set(err, "the result is no list of logs");
	s->place = LOGS;
	s->has_result = true;
	return 0;
}

static int error_event(
	struct log_scanner *s, enum json_event event, struct view text, struct error *err)
{
	if (event == JSON_EVENT_NULL)
		return 0;
	s->has_error = true;
	if (event == JSON_EVENT_STRING) /* some gateways: the message alone */
		take_text(&s->message, MESSAGE_MAX, text);
	else if (event == JSON_EVENT_OBJECT)
		s->place = FAULT;
	else
		return error_set(err, "the error is no object");
	return 0;
}

static int reply_event(struct log_scanner *s, enum json_event event, struct view text,
	bool last, struct error *err)
{
	uint64_t id;

	if (event == JSON_EVENT_OBJECT_END) {
		s->place = OUTSIDE;
		return 0;
	}
	switch ((int)s->field) {
	case RESULT:
		return result_event(s, event, err);
	case ERROR:
		return error_event(s, event, text, err);
	case ID:
		if (event == JSON_EVENT_NUMBER && !view_decimal(text, UINT64_MAX, &id) &&
			id == s->id)
			s->id_right = true;
		else if (event != JSON_EVENT_NULL) /* told at the end */
			return error_set(err, "another request's id");
		return 0;
	case JSONRPC:
		if (event == JSON_EVENT_STRING)
			take_text(&s->version, VERSION_MAX, text);
		if (event != JSON_EVENT_STRING ||
			(last &&
				!view_eq(view_of(s->version.p, s->version.n),
					view_str("2.0"))))
			return error_set(err, "another version of JSON-RPC");
		return 0;
	default:
		return error_set(err, "no JSON-RPC");
	}
}

/* Which field a key means here; remembers it to refuse a second one. */
static int key_event(
	struct log_scanner *s, struct view key, bool whole, struct error *err)
{
	uint32_t *seen = s->place == LOG ? &s->log_seen : &s->seen;

	s->field = NONE;
	for (size_t i = 0; whole && i < sizeof names / sizeof *names; i++)
		if (names[i].n == key.n && names[i].place == s->place &&
			!memcmp(names[i].key, key.p, key.n)) {
			s->field = names[i].field;
			break;
		}
	if (s->field == NONE)
		return 0;
	if (*seen & BIT(s->field))
		return error_set(err, "%s is there twice (behind %" PRIu64 " logs)",
			name_of(s->field), s->count);
	*seen |= BIT(s->field);
	return 0;
}

/* The value of an unknown field. Returns whether it took the event. */
static bool skip(struct log_scanner *s, enum json_event event)
{
	bool opens = event == JSON_EVENT_OBJECT || event == JSON_EVENT_ARRAY;
	bool closes = event == JSON_EVENT_OBJECT_END || event == JSON_EVENT_ARRAY_END;

	if (s->skipping == 0) {
		bool keyed = s->place == REPLY || s->place == LOG || s->place == FAULT;

		if (!keyed || s->field != NONE || closes)
			return false;
	}
	s->skipping += opens;
	s->skipping -= closes;
	return true;
}

static int on_event(void *context, enum json_event event, struct view text, bool last,
	struct error *err)
{
	struct log_scanner *s = context;

	if (event == JSON_EVENT_KEY && s->skipping == 0)
		return key_event(s, text, last, err);
	if (skip(s, event))
		return 0;
	switch (s->place) {
	case OUTSIDE:
		if (event != JSON_EVENT_OBJECT)
			return error_set(err, "the reply is no object");
		s->place = REPLY;
		return 0;
	case REPLY:
		return reply_event(s, event, text, last, err);
	case FAULT:
		return fault_event(s, event, text, last);
	case LOGS:
		if (event == JSON_EVENT_ARRAY_END) {
			s->place = REPLY;
			return 0;
		}
		if (event != JSON_EVENT_OBJECT)
			return error_set(err, "log %" PRIu64 ": no object", s->count);
		s->place = LOG;
		s->log_seen = 0;
		s->log = (struct log){0};
		return 0;
	case LOG:
	case LOG_TOPICS:
		return log_event(s, event, text, last, err);
	}
	return -1;
}

/* --- the whole --- */

struct log_scanner *log_scanner_new(uint64_t id, log_fn *fn, void *context)
{
	struct log_scanner *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	json_scan_init(&s->json, on_event, s);
	s->id = id;
	s->fn = fn;
	s->context = context;
	return s;
}

void log_scanner_free(struct log_scanner *s)
{
	if (!s)
		return;
	buffer_free(&s->message);
	buffer_free(&s->data_text);
	buffer_free(&s->version);
	free(s->data);
	free(s);
}

int log_scanner_feed(struct log_scanner *s, struct view chunk, struct error *err)
{
	if (s->broken)
		return error_set(err, "the scan is over");
	if (json_scan_feed(&s->json, chunk, err)) {
		s->broken = true;
		return -1;
	}
	return 0;
}

int log_scanner_end(struct log_scanner *s, int64_t *code, struct view *message,
	struct view *data_text, struct error *err)
{
	if (s->broken)
		return error_set(err, "the scan is over");
	if (json_scan_end(&s->json, err))
		return -1;
	if (s->has_result && s->has_error)
		return error_set(err, "both a result and an error");
	if (!s->has_result && !s->has_error)
		return error_set(err,
			s->seen & BIT(RESULT) ? "the result is null, not a list of logs" :
						"neither a result nor an error");
	/* A node that could not read the request answers without its id. */
	if (!s->id_right && !s->has_error)
		return error_set(err, "no id");
	if (!(s->seen & BIT(JSONRPC)) && !s->has_error)
		return error_set(err, "no \"jsonrpc\": \"2.0\"");
	if (s->has_result)
		return 0;
	*code = s->code;
	*message = view_of(s->message.p, s->message.n);
	*data_text = view_of(s->data_text.p, s->data_text.n);
	return 1;
}

uint64_t log_scanner_count(const struct log_scanner *s)
{
	return s->count;
}
