/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of `blindrelay top` share. */
#ifndef BR_CTL_TOP_H
#define BR_CTL_TOP_H

#include "ctl/ctl.h"
#include "ctl/top/canvas.h"

#define BR_TOP_NAME    65  /* a room, a leg or a filter, with NUL */
#define BR_TOP_HISTORY 256 /* intervals that are drawn */

enum br_top_page {
	BR_TOP_ROOMS, /* busiest rooms, and legs where there is space */
	BR_TOP_LEGS,  /* busiest legs of all rooms */
	BR_TOP_ROOM,  /* legs of one room */
	BR_TOP_DROPS, /* all reasons that occurred */
	BR_TOP_PAGES
};

/* By what lists are sorted; the names are the daemon's. */
struct br_top_sort {
	const char *name; /* of the API and of --sort */
	const char *text; /* for people */
};
extern const struct br_top_sort br_top_sorts[];
#define BR_TOP_SORTS 7u

struct br_top {
	const struct br_ctl_args *args;
	cJSON *data; /* latest answer of /v1/top; NULL: none yet */
	double in[BR_TOP_HISTORY], out[BR_TOP_HISTORY], drops[BR_TOP_HISTORY]; /* per second */
	size_t history;
	double interval_s;
	unsigned int sort; /* in br_top_sorts */
	enum br_top_page page;
	enum br_top_page back;		/* the page from which a room was opened */
	char room[BR_TOP_NAME];		/* of BR_TOP_ROOM */
	char match[BR_TOP_NAME];	/* filter; "": all */
	char edit[BR_TOP_NAME];		/* filter that is being typed */
	char selected[2 * BR_TOP_NAME]; /* "room" or "room/leg"; "": the first, whoever it is */
	size_t line;			/* of the selected one */
	int height;			/* lines of the screen */
	bool editing, help, paused;
	char error[256]; /* why there is no newer answer; "" */
};

/* state.c */
void br_top_free(struct br_top *top);
/** br_top_take - a new answer; owned from now on */
void br_top_take(struct br_top *top, cJSON *data);
/** br_top_list - what the page lists: an array; NULL for none */
const cJSON *br_top_list(const struct br_top *top);
/** br_top_lines - lines of the page's list; on the page of drops, reasons that occurred */
size_t br_top_lines(const struct br_top *top);
/** br_top_move - select the line @by lines below, or above */
void br_top_move(struct br_top *top, long by);
/** br_top_go - to another page; its first line is selected */
void br_top_go(struct br_top *top, enum br_top_page page);
/** br_top_rate - a member of the rates of a room, a leg or the relay; 0 when not known yet */
double br_top_rate(const cJSON *item, const char *key);
/** br_top_reason_shown - has a packet been dropped for it, or passed to the daemon? */
bool br_top_reason_shown(const cJSON *reason);

/* keys.c */
enum br_top_key { /* other than characters */
		  BR_KEY_UP = 0x110000,
		  BR_KEY_DOWN,
		  BR_KEY_PAGE_UP,
		  BR_KEY_PAGE_DOWN,
		  BR_KEY_HOME,
		  BR_KEY_END,
		  BR_KEY_ENTER,
		  BR_KEY_BACK, /* Escape, Backspace, cursor left */
};
enum br_top_next {
	BR_TOP_WAIT, /* draw */
	BR_TOP_ASK,  /* and get a new answer at once */
	BR_TOP_QUIT,
};
/** br_top_press - what a key does */
enum br_top_next br_top_press(struct br_top *top, int key);

/* draw.c, lists.c */
/** br_top_draw - the whole screen */
void br_top_draw(const struct br_top *top, struct br_canvas *canvas);
/** br_top_draw_rooms, ..._legs - a list with its head in lines @y to @end - 1 */
void br_top_draw_rooms(const struct br_top *top, struct br_canvas *canvas, int y, int end);
void br_top_draw_legs(const struct br_top *top, struct br_canvas *canvas, int y, int end,
		      bool selectable);
void br_top_draw_drops(const struct br_top *top, struct br_canvas *canvas, int y, int end);

/* fetch.c */
/**
 * br_top_fetch - get a new answer
 *
 * Return: 1 when there is one, 0 when the daemon is not ready with it, -1 with top->error set
 * and the answer that there was kept; -2 the same, and the room is gone.
 */
int br_top_fetch(struct br_top *top);

/* plain.c */
/** br_top_plain - one table per interval on standard output; @count 0: until interrupted */
int br_top_plain(struct br_top *top, uint32_t count);
/** br_top_plain_print - one table */
void br_top_plain_print(const struct br_top *top, FILE *out);

/* screen.c */
/** br_top_screen - on the terminal, until quit; -1 when it cannot show anything */
int br_top_screen(struct br_top *top, bool ascii);

#endif
