/* SPDX-License-Identifier: Apache-2.0 */
#include "enforce/pbx.h"

#include "base/escape.h"

const struct pbx_ops *pbx_type(const char *name)
{
	static const struct pbx_ops *const types[] = {
		&pbx_asterisk, &pbx_kamailio, &pbx_hook};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (!strcmp(types[i]->type, name))
			return types[i];
	return NULL;
}

char *pbx_id(char *dst, const struct indicator *i)
{
	return indicator_print(dst, i);
}

int pbx_id_parse(struct indicator *out, struct view text)
{
	if (text.n < INDICATOR_TEXT && text_is_clean(text) &&
		!indicator_parse(out, NULL, text, NULL) &&
		!indicator_check_shape(out, NULL))
		return 0;
	memset(out, 0, sizeof *out);
	return -1;
}

void pbx_hit_text(char *dst, size_t size, struct view text)
{
	struct view cut = view_head(text, size - 1);

	/* Half a character would make the whole event one that is no JSON. */
	while (cut.n && !text_is_clean(cut))
		cut.n--;
	view_copy(dst, size, text_is_clean(text) ? cut : (struct view){0});
}
