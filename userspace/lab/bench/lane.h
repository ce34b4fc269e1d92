/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lane: generator -> veth -> relay or bare operation -> a veth -> sink.
 *
 * Both variants get the same live frames over the same devices, so their difference is the
 * relay's own work: parsing, admission, ticket, stamp, counters.
 */
#ifndef BR_BENCH_LANE_H
#define BR_BENCH_LANE_H

#include "bench.h"
#include "traffic.h"

struct br_lane;

/** br_lane_open - veth pairs, generator and sinks for one case; 0 or negative errno */
int br_lane_open(const struct br_bench_case *spec, struct br_lane **lane, struct br_error *error);
void br_lane_close(struct br_lane *lane);
/** br_lane_relay - put the relay on the lane, with rooms and legs as the case says */
int br_lane_relay(struct br_lane *lane, struct br_error *error);
/** br_lane_bare - put the bare operation on the lane instead */
int br_lane_bare(struct br_lane *lane, struct br_error *error);
/** br_lane_run - send @packets per CPU on @cpus CPUs, as fast as the rings allow */
int br_lane_run(struct br_lane *lane, uint32_t packets, uint32_t cpus, struct br_traffic_sum *sum,
		struct br_error *error);
/** br_lane_refused - packets that the relay has refused as overload since it was put there */
uint64_t br_lane_refused(const struct br_lane *lane);
/** br_lane_bare_copies - copies that one packet becomes on the bare lane */
uint32_t br_lane_bare_copies(const struct br_bench_case *spec);

#endif
