// SPDX-License-Identifier: BSD-2-Clause
#include "control/query.h"

#include <stdio.h>
#include <string.h>

#include "control/problem.h"
#include "lib/text.h"

static bool br_query_is(const char *param, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(param, name, length) && (param[length] == '=' || !param[length]);
}

static bool br_query_unknown(const char *param, const char *const *known, size_t count,
			     struct br_response *response)
{
	char name[BR_QUERY_TEXT], quoted[BR_QUOTE_TEXT], field[BR_QUOTE_TEXT];
	const char *nearest;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(param, "="), param);
	nearest = br_text_nearest(name, known, count);
	br_problem_set(response, 400, br_text_name(name, field),
		       nearest ? "unknown query parameter %s; did you mean \"%s\"?"
			       : "unknown query parameter %s",
		       br_text_quote(name, strlen(name), quoted), nearest);
	return false;
}

bool br_query_check(const struct br_query *query, const char *const *known,
		    struct br_response *response)
{
	size_t count = 0;

	if (!query->count)
		return true;
	if (!known) {
		br_problem_set(response, 400, NULL, "this path takes no query parameters");
		return false;
	}
	while (known[count])
		count++;
	for (size_t i = 0; i < query->count; i++) {
		size_t k = 0;

		while (k < count && !br_query_is(query->params[i], known[k]))
			k++;
		if (k == count)
			return br_query_unknown(query->params[i], known, count, response);
		for (size_t j = 0; j < i; j++)
			if (br_query_is(query->params[j], known[k])) {
				br_problem_set(response, 400, known[k],
					       "expected this query parameter once");
				return false;
			}
	}
	return true;
}

const char *br_query_get(const struct br_query *query, const char *name)
{
	for (size_t i = 0; i < query->count; i++) {
		const char *param = query->params[i];

		if (br_query_is(param, name))
			return param + strlen(name) + (param[strlen(name)] == '=');
	}
	return NULL;
}

bool br_query_uint(const struct br_query *query, const char *name, uint32_t min, uint32_t max,
		   uint32_t *out, struct br_response *response)
{
	const char *value = br_query_get(query, name);
	char quoted[BR_QUOTE_TEXT];

	if (!value || br_text_to_u32(value, min, max, out))
		return true;
	br_problem_set(response, 422, name, "expected a number from %u to %u, got %s", min, max,
		       br_text_quote(value, strlen(value), quoted));
	return false;
}

bool br_query_choice(const struct br_query *query, const char *name, const char *const *words,
		     size_t count, unsigned int *out, struct br_response *response)
{
	const char *value = br_query_get(query, name);
	char quoted[BR_QUOTE_TEXT], list[256] = "";
	size_t used = 0;

	if (!value)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(value, words[i])) {
			*out = (unsigned int)i;
			return true;
		}
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
					 !i		  ? ""
					 : i + 1 == count ? " or "
							  : ", ",
					 words[i]);
	}
	br_problem_set(response, 422, name, "expected %s, got %s", list,
		       br_text_quote(value, strlen(value), quoted));
	return false;
}
