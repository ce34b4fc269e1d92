/* SPDX-License-Identifier: BSD-2-Clause */
/* Benchmarks of the packet path: live frames over a veth pair, in a network namespace of their own.
 */
#ifndef BR_BENCH_H
#define BR_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/error.h"
#include "plane/plane.h"

#define BR_BENCH_RUNS_MAX 31

/* One line of the table. */
struct br_bench_case {
	const char *name;
	uint8_t from;	    /* family of the publishers: 4 or 6 */
	uint8_t to;	    /* family of the receivers */
	bool generic;	    /* XDP mode */
	uint32_t bytes;	    /* of the UDP payload */
	uint32_t receivers; /* per room */
	uint32_t rooms;
	bool quick; /* part of BENCH=quick */
};

/* What was measured: medians over the runs; packets are copies that arrived. */
struct br_bench_result {
	double ns_per_copy;
	double limit_ns; /* the bare operation, measured in turns with it */
	double ratio;	 /* median of the ratios of neighbouring runs */
	double packets_per_s;
	uint64_t lost;	  /* copies of packets sent and not refused, over all runs; the generator
			   * never pauses, so a full input ring counts here too */
	uint64_t refused; /* packets refused as overload, over all runs */
	unsigned int runs;
};

struct br_bench_lane;

/**
 * br_bench_lane_open - veth pair, generator and sink for one case
 *
 * Must run in a network namespace made for it. Return: 0 or negative errno with @error.
 */
int br_bench_lane_open(const struct br_bench_case *spec, struct br_bench_lane **lane,
		       struct br_error *error);
void br_bench_lane_close(struct br_bench_lane *lane);
/** br_bench_lane_relay - put the relay on the lane, with rooms and legs as the case says */
int br_bench_lane_relay(struct br_bench_lane *lane, struct br_error *error);
/** br_bench_lane_bare - put the bare operation on the lane instead */
int br_bench_lane_bare(struct br_bench_lane *lane, struct br_error *error);
/**
 * br_bench_lane_run - send live frames
 * @packets: how many
 * @ns: set to the time it took
 * @arrived: set to the copies that reached the sink
 */
int br_bench_lane_run(struct br_bench_lane *lane, uint32_t packets, uint64_t *ns, uint64_t *arrived,
		      struct br_error *error);
/** br_bench_lane_refused - packets that the relay has refused as overload since it was put there */
uint64_t br_bench_lane_refused(const struct br_bench_lane *lane);
/** br_bench_lane_copies - copies that one packet should become on the bare lane */
uint32_t br_bench_bare_copies(const struct br_bench_case *spec);

/** br_bench_headers - first bytes of the packet that publisher @sender sends; 80 bytes */
void br_bench_headers(const struct br_bench_case *spec, uint32_t sender,
		      const uint8_t mac[static 6], uint8_t out[static 80]);
/** br_bench_endpoint - address and port of a publisher or receiver by number */
struct br_endpoint br_bench_endpoint(uint8_t family, bool publisher, uint32_t number);

/** br_bench_measure - run a case @runs times, relay and bare operation in turns */
int br_bench_measure(const struct br_bench_case *spec, unsigned int runs,
		     struct br_bench_result *result, struct br_error *error);

void br_bench_print_head(FILE *out);
void br_bench_print(FILE *out, const struct br_bench_case *spec,
		    const struct br_bench_result *result);
/** br_bench_save - write build/bench/latest.json (layout: see README); 0 or negative errno */
int br_bench_save(const char *path, const struct br_bench_case *const *specs,
		  const struct br_bench_result *results, size_t count);

/** br_bench_command - run a program and wait; its exit status, or -1 */
int br_bench_command(const char *const argv[]);

#endif
