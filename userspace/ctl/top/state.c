// SPDX-License-Identifier: BSD-2-Clause
/* What is shown, and where in it the user is. */
#include <stdio.h>
#include <string.h>

#include "ctl/top/top.h"

const struct br_top_sort br_top_sorts[] = {
	{"out", "packets out"}, {"out_bits", "bits out"}, {"in", "packets in"},
	{"in_bits", "bits in"}, {"drops", "drops"},	  {"legs", "legs"},
	{"name", "name"},
};
_Static_assert(sizeof(br_top_sorts) / sizeof(br_top_sorts[0]) == BR_TOP_SORTS, "BR_TOP_SORTS");

void br_top_free(struct br_top *top)
{
	cJSON_Delete(top->data);
	top->data = NULL;
}

double br_top_rate(const cJSON *item, const char *key)
{
	return br_member_number(cJSON_GetObjectItem(item, "rates"), key);
}

static void top_remember(double *values, size_t count, double value)
{
	if (count == BR_TOP_HISTORY)
		memmove(values, values + 1, (count - 1) * sizeof(*values));
	values[count == BR_TOP_HISTORY ? count - 1 : count] = value;
}

/* "room" or "room/leg": lists change their order, so a line is known by its name. */
static void top_name(const cJSON *item, char *out, size_t size)
{
	const char *room = br_member_text(item, "room");

	snprintf(out, size, "%s%s%s", room, *room ? "/" : "", br_member_text(item, "name"));
}

/* Find the selected line again; when it is gone, its place stays selected. */
static void top_find_selected(struct br_top *top)
{
	size_t lines = br_top_lines(top), line = 0;
	const cJSON *item;
	char name[2 * BR_TOP_NAME];

	if (*top->selected)
		cJSON_ArrayForEach (item, br_top_list(top)) {
			top_name(item, name, sizeof(name));
			if (!strcmp(name, top->selected)) {
				top->line = line;
				return;
			}
			line++;
		}
	if (top->page != BR_TOP_DROPS && !*top->selected)
		top->line = 0;
	if (top->line >= lines)
		top->line = lines ? lines - 1 : 0;
}

void br_top_take(struct br_top *top, cJSON *data)
{
	const cJSON *relay = cJSON_GetObjectItem(data, "relay");

	cJSON_Delete(top->data);
	top->data = data;
	top->error[0] = '\0';
	if (cJSON_IsObject(cJSON_GetObjectItem(relay, "rates"))) {
		top_remember(top->in, top->history, br_top_rate(relay, "received_packets"));
		top_remember(top->out, top->history, br_top_rate(relay, "sent_packets"));
		top_remember(top->drops, top->history, br_top_rate(relay, "dropped"));
		if (top->history < BR_TOP_HISTORY)
			top->history++;
	}
	top_find_selected(top);
}

const cJSON *br_top_list(const struct br_top *top)
{
	static const char *const keys[BR_TOP_PAGES] = {
		[BR_TOP_ROOMS] = "rooms",
		[BR_TOP_LEGS] = "legs",
		[BR_TOP_ROOM] = "legs",
		[BR_TOP_DROPS] = "reasons",
	};

	return cJSON_GetObjectItem(top->data, keys[top->page]);
}

bool br_top_reason_shown(const cJSON *reason)
{
	/* not_media is what the host does beside relaying */
	return br_member_number(reason, "packets") > 0 &&
	       strcmp(br_member_text(reason, "verdict"), "sent") != 0 &&
	       strcmp(br_member_text(reason, "reason"), "not_media") != 0;
}

size_t br_top_lines(const struct br_top *top)
{
	const cJSON *reason;
	size_t count = 0;

	if (top->page != BR_TOP_DROPS)
		return (size_t)cJSON_GetArraySize(br_top_list(top));
	cJSON_ArrayForEach (reason, br_top_list(top))
		count += br_top_reason_shown(reason);
	return count;
}

void br_top_move(struct br_top *top, long by)
{
	long lines = (long)br_top_lines(top), line = (long)top->line + by;

	if (line >= lines)
		line = lines - 1;
	if (line < 0)
		line = 0;
	top->line = (size_t)line;
	top->selected[0] = '\0';
	if (top->page != BR_TOP_DROPS && line)
		top_name(cJSON_GetArrayItem(br_top_list(top), (int)line), top->selected,
			 sizeof(top->selected));
}

void br_top_go(struct br_top *top, enum br_top_page page)
{
	top->page = page;
	top->line = 0;
	top->selected[0] = '\0';
}
