// SPDX-License-Identifier: BSD-2-Clause
#include "svg.h"

#include <math.h>

/* In pixels. */
#define BR_SVG_WIDTH  860.0
#define BR_SVG_HEIGHT 480.0
#define BR_SVG_LEFT   90.0
#define BR_SVG_RIGHT  30.0
#define BR_SVG_TOP    60.0
#define BR_SVG_BOTTOM 70.0

#define BR_SVG_TICKS 5u

static const char *const colours[BR_SVG_COLOURS] = {"#1565c0", "#757575", "#2e7d32", "#ef6c00"};

/* Text between tags: the characters that XML reserves are written as entities. */
static void br_svg_escaped(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else
			fputc(*text, out);
}

static void br_svg_text(struct br_svg *svg, double x, double y, const char *anchor,
			const char *extra, const char *text)
{
	fprintf(svg->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>", x, y, anchor, extra);
	br_svg_escaped(svg->out, text);
	fputs("</text>\n", svg->out);
}

static void br_svg_stroke(struct br_svg *svg, double x1, double y1, double x2, double y2,
			  const char *colour)
{
	fprintf(svg->out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
		x1, y1, x2, y2, colour);
}

/* Place of a value on an axis, 0 to 1; what lies outside is moved to the edge. */
static double br_svg_place(const struct br_svg_axis *axis, double value)
{
	double place;

	if (axis->logarithmic)
		place = value > 0 ? log(value / axis->from) / log(axis->to / axis->from) : 0;
	else
		place = (value - axis->from) / (axis->to - axis->from);
	return place < 0 ? 0 : place > 1 ? 1 : place;
}

static double br_svg_x(const struct br_svg *svg, double value)
{
	return BR_SVG_LEFT +
	       br_svg_place(&svg->x, value) * (BR_SVG_WIDTH - BR_SVG_LEFT - BR_SVG_RIGHT);
}

static double br_svg_y(const struct br_svg *svg, double value)
{
	return BR_SVG_HEIGHT - BR_SVG_BOTTOM -
	       br_svg_place(&svg->y, value) * (BR_SVG_HEIGHT - BR_SVG_TOP - BR_SVG_BOTTOM);
}

double br_svg_step(double range, unsigned int ticks)
{
	double rough = range / ticks, power = pow(10, floor(log10(rough)));

	if (rough <= power)
		return power;
	if (rough <= 2 * power)
		return 2 * power;
	return rough <= 5 * power ? 5 * power : 10 * power;
}

static void br_svg_tick(struct br_svg *svg, bool horizontal, double value)
{
	char text[32];

	if (value >= 1e6)
		snprintf(text, sizeof(text), "%g M", value / 1e6);
	else
		snprintf(text, sizeof(text), "%g", value);
	if (horizontal) {
		double x = br_svg_x(svg, value);

		br_svg_stroke(svg, x, BR_SVG_TOP, x, BR_SVG_HEIGHT - BR_SVG_BOTTOM, "#e0e0e0");
		br_svg_text(svg, x, BR_SVG_HEIGHT - BR_SVG_BOTTOM + 18, "middle", "", text);
	} else {
		double y = br_svg_y(svg, value);

		br_svg_stroke(svg, BR_SVG_LEFT, y, BR_SVG_WIDTH - BR_SVG_RIGHT, y, "#e0e0e0");
		br_svg_text(svg, BR_SVG_LEFT - 8, y + 4, "end", "", text);
	}
}

static void br_svg_ticks(struct br_svg *svg, const struct br_svg_axis *axis, bool horizontal)
{
	double step;

	if (!axis->title)
		return;
	for (size_t i = 0; axis->ticks && i < axis->tick_count; i++)
		br_svg_tick(svg, horizontal, axis->ticks[i]);
	if (axis->ticks)
		return;
	step = br_svg_step(axis->to - axis->from, BR_SVG_TICKS);
	for (int i = 0; ceil(axis->from / step) * step + i * step <= axis->to * (1 + 1e-9); i++)
		br_svg_tick(svg, horizontal, ceil(axis->from / step) * step + i * step);
}

void br_svg_begin(struct br_svg *svg, FILE *out, const char *title)
{
	char turned[64];

	svg->out = out;
	svg->legends = 0;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
		"width=\"%.0f\" "
		"height=\"%.0f\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#212121\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
		BR_SVG_WIDTH, BR_SVG_HEIGHT, BR_SVG_WIDTH, BR_SVG_HEIGHT);
	br_svg_text(svg, BR_SVG_WIDTH / 2, 28, "middle", " font-size=\"17\"", title);
	br_svg_ticks(svg, &svg->x, true);
	br_svg_ticks(svg, &svg->y, false);
	br_svg_stroke(svg, BR_SVG_LEFT, BR_SVG_TOP, BR_SVG_LEFT, BR_SVG_HEIGHT - BR_SVG_BOTTOM,
		      "#212121");
	br_svg_stroke(svg, BR_SVG_LEFT, BR_SVG_HEIGHT - BR_SVG_BOTTOM, BR_SVG_WIDTH - BR_SVG_RIGHT,
		      BR_SVG_HEIGHT - BR_SVG_BOTTOM, "#212121");
	if (svg->x.title)
		br_svg_text(svg, (BR_SVG_LEFT + BR_SVG_WIDTH - BR_SVG_RIGHT) / 2,
			    BR_SVG_HEIGHT - 24, "middle", "", svg->x.title);
	if (!svg->y.title)
		return;
	snprintf(turned, sizeof(turned), " transform=\"rotate(-90 24 %.0f)\"", BR_SVG_HEIGHT / 2);
	br_svg_text(svg, 24, BR_SVG_HEIGHT / 2, "middle", turned, svg->y.title);
}

void br_svg_line(struct br_svg *svg, const char *name, enum br_svg_colour colour, const double *x,
		 const double *y, size_t count)
{
	double left = BR_SVG_LEFT + 16, top = BR_SVG_TOP + 14 + 18 * (double)svg->legends++;

	fprintf(svg->out, "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"",
		colours[colour]);
	for (size_t i = 0; i < count; i++)
		fprintf(svg->out, "%.1f,%.1f ", br_svg_x(svg, x[i]), br_svg_y(svg, y[i]));
	fputs("\"/>\n", svg->out);
	for (size_t i = 0; i < count; i++)
		fprintf(svg->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n",
			br_svg_x(svg, x[i]), br_svg_y(svg, y[i]), colours[colour]);
	fprintf(svg->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" fill=\"%s\"/>\n",
		left, top - 10, colours[colour]);
	br_svg_text(svg, left + 20, top, "start", "", name);
}

static void br_svg_rect(struct br_svg *svg, enum br_svg_colour colour, double x, double y,
			double width, double height)
{
	fprintf(svg->out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y,
		width, height, colours[colour]);
}

void br_svg_bar(struct br_svg *svg, enum br_svg_colour colour, double from, double to, double y)
{
	double left = br_svg_x(svg, from), right = br_svg_x(svg, to), top = br_svg_y(svg, y);

	br_svg_rect(svg, colour, left, top, right - left, BR_SVG_HEIGHT - BR_SVG_BOTTOM - top);
}

void br_svg_row(struct br_svg *svg, enum br_svg_colour colour, size_t row, size_t rows, double x,
		const char *label, const char *text)
{
	double height = (BR_SVG_HEIGHT - BR_SVG_TOP - BR_SVG_BOTTOM) / (double)rows;
	double top = BR_SVG_TOP + height * (double)row, right = br_svg_x(svg, x);

	br_svg_text(svg, BR_SVG_LEFT + 4, top + height * 0.3, "start", "", label);
	br_svg_rect(svg, colour, BR_SVG_LEFT, top + height * 0.4, right - BR_SVG_LEFT,
		    height * 0.4);
	br_svg_text(svg, right > BR_SVG_WIDTH - 200 ? right - 6 : right + 6, top + height * 0.68,
		    right > BR_SVG_WIDTH - 200 ? "end" : "start",
		    right > BR_SVG_WIDTH - 200 ? " fill=\"#ffffff\"" : "", text);
}

void br_svg_mark(struct br_svg *svg, double x, const char *label)
{
	double at = br_svg_x(svg, x);

	br_svg_stroke(svg, at, BR_SVG_TOP, at, BR_SVG_HEIGHT - BR_SVG_BOTTOM, "#c62828");
	br_svg_text(svg, at + 5, BR_SVG_TOP + 12 + 16 * (double)svg->legends++, "start",
		    " style=\"fill:#c62828\"", label);
}

void br_svg_end(struct br_svg *svg)
{
	fputs("</svg>\n", svg->out);
}
