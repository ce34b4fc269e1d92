// SPDX-License-Identifier: BSD-2-Clause
/* Runs and medians. The relay and the bare operation take turns, so that noise hits both. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>

#define BR_BENCH_COPIES 400000u /* of one run */

static int br_compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double br_median(double *values, unsigned int count)
{
	qsort(values, count, sizeof(*values), br_compare_doubles);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* One run of one variant: ns per copy that arrived. */
static int br_bench_once(struct br_bench_lane *lane, uint32_t copies, double *ns_per_copy,
			 struct br_bench_result *sum, struct br_error *error)
{
	uint32_t packets = BR_BENCH_COPIES / copies;
	uint64_t ns, setup_ns, arrived, refused;
	int err;

	/* warm-up: caches, learned SSRCs, pages */
	err = br_bench_lane_run(lane, packets / 4 + 1, &ns, &arrived, error);
	/* some 20 ms of every call go into setting live frames up: that is no copy's cost */
	if (!err)
		err = br_bench_lane_run(lane, 1, &setup_ns, &arrived, error);
	refused = br_bench_lane_refused(lane);
	if (!err)
		err = br_bench_lane_run(lane, packets, &ns, &arrived, error);
	if (err)
		return err;
	if (!arrived)
		return br_error_set(error, -EIO, NULL, "no copy arrived");
	*ns_per_copy = (double)(ns > setup_ns ? ns - setup_ns : ns) / (double)arrived;
	refused = br_bench_lane_refused(lane) - refused;
	sum->refused += refused;
	sum->lost += (packets - refused) * copies - arrived;
	return 0;
}

int br_bench_measure(const struct br_bench_case *spec, unsigned int runs,
		     struct br_bench_result *result, struct br_error *error)
{
	double relay[BR_BENCH_RUNS_MAX], bare[BR_BENCH_RUNS_MAX], ratio[BR_BENCH_RUNS_MAX];
	struct br_bench_lane *lane = NULL;
	struct br_bench_result bare_sum = {0};
	int err = br_bench_lane_open(spec, &lane, error);

	*result = (struct br_bench_result){.runs = runs};
	for (unsigned int i = 0; i < runs && !err; i++) {
		err = br_bench_lane_bare(lane, error);
		if (!err)
			err = br_bench_once(lane, br_bench_bare_copies(spec), &bare[i], &bare_sum,
					    error);
		if (!err)
			err = br_bench_lane_relay(lane, error);
		if (!err)
			err = br_bench_once(lane, spec->receivers, &relay[i], result, error);
		if (!err)
			ratio[i] = relay[i] / bare[i];
	}
	br_bench_lane_close(lane);
	if (err)
		return err;
	result->ns_per_copy = br_median(relay, runs);
	result->limit_ns = br_median(bare, runs);
	result->ratio = br_median(ratio, runs);
	result->packets_per_s = 1e9 / result->ns_per_copy;
	return 0;
}
