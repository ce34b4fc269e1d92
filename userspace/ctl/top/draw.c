// SPDX-License-Identifier: BSD-2-Clause
/* The screen: figures of the whole relay above, a list below, keys in the last line. */
#include <string.h>

#include "ctl/top/top.h"

#define BR_TOP_LOW  16 /* a screen with fewer lines shows only rates above the list */
#define BR_TOP_HIGH 26 /* one with as many has space for two lists */

static void draw_title(const struct br_top *top, struct br_canvas *canvas)
{
	char age[BR_UNIT_TEXT], title[sizeof(top->error)];
	enum br_style style = BR_STYLE_DIM;
	int x;

	br_canvas_text(canvas, 0, 0, BR_STYLE_BOLD, "blindrelay");
	if (top->data)
		br_canvas_printf(canvas, 11, 0, BR_STYLE_PLAIN, "%s, up %s",
				 br_member_text(top->data, "version"),
				 br_unit_age(br_member_text(top->data, "started"), age));
	snprintf(title, sizeof(title), "every %.4g s, by %s", top->interval_s,
		 br_top_sorts[top->sort].text);
	if (*top->error || top->paused) {
		style = BR_STYLE_WARN;
		snprintf(title, sizeof(title), "%s", *top->error ? top->error : "PAUSED");
	}
	/* trouble may cover the rest of the line */
	x = canvas->width - (int)strlen(title);
	if (*top->error && x < 0)
		x = 0;
	if (x > 32 || *top->error || top->paused)
		br_canvas_text(canvas, x, 0, style, title);
}

/* One line of the relay's rates; @bits: member with bits, or NULL. */
static void draw_rate(const struct br_top *top, struct br_canvas *canvas, int y, const char *label,
		      const char *packets, const char *bits, const double *history,
		      enum br_style style)
{
	const cJSON *relay = cJSON_GetObjectItem(top->data, "relay");
	bool known = cJSON_IsObject(cJSON_GetObjectItem(relay, "rates"));
	char text[BR_UNIT_TEXT], line[BR_UNIT_TEXT + 8];

	br_canvas_text(canvas, 0, y, BR_STYLE_DIM, label);
	br_canvas_field(canvas, 5, y, 8, true, style,
			known ? br_unit_rate(br_top_rate(relay, packets), text) : "-");
	br_canvas_text(canvas, 13, y, BR_STYLE_DIM, "/s");
	if (bits && known) {
		br_unit_scaled(br_top_rate(relay, bits), text);
		/* 1.2 Mbit/s, 12 bit/s */
		snprintf(line, sizeof(line), "%s%sbit/s", text, strchr(text, ' ') ? "" : " ");
		br_canvas_field(canvas, 16, y, 13, true, BR_STYLE_PLAIN, line);
	}
	if (canvas->width > 40)
		br_canvas_spark(canvas, 31, y, canvas->width - 31, history, top->history, style);
}

/* The reason that most drops have now; NULL when there are none. */
static const cJSON *draw_worst(const struct br_top *top)
{
	const cJSON *reason, *worst = NULL;

	cJSON_ArrayForEach (reason, cJSON_GetObjectItem(top->data, "reasons"))
		if (!strcmp(br_member_text(reason, "verdict"), "drop") &&
		    br_member_number(reason, "packets_per_s") >
			    br_member_number(worst, "packets_per_s"))
			worst = reason;
	return worst;
}

static void draw_rates(const struct br_top *top, struct br_canvas *canvas)
{
	const cJSON *worst = draw_worst(top);

	draw_rate(top, canvas, 1, "in", "received_packets", "received_bits", top->in,
		  BR_STYLE_BOLD);
	draw_rate(top, canvas, 2, "out", "sent_packets", "sent_bits", top->out, BR_STYLE_BOLD);
	draw_rate(top, canvas, 3, "drop", "dropped", NULL, top->drops,
		  worst ? BR_STYLE_BAD : BR_STYLE_PLAIN);
	if (worst)
		br_canvas_field(canvas, 16, 3, 14, false, BR_STYLE_BAD,
				br_member_text(worst, "reason"));
}

/* Copies that the daemon makes, where the kernel cannot: their share of all; and the interfaces. */
static void draw_daemon(const struct br_top *top, struct br_canvas *canvas, int y)
{
	const cJSON *relay = cJSON_GetObjectItem(top->data, "relay"), *interface;
	double slow = br_member_number(cJSON_GetObjectItem(relay, "slow"), "copies_per_s");
	double all = br_top_rate(relay, "sent_packets");
	char text[BR_UNIT_TEXT];
	int x;

	br_canvas_text(canvas, 0, y, BR_STYLE_DIM, "slow");
	x = br_canvas_field(canvas, 5, y, 8, true, slow > 0 ? BR_STYLE_WARN : BR_STYLE_PLAIN,
			    br_unit_rate(slow, text));
	br_canvas_printf(canvas, x, y, BR_STYLE_DIM, "/s by the daemon, %.1f %%",
			 all > 0 ? 100 * slow / all : 0.0);
	x = 42;
	cJSON_ArrayForEach (interface, cJSON_GetObjectItem(top->data, "interfaces")) {
		bool up = cJSON_IsTrue(cJSON_GetObjectItem(interface, "up"));

		x = br_canvas_printf(canvas, x, y, BR_STYLE_PLAIN, "%s %s ",
				     br_member_text(interface, "name"),
				     br_member_text(interface, "mode"));
		x = 2 + br_canvas_text(canvas, x, y, up ? BR_STYLE_GOOD : BR_STYLE_BAD,
				       up ? "up" : "DOWN");
	}
}

static void draw_tables(const struct br_top *top, struct br_canvas *canvas, int y)
{
	const cJSON *tables = cJSON_GetObjectItem(top->data, "tables"), *table;
	int count = cJSON_GetArraySize(tables), i = 0;
	int width = count ? canvas->width / count : canvas->width;

	cJSON_ArrayForEach (table, tables) {
		double used = br_member_number(table, "used");
		double capacity = br_member_number(table, "capacity");
		double part = capacity > 0 ? used / capacity : 0;
		char a[BR_UNIT_TEXT], b[BR_UNIT_TEXT];
		int x = i++ * width, end = x + width - 2;

		x = 1 + br_canvas_text(canvas, x, y, BR_STYLE_DIM, table->string);
		x = br_canvas_printf(canvas, x, y, BR_STYLE_PLAIN, "%s/%s", br_unit_count(used, a),
				     br_unit_count(capacity, b));
		if (end - x > 4)
			br_canvas_bar(canvas, x + 1, y, end - x - 1, part,
				      part < 0.8    ? BR_STYLE_GOOD
				      : part < 0.95 ? BR_STYLE_WARN
						    : BR_STYLE_BAD);
	}
}

static void draw_place(const struct br_top *top, struct br_canvas *canvas, int y)
{
	static const char *const names[BR_TOP_PAGES] = {
		[BR_TOP_ROOMS] = "rooms",
		[BR_TOP_LEGS] = "legs of all rooms",
		[BR_TOP_ROOM] = "room",
		[BR_TOP_DROPS] = "dropped, or passed to the daemon",
	};
	const cJSON *relay = cJSON_GetObjectItem(top->data, "relay");
	const cJSON *room = cJSON_GetArrayItem(cJSON_GetObjectItem(top->data, "rooms"), 0);
	char rooms[BR_UNIT_TEXT], legs[BR_UNIT_TEXT], in[BR_UNIT_TEXT], out[BR_UNIT_TEXT];
	int x = br_canvas_text(canvas, 0, y, BR_STYLE_PLAIN, names[top->page]);

	if (top->page == BR_TOP_ROOM) {
		x = br_canvas_text(canvas, x + 1, y, BR_STYLE_BOLD, top->room);
		x = br_canvas_printf(canvas, x, y, BR_STYLE_DIM, "  (legs %s, in %s/s, out %s/s)",
				     br_unit_count(br_member_number(room, "legs"), legs),
				     br_unit_rate(br_top_rate(room, "received_packets"), in),
				     br_unit_rate(br_top_rate(room, "sent_packets"), out));
	} else if (top->page != BR_TOP_DROPS) {
		x = br_canvas_printf(canvas, x, y, BR_STYLE_DIM, "  (in all: rooms %s, legs %s)",
				     br_unit_count(br_member_number(relay, "rooms"), rooms),
				     br_unit_count(br_member_number(relay, "legs"), legs));
	}
	if (top->editing)
		br_canvas_printf(canvas, x + 2, y, BR_STYLE_WARN, "/%s_", top->edit);
	else if (*top->match && top->page != BR_TOP_DROPS)
		br_canvas_printf(canvas, x + 2, y, BR_STYLE_WARN, "/%s", top->match);
}

static void draw_keys(const struct br_top *top, struct br_canvas *canvas)
{
	static const char *const keys[BR_TOP_PAGES] = {
		[BR_TOP_ROOMS] = "Enter open  s sort  / filter  l legs  d drops  p pause  ? help  "
				 "q quit",
		[BR_TOP_LEGS] =
			"Enter its room  s sort  / filter  r rooms  d drops  ? help  q quit",
		[BR_TOP_ROOM] = "Esc back  s sort  / filter  l legs  d drops  ? help  q quit",
		[BR_TOP_DROPS] = "Esc back  r rooms  l legs  p pause  ? help  q quit",
	};

	br_canvas_text(canvas, 0, canvas->height - 1, BR_STYLE_DIM,
		       top->editing ? "Enter use it  Esc leave it" : keys[top->page]);
}

static void draw_help(struct br_canvas *canvas)
{
	static const char *const lines[] = {
		"in     packets admitted from legs",
		"out    copies sent to legs",
		"drop   packets and copies, each with a reason: d lists them",
		"slow   copies made by the daemon, where the kernel cannot",
		"",
		"up down, j k      select a line     PgUp PgDn Home End",
		"Enter             open the room     Esc, Backspace: back, or no filter",
		"r  l  d           rooms, legs of all rooms, reasons",
		"s  S              sort by the next column, by the one before",
		"/                 show names with these letters only",
		"+  -              shorter or longer intervals",
		"p, Space          stand still, go on",
		"q                 quit",
		"",
		"any key goes back",
	};
	int y = 1;

	br_canvas_text(canvas, 0, 0, BR_STYLE_BOLD, "blindrelay top");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		br_canvas_text(canvas, 1, ++y, BR_STYLE_PLAIN, lines[i]);
}

/* Lines that the list of rooms wants, when legs stand below it. */
static int rooms_end(const struct br_top *top, int y, int end)
{
	int want = y + 1 + cJSON_GetArraySize(cJSON_GetObjectItem(top->data, "rooms"));
	int half = y + (end - y) / 2;

	if ((int)top->line + y + 1 >= half || want > half)
		want = half;
	return want < y + 3 ? y + 3 : want;
}

void br_top_draw(const struct br_top *top, struct br_canvas *canvas)
{
	bool low = canvas->height < BR_TOP_LOW;
	int y = low ? 4 : 6, end = canvas->height - 1;

	if (top->help) {
		draw_help(canvas);
		return;
	}
	draw_title(top, canvas);
	if (!top->data) {
		br_canvas_text(canvas, 0, 2, BR_STYLE_DIM, "no figures yet");
		draw_keys(top, canvas);
		return;
	}
	draw_rates(top, canvas);
	if (!low) {
		draw_daemon(top, canvas, 4);
		draw_tables(top, canvas, 5);
		y++;
	}
	draw_place(top, canvas, y++);
	switch (top->page) {
	case BR_TOP_ROOMS:
		if (canvas->height >= BR_TOP_HIGH) {
			int middle = rooms_end(top, y, end);

			br_top_draw_rooms(top, canvas, y, middle);
			br_top_draw_legs(top, canvas, middle + 1, end, false);
		} else {
			br_top_draw_rooms(top, canvas, y, end);
		}
		break;
	case BR_TOP_LEGS:
	case BR_TOP_ROOM:
		br_top_draw_legs(top, canvas, y, end, true);
		break;
	case BR_TOP_DROPS:
	case BR_TOP_PAGES:
		br_top_draw_drops(top, canvas, y, end);
		break;
	}
	draw_keys(top, canvas);
}
