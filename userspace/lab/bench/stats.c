// SPDX-License-Identifier: BSD-2-Clause
#include "stats.h"

#include <stdlib.h>
#include <string.h>

static int br_stats_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void br_stats_sort(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), br_stats_compare);
}

double br_stats_quantile(const double *sorted, size_t count, double part)
{
	double place = part * (double)(count - 1);
	size_t below = (size_t)place;

	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

double br_stats_median(double *values, size_t count)
{
	br_stats_sort(values, count);
	return br_stats_quantile(values, count, 0.5);
}

void br_stats_histogram(const double *values, size_t count, double from, double to,
			size_t *histogram, size_t bins)
{
	memset(histogram, 0, bins * sizeof(*histogram));
	for (size_t i = 0; i < count; i++) {
		double place = (values[i] - from) / (to - from) * (double)bins;

		if (place < 0)
			place = 0;
		if (place >= (double)bins)
			place = (double)bins - 1;
		histogram[(size_t)place]++;
	}
}
