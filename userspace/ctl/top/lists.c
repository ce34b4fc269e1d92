// SPDX-License-Identifier: BSD-2-Clause
/* Lists: which columns fit, and what stands in them. */
#include <string.h>

#include "ctl/top/top.h"

#define BR_TOP_TEXT    96
#define BR_TOP_COLUMNS 12u
#define BR_TOP_SHARE   12 /* columns at least for a bar */
#define BR_TOP_WIDE    28 /* columns for a long name */

struct br_top_column {
	const char *head;
	int width;
	bool left;
	const char *sort; /* name of the order that it decides; NULL: none */
	int keep;	  /* the lower, the sooner it goes when there is no space; 0: never */
	const char *(*text)(const cJSON *item, char out[static BR_TOP_TEXT]);
};

static const char *text_rate(const cJSON *item, const char *key, char *out)
{
	return cJSON_IsObject(cJSON_GetObjectItem(item, "rates"))
		       ? br_unit_rate(br_top_rate(item, key), out)
		       : "-";
}

static const char *text_in(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return text_rate(item, "received_packets", out);
}

static const char *text_out(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return text_rate(item, "sent_packets", out);
}

static const char *text_drops(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return text_rate(item, "dropped", out);
}

static const char *text_in_bits(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return br_unit_scaled(br_top_rate(item, "received_bits"), out);
}

static const char *text_out_bits(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return br_unit_scaled(br_top_rate(item, "sent_bits"), out);
}

static const char *text_legs(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return br_unit_count(br_member_number(item, "legs"), out);
}

static const char *text_name(const cJSON *item, char out[static BR_TOP_TEXT])
{
	snprintf(out, BR_TOP_TEXT, "%s", br_member_text(item, "name"));
	return out;
}

static const char *text_room(const cJSON *item, char out[static BR_TOP_TEXT])
{
	snprintf(out, BR_TOP_TEXT, "%s", br_member_text(item, "room"));
	return out;
}

static const char *text_role(const cJSON *item, char out[static BR_TOP_TEXT])
{
	const char *role = br_member_text(item, "role");

	snprintf(out, BR_TOP_TEXT, "%s",
		 !strcmp(role, "publisher")    ? "sends"
		 : !strcmp(role, "subscriber") ? "receives"
					       : role);
	return out;
}

static const char *text_reach(const cJSON *item, char out[static BR_TOP_TEXT])
{
	const char *state = br_member_text(item, "state");
	bool slow = !strcmp(br_member_text(item, "path"), "daemon");

	snprintf(out, BR_TOP_TEXT, "%s", slow && !strcmp(state, "ready") ? "by daemon" : state);
	return out;
}

static const char *text_streams(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return br_unit_count(br_member_number(item, "streams"), out);
}

static const char *text_expires(const cJSON *item, char out[static BR_TOP_TEXT])
{
	const cJSON *seconds = cJSON_GetObjectItem(item, "expires_in_s");

	return cJSON_IsNumber(seconds) ? br_unit_ms(seconds->valuedouble * 1000, out) : "never";
}

static const char *text_seen(const cJSON *item, char out[static BR_TOP_TEXT])
{
	const cJSON *ms = cJSON_GetObjectItem(item, "last_seen_ms_ago");

	return cJSON_IsNumber(ms) ? br_unit_ms(ms->valuedouble, out) : "-";
}

static const char *text_total(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return br_unit_count(br_member_number(item, "packets"), out);
}

static const char *text_per_s(const cJSON *item, char out[static BR_TOP_TEXT])
{
	return br_unit_rate(br_member_number(item, "packets_per_s"), out);
}

static const char *text_reason(const cJSON *item, char out[static BR_TOP_TEXT])
{
	snprintf(out, BR_TOP_TEXT, "%s", br_member_text(item, "reason"));
	return out;
}

static const char *text_verdict(const cJSON *item, char out[static BR_TOP_TEXT])
{
	snprintf(out, BR_TOP_TEXT, "%s", br_member_text(item, "verdict"));
	return out;
}

static const char *text_meaning(const cJSON *item, char out[static BR_TOP_TEXT])
{
	snprintf(out, BR_TOP_TEXT, "%s", br_member_text(item, "meaning"));
	return out;
}

static const struct br_top_column room_columns[] = {
	{"ROOM", 12, true, "name", 0, text_name},
	{"LEGS", 6, false, "legs", 2, text_legs},
	{"IN/S", 8, false, "in", 4, text_in},
	{"BIT/S IN", 9, false, "in_bits", 1, text_in_bits},
	{"OUT/S", 8, false, "out", 0, text_out},
	{"BIT/S OUT", 9, false, "out_bits", 5, text_out_bits},
	{"DROP/S", 7, false, "drops", 3, text_drops},
	{0},
};
static const struct br_top_column leg_columns[] = {
	{"LEG", 12, true, "name", 0, text_name},
	{"ROOM", 12, true, NULL, 6, text_room},
	{"ROLE", 8, true, NULL, 3, text_role},
	{"REACH", 11, true, NULL, 5, text_reach},
	{"SSRCS", 5, false, NULL, 4, text_streams},
	{"EXPIRES", 7, false, NULL, 2, text_expires},
	{"SEEN", 7, false, NULL, 1, text_seen},
	{"IN/S", 8, false, "in", 7, text_in},
	{"OUT/S", 8, false, "out", 0, text_out},
	{"BIT/S OUT", 9, false, "out_bits", 0, text_out_bits},
	{"DROP/S", 7, false, "drops", 6, text_drops},
	{0},
};
static const struct br_top_column reason_columns[] = {
	{"REASON", 16, true, NULL, 0, text_reason},   {"FATE", 4, true, NULL, 1, text_verdict},
	{"PER S", 8, false, NULL, 0, text_per_s},     {"TOTAL", 8, false, NULL, 3, text_total},
	{"MEANING", 20, true, NULL, 2, text_meaning}, {0},
};

/*
 * Which columns fit: the one that is missed least goes first. The widened one gets the rest,
 * the first column no more than what long names need. Returns the columns in use.
 */
static int top_fit(const struct br_top_column *columns, int width, bool room, size_t wide,
		   int widths[static BR_TOP_COLUMNS])
{
	int sum = -1, count = 0;

	for (; columns[count].head; count++) {
		widths[count] =
			columns[count].text == text_room && !room ? 0 : columns[count].width;
		sum += widths[count] ? widths[count] + 1 : 0;
	}
	while (sum > width) {
		int least = -1;

		for (int c = 0; c < count; c++)
			if (widths[c] && columns[c].keep &&
			    (least < 0 || columns[c].keep < columns[least].keep))
				least = c;
		if (least < 0)
			return sum;
		sum -= widths[least] + 1;
		widths[least] = 0;
	}
	if (wide && widths[wide]) {
		widths[wide] += width - sum;
		return width;
	}
	width = width - sum < BR_TOP_WIDE - widths[0] ? width : sum + BR_TOP_WIDE - widths[0];
	widths[0] += width - sum;
	return width;
}

static void top_draw_line(struct br_canvas *canvas, int y, const struct br_top_column *columns,
			  const int *widths, const cJSON *item, bool selected)
{
	char text[BR_TOP_TEXT];
	int x = 0;

	if (selected)
		br_canvas_field(canvas, 0, y, canvas->width, false, BR_STYLE_SELECTED, "");
	for (int c = 0; columns[c].head; c++) {
		enum br_style style = c ? BR_STYLE_PLAIN : BR_STYLE_BOLD;
		const char *cell = columns[c].text(item, text);

		if (!widths[c])
			continue;
		if (columns[c].text == text_reach && strcmp(cell, "ready") != 0)
			style = BR_STYLE_WARN;
		if (columns[c].text == text_drops && br_top_rate(item, "dropped") > 0)
			style = BR_STYLE_BAD;
		x = 1 + br_canvas_field(canvas, x, y, widths[c], !columns[c].left,
					selected ? BR_STYLE_SELECTED : style, cell);
	}
}

static void top_draw_heads(const struct br_top *top, struct br_canvas *canvas, int y,
			   const struct br_top_column *columns, const int *widths)
{
	int x = 0;

	br_canvas_field(canvas, 0, y, canvas->width, false, BR_STYLE_HEAD, "");
	for (int c = 0; columns[c].head; c++) {
		bool sorted =
			columns[c].sort && !strcmp(columns[c].sort, br_top_sorts[top->sort].name);

		if (widths[c])
			x = 1 + br_canvas_field(canvas, x, y, widths[c], !columns[c].left,
						sorted ? BR_STYLE_SORTED : BR_STYLE_HEAD,
						columns[c].head);
	}
}

/* Lines of a list to leave out, so that the selected one is on the screen. */
static long top_first(int y, int end, long selected)
{
	return selected >= end - y ? selected - (end - y) + 1 : 0;
}

/* @shown: which entries are lines, NULL: all; @selected: line of the list, or -1 */
static void top_draw_list(struct br_canvas *canvas, int y, int end,
			  const struct br_top_column *columns, const int *widths, const cJSON *list,
			  bool (*shown)(const cJSON *item), long selected)
{
	long first = top_first(y, end, selected), line = 0;
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		if (shown && !shown(item))
			continue;
		if (line >= first && y < end)
			top_draw_line(canvas, y++, columns, widths, item, line == selected);
		line++;
	}
}

void br_top_draw_rooms(const struct br_top *top, struct br_canvas *canvas, int y, int end)
{
	const cJSON *rooms = cJSON_GetObjectItem(top->data, "rooms");
	double all = br_top_rate(cJSON_GetObjectItem(top->data, "relay"), "sent_packets");
	long first;
	int widths[BR_TOP_COLUMNS];
	int x = 1 + top_fit(room_columns, canvas->width, false, 0, widths);

	top_draw_heads(top, canvas, y, room_columns, widths);
	if (!cJSON_GetArraySize(rooms))
		br_canvas_text(canvas, 0, y + 1, BR_STYLE_DIM,
			       *top->match ? "no room with that in its name"
					   : "no rooms; `blindrelay create NAME` makes one");
	top_draw_list(canvas, y + 1, end, room_columns, widths, rooms, NULL, (long)top->line);
	if (canvas->width - x < BR_TOP_SHARE)
		return;
	br_canvas_text(canvas, x, y, BR_STYLE_HEAD, "SHARE OF OUT");
	first = top_first(y + 1, end, (long)top->line);
	for (int line = y + 1; line < end; line++) {
		const cJSON *room = cJSON_GetArrayItem(rooms, (int)first++);

		if (room)
			br_canvas_bar(canvas, x, line, canvas->width - x,
				      all > 0 ? br_top_rate(room, "sent_packets") / all : 0,
				      BR_STYLE_GOOD);
	}
}

void br_top_draw_legs(const struct br_top *top, struct br_canvas *canvas, int y, int end,
		      bool selectable)
{
	const cJSON *legs = cJSON_GetObjectItem(top->data, "legs");
	int widths[BR_TOP_COLUMNS];

	top_fit(leg_columns, canvas->width, top->page != BR_TOP_ROOM, 0, widths);
	top_draw_heads(top, canvas, y, leg_columns, widths);
	if (!cJSON_GetArraySize(legs))
		br_canvas_text(canvas, 0, y + 1, BR_STYLE_DIM,
			       *top->match ? "no leg with that in its name" : "no legs");
	top_draw_list(canvas, y + 1, end, leg_columns, widths, legs, NULL,
		      selectable ? (long)top->line : -1);
}

void br_top_draw_drops(const struct br_top *top, struct br_canvas *canvas, int y, int end)
{
	const cJSON *reasons = cJSON_GetObjectItem(top->data, "reasons");
	int widths[BR_TOP_COLUMNS];

	top_fit(reason_columns, canvas->width, false, 4, widths);
	top_draw_heads(top, canvas, y, reason_columns, widths);
	top_draw_list(canvas, y + 1, end, reason_columns, widths, reasons, br_top_reason_shown,
		      top->page == BR_TOP_DROPS ? (long)top->line : 0);
}
