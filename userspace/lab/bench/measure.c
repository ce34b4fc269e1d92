// SPDX-License-Identifier: BSD-2-Clause
/* Runs and medians. The relay and the bare operation take turns, so that noise hits both. */
#include "bench.h"

#include <errno.h>

#include "lane.h"
#include "stats.h"

#define BR_MEASURE_COPIES 400000u /* of one run */

struct br_measure {
	const struct br_bench_case *spec;
	struct br_lane *lane;
	struct br_bench_result *result;
	/* one value per run */
	double relay[BR_BENCH_RUNS_MAX], bare[BR_BENCH_RUNS_MAX], ratio[BR_BENCH_RUNS_MAX];
	double scaling[BR_BENCH_RUNS_MAX];
};

/* One run of one variant: ns per copy that arrived. */
static int br_measure_once(struct br_measure *measure, uint32_t copies, uint32_t cpus, bool counts,
			   double *ns_per_copy, struct br_error *error)
{
	uint32_t packets = BR_MEASURE_COPIES / copies / cpus;
	struct br_traffic_sum sum;
	uint64_t refused;
	int err;

	/* warm-up: caches, learned SSRCs, pages */
	err = br_lane_run(measure->lane, packets / 4 + 1, cpus, &sum, error);
	refused = br_lane_refused(measure->lane);
	if (!err)
		err = br_lane_run(measure->lane, packets, cpus, &sum, error);
	if (err)
		return err;
	if (sum.ns_per_copy <= 0)
		return br_error_set(error, -EIO, NULL, "no copy arrived");
	*ns_per_copy = sum.ns_per_copy;
	if (!counts)
		return 0;
	refused = br_lane_refused(measure->lane) - refused;
	measure->result->refused += refused;
	measure->result->lost += (sum.sent - refused) * copies - sum.arrived;
	return 0;
}

/* All variants, one after the other. */
static int br_measure_turn(struct br_measure *measure, unsigned int run, struct br_error *error)
{
	const struct br_bench_case *spec = measure->spec;
	double one_cpu = 0;
	int err = br_lane_bare(measure->lane, error);

	if (!err)
		err = br_measure_once(measure, br_lane_bare_copies(spec), spec->cpus, false,
				      &measure->bare[run], error);
	if (!err)
		err = br_lane_relay(measure->lane, error);
	if (!err)
		err = br_measure_once(measure, spec->receivers, spec->cpus, true,
				      &measure->relay[run], error);
	if (!err && spec->cpus > 1)
		err = br_measure_once(measure, spec->receivers, 1, false, &one_cpu, error);
	if (err)
		return err;
	measure->ratio[run] = measure->relay[run] / measure->bare[run];
	measure->scaling[run] = one_cpu / measure->relay[run];
	return 0;
}

int br_bench_measure(const struct br_bench_case *spec, unsigned int runs,
		     struct br_bench_result *result, struct br_error *error)
{
	struct br_measure measure = {.spec = spec, .result = result};
	int err = br_lane_open(spec, &measure.lane, error);

	*result = (struct br_bench_result){.runs = runs};
	for (unsigned int run = 0; run < runs && !err; run++)
		err = br_measure_turn(&measure, run, error);
	br_lane_close(measure.lane);
	if (err)
		return err;
	result->ns_per_copy = br_stats_median(measure.relay, runs);
	result->limit_ns = br_stats_median(measure.bare, runs);
	result->ratio = br_stats_median(measure.ratio, runs);
	result->scaling = br_stats_median(measure.scaling, runs);
	result->packets_per_s = 1e9 / result->ns_per_copy;
	return 0;
}
