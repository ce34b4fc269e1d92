/* SPDX-License-Identifier: BSD-2-Clause */
/* Medians and distributions. No I/O. */
#ifndef BR_BENCH_STATS_H
#define BR_BENCH_STATS_H

#include <stddef.h>

/** br_stats_sort - into ascending order, in place */
void br_stats_sort(double *values, size_t count);
/**
 * br_stats_quantile - the value below which a part of the values lies, interpolated
 * @sorted: ascending, @count of them, at least 1
 * @part: 0 (least) to 1 (greatest)
 */
double br_stats_quantile(const double *sorted, size_t count, double part);
/** br_stats_median - of values in any order, at least 1; they are sorted in place */
double br_stats_median(double *values, size_t count);
/**
 * br_stats_histogram - how many values fall into each of @bins equal ranges from @from to @to
 *
 * Values outside count in the first or last bin.
 */
void br_stats_histogram(const double *values, size_t count, double from, double to,
			size_t *histogram, size_t bins);

#endif
