/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BR_BENCH_TRAFFIC_PRIVATE_H
#define BR_BENCH_TRAFFIC_PRIVATE_H

#include "traffic.h"

#define BR_TRAFFIC_SINKS 2

struct bpf_program;

struct br_traffic {
	struct br_traffic_options options;
	struct bench_bpf *bpf;
	int sinks[BR_TRAFFIC_SINKS]; /* links; -1: not attached */
	int cpus;		     /* possible ones */
	struct br_bench_cpu *each;   /* one per possible CPU */
};

/** br_traffic_attach - a program to an interface; descriptor of the link or negative errno */
int br_traffic_attach(const struct bpf_program *program, uint32_t ifindex, bool generic);

#endif
