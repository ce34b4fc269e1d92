/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists in pages. A cursor is a place in the order of creation, so an entry that is there all
 * the time comes exactly once, whatever comes and goes between two pages.
 */
#ifndef BR_PAGE_H
#define BR_PAGE_H

#include "control/api.h"

#define BR_PAGE_LIMIT 1000u /* entries of a page: the default and the most */

/* Fields but `more` are the page's own. */
struct br_page {
	uint32_t limit, taken;
	uint64_t from_room, from_leg; /* lowest orders of this page, as the cursor says */
	uint64_t next_room, next_leg; /* of the next one */
	bool more;		      /* something does not fit: stop */
};

/** br_page_query - query parameters of lists */
extern const char *const br_page_query[];

/** br_page_begin - read limit and cursor; false: @response is the problem */
bool br_page_begin(struct br_page *page, const struct br_request *request,
		   struct br_response *response);

/** br_page_has_room - may @room, or legs of it, be on this page? */
bool br_page_has_room(const struct br_page *page, const struct br_room *room);
/** br_page_has_leg - may @leg of @room? */
bool br_page_has_leg(const struct br_page *page, const struct br_room *room,
		     const struct br_room_leg *leg);

/** br_page_take - is there place for this entry? @leg NULL in lists of rooms */
bool br_page_take(struct br_page *page, const struct br_room *room, const struct br_room_leg *leg);

/** br_page_end - member "next" and the Link header (RFC 8288) that leads to the next page */
void br_page_end(const struct br_page *page, struct br_json_out *out, struct br_response *response,
		 const char *path);

#endif
