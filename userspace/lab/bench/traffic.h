/* SPDX-License-Identifier: BSD-2-Clause */
/* Live frames: a generator in XDP sends them, a sink in XDP or tc counts what arrives. */
#ifndef BR_BENCH_TRAFFIC_H
#define BR_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <blindrelay/bench.h>

#include "bench.h"

struct bench_bpf;
struct br_traffic;

struct br_traffic_options {
	uint32_t wire;	  /* interface that frames leave by; ifindex */
	uint32_t senders; /* headers that take turns */
	uint32_t clones;  /* copies that the bare operation makes */
	uint32_t length;  /* of a frame, bytes */
};

/* One run. */
struct br_traffic_run {
	uint32_t frames; /* per CPU */
	uint32_t cpus;	 /* that send, from the benchmark's own one on; senders are split evenly */
	uint32_t batch;	 /* frames that are sent without a pause */
	uint32_t gap_ns; /* between two frames; 0: as fast as it goes */
	unsigned int quiet_ms; /* nothing has come for so long: that was all; 0: 3 ms */
};

struct br_traffic_sum {
	uint64_t sent;
	uint64_t arrived;
	double ns_per_copy; /* wall time ÷ copies that arrived, without set-up; 0: none arrived */
	double seconds;	    /* from the first frame sent to the last copy seen */
};

/** br_traffic_open - load the programs; 0 or negative errno with @error */
int br_traffic_open(const struct br_traffic_options *options, struct br_traffic **traffic,
		    struct br_error *error);
void br_traffic_close(struct br_traffic *traffic);
/** br_traffic_programs - the loaded programs and maps */
struct bench_bpf *br_traffic_programs(struct br_traffic *traffic);
/** br_traffic_header - first bytes of the frames of one sender */
int br_traffic_header(struct br_traffic *traffic, uint32_t sender,
		      const uint8_t bytes[static BR_BENCH_HEADERS]);
/** br_traffic_set_length - of the frames to come, bytes */
void br_traffic_set_length(struct br_traffic *traffic, uint32_t length);
/** br_traffic_sink - count what arrives at an interface, in native XDP; at most two of them */
int br_traffic_sink(struct br_traffic *traffic, uint32_t ifindex, struct br_error *error);
/** br_traffic_sink_packets - the same in tc, for packets that come from sockets */
int br_traffic_sink_packets(struct br_traffic *traffic, uint32_t ifindex, struct br_error *error);
/** br_traffic_send - send, wait until nothing more arrives, and count */
int br_traffic_send(struct br_traffic *traffic, const struct br_traffic_run *run,
		    struct br_traffic_sum *sum, struct br_error *error);

/** br_traffic_begin - take the CPU we are on as our own one; 0 or negative errno */
int br_traffic_begin(void);
/** br_traffic_cpu - the benchmark's own CPU (0), the next one that we may use (1), ... or -1 */
int br_traffic_cpu(unsigned int number);

#endif
