/* SPDX-License-Identifier: BSD-2-Clause */
/* Benchmarks of the packet path, in network namespaces of their own: cases and results. */
#ifndef BR_BENCH_H
#define BR_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

#define BR_BENCH_RUNS_MAX 31
#define BR_BENCH_PORT	  40000
#define BR_BENCH_CPUS_MAX 2u /* that one case uses */

/* What the relay is compared with. */
enum br_bench_bare {
	BR_BARE_CLONE,	  /* the same number of clones, without stamp; 1: see below */
	BR_BARE_REDIRECT, /* bpf_redirect_map of the one packet */
	BR_BARE_TX,	  /* XDP_TX, back out of the same interface */
};

/* One line of the table. */
struct br_bench_case {
	const char *name;
	uint8_t from;	    /* family of the publishers: 4 or 6 */
	uint8_t to;	    /* family of the receivers */
	bool generic;	    /* XDP mode */
	uint32_t bytes;	    /* of the UDP payload */
	uint32_t receivers; /* per room */
	uint32_t rooms;
	enum br_bench_bare bare;
	bool other;    /* receivers are behind another interface than publishers */
	uint32_t cpus; /* that send; each has publishers of its own, in the same rooms */
	bool quick;    /* part of BENCH=quick */
};

/* What was measured: medians over the runs; packets are copies that arrived. */
struct br_bench_result {
	double ns_per_copy; /* of wall time, on all CPUs of the case together */
	double limit_ns;    /* the bare operation, measured in turns with it */
	double ratio;	    /* median of the ratios of neighbouring runs */
	double packets_per_s;
	double scaling;	  /* packets/s of all CPUs ÷ those of one; 0: the case has one CPU */
	uint64_t lost;	  /* copies of packets sent and not refused, over all runs; the generator
			   * never pauses, so a full input ring counts here too */
	uint64_t refused; /* packets refused as overload, over all runs */
	unsigned int runs;
};

/** br_bench_cases - the table of cases; @count is set */
const struct br_bench_case *br_bench_cases(size_t *count);
/** br_bench_case_find - by name; NULL when there is none */
const struct br_bench_case *br_bench_case_find(const char *name);
/** br_bench_family - "v4", "v6", "v4-v6" (publishers, receivers) or "v6-v4" */
const char *br_bench_family(const struct br_bench_case *spec);
/** br_bench_publishers - senders of a case: one per room and CPU */
uint32_t br_bench_publishers(const struct br_bench_case *spec);

/** br_bench_measure - run a case @runs times, relay and bare operation in turns */
int br_bench_measure(const struct br_bench_case *spec, unsigned int runs,
		     struct br_bench_result *result, struct br_error *error);

#endif
