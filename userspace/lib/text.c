// SPDX-License-Identifier: BSD-2-Clause
#include "text.h"

#include <string.h>

#define BR_WORD_MAX 64 /* longer words are not compared: nobody mistypes those */

const char *br_text_quote(const char *text, size_t length, char out[static BR_QUOTE_TEXT])
{
	const size_t room = BR_QUOTE_TEXT - sizeof("\"\"...");
	size_t kept = length < room ? length : room;
	char *to = out;

	*to++ = '"';
	for (size_t i = 0; i < kept; i++)
		*to++ = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	*to++ = '"';
	memcpy(to, kept < length ? "..." : "", kept < length ? sizeof("...") : 1);
	return out;
}

const char *br_text_name(const char *text, char out[static BR_QUOTE_TEXT])
{
	char quoted[BR_QUOTE_TEXT];

	br_text_quote(text, strlen(text), quoted);
	memcpy(out, quoted + 1, sizeof(quoted) - 1);
	memmove(strrchr(out, '"'), strrchr(out, '"') + 1, strlen(strrchr(out, '"')));
	return out;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance (insert, delete, replace); both words at most BR_WORD_MAX long. */
static size_t distance(const char *a, const char *b)
{
	size_t row[BR_WORD_MAX + 1];
	size_t length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t replace = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			row[j + 1] = smaller(replace, smaller(row[j], row[j + 1]) + 1);
		}
	}
	return row[length];
}

const char *br_text_nearest(const char *word, const char *const *known, size_t count)
{
	const char *best = NULL;
	size_t length = strnlen(word, BR_WORD_MAX + 1);
	size_t limit = smaller(3, (length + 2) / 3);

	if (!length || length > BR_WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t steps;

		if (strlen(known[i]) > BR_WORD_MAX)
			continue;
		steps = distance(word, known[i]);
		if (steps > limit || (best && steps == limit))
			continue;
		best = known[i];
		limit = steps;
	}
	return best;
}

bool br_text_to_u32(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > max)
			return false;
	}
	if (value < min)
		return false;
	*out = (uint32_t)value;
	return true;
}
