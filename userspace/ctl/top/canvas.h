/* SPDX-License-Identifier: BSD-2-Clause */
/* A screen in memory: cells with a character and a style. No terminal, so tests can read it. */
#ifndef BR_CANVAS_H
#define BR_CANVAS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum br_style {
	BR_STYLE_PLAIN,
	BR_STYLE_DIM,	   /* labels, units */
	BR_STYLE_BOLD,	   /* figures to look at first */
	BR_STYLE_HEAD,	   /* heads of columns */
	BR_STYLE_SORTED,   /* head of the column that decides the order */
	BR_STYLE_SELECTED, /* the line that Enter opens */
	BR_STYLE_GOOD,
	BR_STYLE_WARN,
	BR_STYLE_BAD,
	BR_STYLES
};

#define BR_CELL_TEXT 5 /* one UTF-8 character with NUL */

struct br_cell {
	char text[BR_CELL_TEXT];
	uint8_t style; /* enum br_style */
};

struct br_canvas {
	int width, height;
	bool ascii; /* bars and lines without Unicode */
	struct br_cell *cells;
};

/** br_canvas_new - all blank; -ENOMEM; freed by br_canvas_free */
int br_canvas_new(struct br_canvas *canvas, int width, int height, bool ascii);
void br_canvas_free(struct br_canvas *canvas);

/**
 * br_canvas_text - characters of one column each from (@x, @y), cut at the right edge
 *
 * What is no printable character shows as '?'. Return: the column behind the text, which may
 * be outside.
 */
int br_canvas_text(struct br_canvas *canvas, int x, int y, enum br_style style, const char *text);
int br_canvas_printf(struct br_canvas *canvas, int x, int y, enum br_style style,
		     const char *format, ...) __attribute__((format(printf, 5, 6)));
/** br_canvas_field - @text in @width columns, cut or filled with blanks, to the left or right */
int br_canvas_field(struct br_canvas *canvas, int x, int y, int width, bool right,
		    enum br_style style, const char *text);
/** br_canvas_bar - a bar of @width columns, filled to @part of 1 */
int br_canvas_bar(struct br_canvas *canvas, int x, int y, int width, double part,
		  enum br_style style);
/** br_canvas_spark - the last @width of @count values, the largest of which is the full height */
int br_canvas_spark(struct br_canvas *canvas, int x, int y, int width, const double *values,
		    size_t count, enum br_style style);
/** br_canvas_print - as text, lines without blanks at their ends */
void br_canvas_print(const struct br_canvas *canvas, FILE *out);

#endif
