// SPDX-License-Identifier: BSD-2-Clause
#include "ctl/top/canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* From empty to full, by eighths. */
static const char *const bar_parts[2][9] = {
	{"░", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"},
	{".", ".", ".", ".", "#", "#", "#", "#", "#"},
};
static const char *const spark_parts[2][9] = {
	{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	{" ", "_", ".", ",", "-", "=", "+", "*", "#"},
};

int br_canvas_new(struct br_canvas *canvas, int width, int height, bool ascii)
{
	*canvas = (struct br_canvas){.width = width, .height = height, .ascii = ascii};
	canvas->cells = calloc((size_t)width * height + 1, sizeof(*canvas->cells));
	if (!canvas->cells)
		return -ENOMEM;
	for (int i = 0; i < width * height; i++)
		canvas->cells[i].text[0] = ' ';
	return 0;
}

void br_canvas_free(struct br_canvas *canvas)
{
	free(canvas->cells);
	canvas->cells = NULL;
}

static void canvas_cell(struct br_canvas *canvas, int x, int y, enum br_style style,
			const char *text, size_t length)
{
	struct br_cell *cell;

	if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height)
		return;
	cell = &canvas->cells[y * canvas->width + x];
	memcpy(cell->text, text, length);
	cell->text[length] = '\0';
	cell->style = (uint8_t)style;
}

/* Bytes of the character at @text; 1 and *@bad for what is none or does not print. */
static size_t canvas_character(const char *text, bool *bad)
{
	unsigned char c = (unsigned char)*text;
	size_t length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 0;

	*bad = length ? c < 0x20 || c == 0x7f : true;
	for (size_t i = 1; i < length; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			*bad = true;
	return *bad ? 1 : length;
}

int br_canvas_text(struct br_canvas *canvas, int x, int y, enum br_style style, const char *text)
{
	while (*text) {
		bool bad;
		size_t length = canvas_character(text, &bad);

		canvas_cell(canvas, x++, y, style, bad ? "?" : text, length);
		text += length;
	}
	return x;
}

int br_canvas_printf(struct br_canvas *canvas, int x, int y, enum br_style style,
		     const char *format, ...)
{
	char text[512];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	return br_canvas_text(canvas, x, y, style, text);
}

int br_canvas_field(struct br_canvas *canvas, int x, int y, int width, bool right,
		    enum br_style style, const char *text)
{
	int length = 0, skip = 0;

	for (const char *at = text; *at; length++) {
		bool bad;

		at += canvas_character(at, &bad);
	}
	for (int i = 0; i < width; i++)
		canvas_cell(canvas, x + i, y, style, " ", 1);
	if (right && length < width)
		skip = width - length;
	for (int i = skip; i < width && *text; i++) {
		bool bad, cut = length > width && i == width - 1;
		size_t bytes = canvas_character(text, &bad);
		const char *more = canvas->ascii ? "~" : "…";

		if (cut)
			canvas_cell(canvas, x + i, y, style, more, strlen(more));
		else
			canvas_cell(canvas, x + i, y, style, bad ? "?" : text, bytes);
		text += bytes;
	}
	return x + width;
}

int br_canvas_bar(struct br_canvas *canvas, int x, int y, int width, double part,
		  enum br_style style)
{
	double eighths = (part < 0 ? 0 : part > 1 ? 1 : part) * width * 8;
	/* something is never shown as nothing */
	int filled = part > 0 && eighths < 1 ? 1 : (int)(eighths + 0.5);

	for (int i = 0; i < width; i++) {
		int here = filled - i * 8;
		const char *text = bar_parts[canvas->ascii][here < 0 ? 0 : here > 8 ? 8 : here];

		canvas_cell(canvas, x + i, y, here > 0 ? style : BR_STYLE_DIM, text, strlen(text));
	}
	return x + width;
}

int br_canvas_spark(struct br_canvas *canvas, int x, int y, int width, const double *values,
		    size_t count, enum br_style style)
{
	size_t shown = width > 0 && count > (size_t)width ? (size_t)width : count;
	double max = 0;

	for (size_t i = count - shown; i < count; i++)
		if (values[i] > max)
			max = values[i];
	for (size_t i = 0; i < shown && width > 0; i++) {
		double value = values[count - shown + i];
		int part = max > 0 ? (int)(value / max * 8 + 0.5) : 0;
		const char *text = spark_parts[canvas->ascii][value > 0 && !part ? 1 : part];

		canvas_cell(canvas, x + width - (int)shown + (int)i, y, style, text, strlen(text));
	}
	return x + width;
}

void br_canvas_print(const struct br_canvas *canvas, FILE *out)
{
	for (int y = 0; y < canvas->height; y++) {
		const struct br_cell *row = &canvas->cells[y * canvas->width];
		int end = canvas->width;

		while (end && !strcmp(row[end - 1].text, " "))
			end--;
		for (int x = 0; x < end; x++)
			fputs(row[x].text, out);
		fputc('\n', out);
	}
}
