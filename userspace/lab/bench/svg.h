/* SPDX-License-Identifier: BSD-2-Clause */
/* A small writer of SVG charts: axes, lines, bars. No I/O but to the stream it is given. */
#ifndef BR_BENCH_SVG_H
#define BR_BENCH_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct br_svg_axis {
	const char *title;
	double from, to;
	bool logarithmic;    /* from is then above 0 */
	const double *ticks; /* NULL: about five round values */
	size_t tick_count;
};

struct br_svg {
	FILE *out;
	struct br_svg_axis x, y;
	size_t legends; /* lines of the legend so far */
};

enum br_svg_colour {
	BR_SVG_OWN,  /* what is ours */
	BR_SVG_BARE, /* what it is compared with */
	BR_SVG_THIRD,
	BR_SVG_FOURTH,
	BR_SVG_COLOURS
};

/** br_svg_begin - head, title, frame, both axes with grid; x may have no title and no ticks */
void br_svg_begin(struct br_svg *svg, FILE *out, const char *title);
/** br_svg_line - points by ascending x, with marks and an entry in the legend */
void br_svg_line(struct br_svg *svg, const char *name, enum br_svg_colour colour, const double *x,
		 const double *y, size_t count);
/** br_svg_bar - from the bottom up to @y, over @from to @to on the x axis */
void br_svg_bar(struct br_svg *svg, enum br_svg_colour colour, double from, double to, double y);
/** br_svg_row - a bar from left to @x, row @row of @rows, with a label before and text behind */
void br_svg_row(struct br_svg *svg, enum br_svg_colour colour, size_t row, size_t rows, double x,
		const char *label, const char *text);
/** br_svg_mark - a vertical line at @x with a label */
void br_svg_mark(struct br_svg *svg, double x, const char *label);
void br_svg_end(struct br_svg *svg);

/** br_svg_step - the distance of round ticks (1, 2 or 5 times a power of ten) for a range */
double br_svg_step(double range, unsigned int ticks);

#endif
