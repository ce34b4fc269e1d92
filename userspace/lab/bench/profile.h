/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the time goes: what each program took, by the kernel's own statistics. */
#ifndef BR_BENCH_PROFILE_H
#define BR_BENCH_PROFILE_H

#include "bench.h"

#define BR_PROFILES_MAX	 4
#define BR_PROFILE_PARTS 8

struct br_profile_part {
	char name[16]; /* of the program */
	double runs;   /* per copy */
	double ns;     /* per copy */
};

struct br_profile_result {
	const struct br_bench_case *spec;
	double ns_per_copy;   /* without statistics */
	double statistics_ns; /* that each copy took longer with them */
	struct br_profile_part parts[BR_PROFILE_PARTS];
	size_t count;
};

/** br_profile_measure - run a case once with kernel.bpf_stats_enabled; 0 or negative errno */
int br_profile_measure(const struct br_bench_case *spec, struct br_profile_result *result,
		       struct br_error *error);

#endif
