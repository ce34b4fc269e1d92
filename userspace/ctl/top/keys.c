// SPDX-License-Identifier: BSD-2-Clause
/* What keys do. */
#include <stdio.h>
#include <string.h>

#include "ctl/top/top.h"

/* The filter: characters of names, Enter to use it, Escape to leave it as it was. */
static enum br_top_next top_edit(struct br_top *top, int key)
{
	size_t length = strlen(top->edit);

	if (key == BR_KEY_ENTER) {
		strcpy(top->match, top->edit);
		top->editing = false;
		br_top_go(top, top->page);
		return BR_TOP_ASK;
	}
	if (key == 27) {
		top->editing = false;
		return BR_TOP_WAIT;
	}
	if ((key == BR_KEY_BACK || key == '\b' || key == 0x7f) && length)
		top->edit[length - 1] = '\0';
	else if (key > 0 && key < 0x80 && length < BR_TOP_NAME - 1 &&
		 ((key >= '0' && key <= '9') || (key >= 'A' && key <= 'Z') ||
		  (key >= 'a' && key <= 'z') || strchr("_.-", key)))
		snprintf(top->edit + length, sizeof(top->edit) - length, "%c", key);
	return BR_TOP_WAIT;
}

static enum br_top_next top_open(struct br_top *top)
{
	const cJSON *item = cJSON_GetArrayItem(br_top_list(top), (int)top->line);
	const char *name;

	if (!item || (top->page != BR_TOP_ROOMS && top->page != BR_TOP_LEGS))
		return BR_TOP_WAIT;
	name = br_member_text(item, top->page == BR_TOP_ROOMS ? "name" : "room");
	snprintf(top->room, sizeof(top->room), "%s", name);
	top->back = top->page;
	/* a filter of rooms would hide the legs of the one that was found by it */
	top->match[0] = '\0';
	br_top_go(top, BR_TOP_ROOM);
	return BR_TOP_ASK;
}

static enum br_top_next top_back(struct br_top *top)
{
	char room[BR_TOP_NAME];

	if (*top->match) {
		top->match[0] = '\0';
		return BR_TOP_ASK;
	}
	if (top->page == BR_TOP_ROOMS)
		return BR_TOP_WAIT;
	strcpy(room, top->page == BR_TOP_ROOM && top->back == BR_TOP_ROOMS ? top->room : "");
	br_top_go(top, top->page == BR_TOP_ROOM ? top->back : BR_TOP_ROOMS);
	strcpy(top->selected, room);
	return BR_TOP_ASK;
}

static enum br_top_next top_show(struct br_top *top, enum br_top_page page)
{
	br_top_go(top, page);
	return BR_TOP_ASK;
}

static enum br_top_next top_sort(struct br_top *top, unsigned int by)
{
	top->sort = (top->sort + by) % BR_TOP_SORTS;
	return top_show(top, top->page);
}

static enum br_top_next top_pause(struct br_top *top)
{
	top->paused = !top->paused;
	return top->paused ? BR_TOP_WAIT : BR_TOP_ASK;
}

static enum br_top_next top_faster(struct br_top *top, double times)
{
	double interval = top->interval_s * times;

	if (interval >= 0.1 && interval <= 60)
		top->interval_s = interval;
	return BR_TOP_ASK;
}

static enum br_top_next top_move(struct br_top *top, int key)
{
	long page = top->height > 14 ? top->height - 12 : 2;

	switch (key) {
	case BR_KEY_UP:
	case 'k':
		br_top_move(top, -1);
		break;
	case BR_KEY_DOWN:
	case 'j':
		br_top_move(top, 1);
		break;
	case BR_KEY_PAGE_UP:
		br_top_move(top, -page);
		break;
	case BR_KEY_PAGE_DOWN:
		br_top_move(top, page);
		break;
	case BR_KEY_HOME:
	case 'g':
		br_top_move(top, -(long)top->line);
		break;
	case BR_KEY_END:
	case 'G':
		br_top_move(top, (long)br_top_lines(top));
		break;
	default:
		break;
	}
	return BR_TOP_WAIT;
}

enum br_top_next br_top_press(struct br_top *top, int key)
{
	if (key == 3) /* Ctrl-C, where the terminal does not make a signal of it */
		return BR_TOP_QUIT;
	if (top->editing)
		return top_edit(top, key);
	if (top->help) {
		top->help = false;
		return key == 'q' ? BR_TOP_QUIT : BR_TOP_WAIT;
	}
	switch (key) {
	case 'q':
		return BR_TOP_QUIT;
	case '?':
	case 'h':
		top->help = true;
		return BR_TOP_WAIT;
	case 'p':
	case ' ':
		return top_pause(top);
	case 's':
		return top_sort(top, 1);
	case 'S':
		return top_sort(top, BR_TOP_SORTS - 1);
	case '/':
	case 'f':
		top->editing = true;
		strcpy(top->edit, top->match);
		return BR_TOP_WAIT;
	case 'r':
		return top_show(top, BR_TOP_ROOMS);
	case 'l':
		return top_show(top, BR_TOP_LEGS);
	case 'd':
		return top_show(top, BR_TOP_DROPS);
	case '+':
		return top_faster(top, 0.5);
	case '-':
		return top_faster(top, 2);
	case BR_KEY_ENTER:
		return top_open(top);
	case 27:
	case BR_KEY_BACK:
		return top_back(top);
	default:
		return top_move(top, key);
	}
}
