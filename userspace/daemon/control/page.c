// SPDX-License-Identifier: BSD-2-Clause
#include "control/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/problem.h"
#include "control/query.h"
#include "lib/text.h"

const char *const br_page_query[] = {"limit", "cursor", NULL};

static bool br_page_order(const char **text, uint64_t *order)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*order = strtoull(*text, &end, 10);
	*text = end;
	return !errno;
}

bool br_page_begin(struct br_page *page, const struct br_request *request,
		   struct br_response *response)
{
	const char *cursor = br_query_get(&request->query, "cursor"), *text = cursor;
	char quoted[BR_QUOTE_TEXT];

	*page = (struct br_page){.limit = BR_PAGE_LIMIT};
	if (!br_query_uint(&request->query, "limit", 1, BR_PAGE_LIMIT, &page->limit, response))
		return false;
	if (!cursor)
		return true;
	if (br_page_order(&text, &page->from_room) && *text++ == '.' &&
	    br_page_order(&text, &page->from_leg) && !*text)
		return true;
	br_problem_set(response, 422, "cursor", "expected \"next\" of the page before, got %s",
		       br_text_quote(cursor, strlen(cursor), quoted));
	return false;
}

bool br_page_has_room(const struct br_page *page, const struct br_room *room)
{
	return br_room_order(room) >= page->from_room;
}

bool br_page_has_leg(const struct br_page *page, const struct br_room *room,
		     const struct br_room_leg *leg)
{
	uint64_t order = br_room_order(room);

	return order > page->from_room ||
	       (order == page->from_room && br_room_leg_order(leg) >= page->from_leg);
}

bool br_page_take(struct br_page *page, const struct br_room *room, const struct br_room_leg *leg)
{
	if (page->taken == page->limit) {
		page->more = true;
		return false;
	}
	page->taken++;
	page->next_room = br_room_order(room) + !leg;
	page->next_leg = leg ? br_room_leg_order(leg) + 1 : 0;
	return true;
}

void br_page_end(const struct br_page *page, struct br_json_out *out, struct br_response *response,
		 const char *path)
{
	char next[48];

	if (!page->more) {
		br_json_out_null(out, "next");
		return;
	}
	snprintf(next, sizeof(next), "%" PRIu64 ".%" PRIu64, page->next_room, page->next_leg);
	br_json_out_string(out, "next", next);
	snprintf(response->link, sizeof(response->link), "<%s?limit=%u&cursor=%s>; rel=\"next\"",
		 path, page->limit, next);
}
