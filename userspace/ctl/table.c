// SPDX-License-Identifier: BSD-2-Clause
/* Tables for people: columns as wide as their widest cell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

/* A table that does not fit into memory is no use to anybody. */
static void *br_table_need(void *memory)
{
	if (!memory) {
		fprintf(stderr, "blindrelay: out of memory\n");
		exit(BR_CTL_FAILED);
	}
	return memory;
}

void br_table_row(struct br_table *table, const char *const *cells)
{
	size_t bytes = (table->rows + 1) * sizeof(*table->cells);

	table->cells = br_table_need(realloc(table->cells, bytes));
	table->cells[table->rows] = br_table_need(calloc(table->columns, sizeof(char *)));
	for (size_t c = 0; c < table->columns; c++)
		table->cells[table->rows][c] = br_table_need(strdup(cells[c] ? cells[c] : ""));
	table->rows++;
}

void br_table_begin(struct br_table *table, const char *heads)
{
	char *copy = br_table_need(strdup(heads)), *save = NULL;
	const char *cells[BR_TABLE_COLUMNS] = {0};

	memset(table, 0, sizeof(*table));
	for (char *head = strtok_r(copy, "|", &save); head && table->columns < BR_TABLE_COLUMNS;
	     head = strtok_r(NULL, "|", &save)) {
		table->right[table->columns] = *head == '>';
		cells[table->columns++] = *head == '>' ? head + 1 : head;
	}
	br_table_row(table, cells);
	free(copy);
}

static void br_table_print_row(const struct br_table *table, size_t row, const int *widths)
{
	for (size_t c = 0; c < table->columns; c++) {
		bool last = c + 1 == table->columns;
		const char *cell = table->cells[row][c];

		if (table->right[c])
			printf("%*s", widths[c], cell);
		else
			printf("%-*s", last ? 0 : widths[c], cell);
		fputs(last ? "\n" : "  ", stdout);
	}
}

void br_table_end(struct br_table *table)
{
	int widths[BR_TABLE_COLUMNS] = {0};

	for (size_t r = 0; r < table->rows; r++)
		for (size_t c = 0; c < table->columns; c++)
			if (widths[c] < (int)strlen(table->cells[r][c]))
				widths[c] = (int)strlen(table->cells[r][c]);
	for (size_t r = 0; r < table->rows; r++) {
		br_table_print_row(table, r, widths);
		for (size_t c = 0; c < table->columns; c++)
			free(table->cells[r][c]);
		free(table->cells[r]);
	}
	free(table->cells);
	memset(table, 0, sizeof(*table));
}
