/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Counting: by reason, by leg, by stream; each CPU its own, so nothing is locked. */
#ifndef BR_COUNT_BPF_H
#define BR_COUNT_BPF_H

#include "maps.bpf.h"

static __always_inline struct br_cpu *br_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

static __always_inline void br_count(struct br_cpu *cpu, __u32 reason, __u64 bytes)
{
	struct br_counter *counter = &cpu->reasons[reason & (BR_REASON_SLOTS - 1)];

	counter->packets++;
	counter->bytes += bytes;
}

static __always_inline void br_count_leg_rx(__u32 leg, __u64 bytes, __u32 reason, __u64 now_ns)
{
	struct br_leg_counters *counters = bpf_map_lookup_elem(&leg_counters, &leg);

	if (!counters)
		return;
	if (reason) {
		counters->rx_dropped++;
		return;
	}
	counters->rx.packets++;
	counters->rx.bytes += bytes;
	counters->last_seen_ns = now_ns;
}

static __always_inline void br_count_leg_tx(__u32 leg, __u64 bytes, __u32 reason)
{
	struct br_leg_counters *counters = bpf_map_lookup_elem(&leg_counters, &leg);

	if (!counters)
		return;
	if (reason) {
		counters->tx_dropped++;
		return;
	}
	counters->tx.packets++;
	counters->tx.bytes += bytes;
}

static __always_inline void br_count_stream(__u32 slot, __u64 bytes, __u64 now_ns)
{
	struct br_stream_counters *counters = bpf_map_lookup_elem(&stream_counters, &slot);

	if (!counters)
		return;
	counters->rx.packets++;
	counters->rx.bytes += bytes;
	counters->last_seen_ns = now_ns;
}

#endif
