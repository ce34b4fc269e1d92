// SPDX-License-Identifier: BSD-2-Clause
/* Asking the daemon. */
#include <string.h>

#include "ctl/top/top.h"

static void fetch_path(const struct br_top *top, char *out, size_t size)
{
	size_t lines = (size_t)top->height + top->line + 1, used;
	uint32_t limit = top->args->given & BR_FLAG_BIT(BR_FLAG_LIMIT) ? top->args->limit
			 : lines > 1000				       ? 1000
								       : (uint32_t)lines;
	bool room = top->page == BR_TOP_ROOM;

	/* names need no escaping: only letters, digits, "_", "." and "-" get as far as here */
	used = (size_t)snprintf(out, size, "/v1/top?interval_ms=%.0f&sort=%s&rooms=%u&legs=%u",
				top->interval_s * 1000, br_top_sorts[top->sort].name, limit, limit);
	if (room && used < size)
		used += (size_t)snprintf(out + used, size - used, "&room=%s", top->room);
	if (*top->match && used < size)
		snprintf(out + used, size - used, "&match=%s", top->match);
}

int br_top_fetch(struct br_top *top)
{
	struct br_reply reply;
	char path[512];
	int status, result = -1;

	fetch_path(top, path, sizeof(path));
	status = br_ctl_try(top->args, "GET", path, NULL, &reply);
	if (status == 200 && reply.json) {
		br_top_take(top, reply.json);
		reply.json = NULL;
		result = 1;
	} else if (status == 503) {
		result = 0;
	} else if (status < 0) {
		snprintf(top->error, sizeof(top->error), "no daemon answers: %s",
			 strerror(-status));
	} else {
		const char *field = br_member_text(reply.json, "field");
		const char *detail = br_member_text(reply.json, "detail");

		if (status == 404 && !strcmp(field, "room"))
			result = -2;
		if (status == 404 && !*field)
			detail = "this daemon is older and has no /v1/top";
		snprintf(top->error, sizeof(top->error), "%s%s%s", field, *field ? ": " : "",
			 *detail ? detail : "the daemon answered with an error");
	}
	br_reply_free(&reply);
	return result;
}
