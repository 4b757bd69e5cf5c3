/* SPDX-License-Identifier: Apache-2.0 */
/* sipchain evidence verify */
#include "cli/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/desk.h"

/* The file's bytes. Returns 0, or an exit code after having said why. */
static int read_file(struct buffer *out, const char *path)
{
	uint8_t block[16384];
	struct stat st;
	ssize_t n;
	int fd, code = file_permitted(path, R_OK);

	if (code)
		return code;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st)) {
		code = failure(CONTROL_FAILED, "%s: %s", shown(path), strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		code = failure(CONTROL_FAILED, "%s: is no regular file", shown(path));
	} else {
		while ((n = read(fd, block, sizeof block)) > 0 &&
			out->n <= EVIDENCE_FILE_MAX)
			buffer_put(out, block, (size_t)n);
		if (n < 0 || out->failed)
			code = failure(CONTROL_FAILED, "%s: %s", shown(path),
				strerror(out->failed ? ENOMEM : errno));
	}
	if (fd >= 0)
		close(fd);
	return code;
}

static void print_verdict(struct invocation *in, const struct evidence_ledger *l,
	const struct evidence_file *f, const struct evidence_search *found)
{
	const struct member *m = registry_member(
		evidence_ledger_registry(l), found->member);
	char indicator[INDICATOR_TEXT], where[EVIDENCE_WHERE];
	char name[4 * NAME_MAX_BYTES + 8];
	json_t *o;

	indicator_print(indicator, &f->indicator);
	snprintf(name, sizeof name, "%s", shown(m ? m->name : ""));
	evidence_ledger_where(where, l, in);
	if (given(in, OPTION_JSON)) {
		o = json_pack(
			"{s:b, s:s, s:i, s:s, s:I, s:I, s:I, s:s, s:s, s:I, s:o, s:s}",
			"verified", 1, "indicator", indicator, "member",
			(int)found->member, "name", name, "operation",
			(json_int_t)found->found_seq, "block", (json_int_t)found->block,
			"time", (json_int_t)found->time, "category",
			category_name(found->word.category), "proof",
			proof_name(found->word.proof), "expiry",
			(json_int_t)found->word.expiry, "record",
			f->record ? json_incref(f->record) :
				    json_stringn(f->body, f->body_length),
			"ledger", where);
		print_json(o);
		json_decref(o);
		return;
	}
	printf("unchanged: this is the record that member %u (%s) committed to\n\n"
	       "indicator     %s\nreported as   %s, proof %s\n"
	       "committed at  %s, in batch %llu, block %llu\nledger        %s\n\n",
		found->member, name, indicator, category_name(found->word.category),
		proof_name(found->word.proof), shown_time(found->time),
		(unsigned long long)found->found_seq, (unsigned long long)found->block,
		where);
	evidence_record_print(f->record, f->record ? NULL : f->body);
}

/* Against the ledger. Returns an exit code. */
static int verify(struct invocation *in, const struct evidence_file *f)
{
	struct evidence_search search = {.indicator = f->indicator, .seq = f->seq};
	struct evidence_ledger l;
	int code;

	memcpy(search.commitment, f->commitment, KECCAK_SIZE);
	code = evidence_ledger_read(&l, in, f, &search);
	if (code)
		return code;
	if (evidence_search_judge(
		    &search, f, registry_id(evidence_ledger_registry(&l)), &in->error))
		code = failure(CONTROL_FAILED, "NOT verified: %s", in->error.text);
	else
		print_verdict(in, &l, f, &search);
	evidence_ledger_close(&l);
	return code;
}

int run_evidence_verify(struct invocation *in)
{
	const char *path = in->arguments[0];
	struct buffer text = {.max = EVIDENCE_FILE_MAX + 65536};
	struct evidence_file f;
	int code = read_file(&text, path);

	if (!code && evidence_file_parse(&f, view_of(text.p, text.n), &in->error))
		code = failure(CONTROL_FAILED, "NOT verified: %s: %s", shown(path),
			in->error.text);
	buffer_free(&text);
	if (code)
		return code;
	if (evidence_file_check(&f, &in->error))
		code = failure(CONTROL_FAILED, "NOT verified: %s: %s", shown(path),
			in->error.text);
	else
		code = verify(in, &f);
	evidence_file_free(&f);
	return code;
}
