/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference model: what the three programs shall do, written from DESIGN section 4 and
 * the RFCs by plain offsets and modular arithmetic, sharing no code with bpf/.
 */
#ifndef TEST_BPF_MODEL_H
#define TEST_BPF_MODEL_H

#include "tables.h"

/* In last_seen_ns of predicted counters: the time of the run. */
#define MODEL_NOW (~1ULL)

struct outcome {
	uint32_t verdict; /* XDP_* */
	uint32_t reason;  /* enum br_reason */
	bool bytes_known; /* a dropped copy may be left half-written */
	uint8_t bytes[PACKET_MAX + 64];
	size_t length;
	bool event_sent;
	struct br_event event;
};

/**
 * model_run - predict one run
 * @tables: state; streams, free slots and learned counts change as the kernel's do
 * @counters: change as the kernel's do, with MODEL_NOW for the time
 * @now_ns: CLOCK_MONOTONIC
 *
 * As if there were always room in front of the packet.
 */
void model_run(struct tables *tables, struct counters *counters, uint64_t now_ns,
	       enum program program, const uint8_t *in, size_t length, struct outcome *out);

#endif
