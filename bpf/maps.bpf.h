/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Every map, with the side that writes it. Sizes given here as 1 are set before loading. */
#ifndef BR_MAPS_BPF_H
#define BR_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include <blindrelay/abi.h>
#include <blindrelay/reasons.h>

/* Settings, fixed at load time. */
const volatile __be16 br_media_port;   /* UDP port of every leg's local end */
const volatile __u16 br_ticket_mark;   /* random, so that no foreign frame passes for a ticket */
const volatile __u32 br_stream_routes; /* index in routes of stream slot 0 */
const volatile __u32 br_turn_back;     /* bit per egress slot: XDP_TX can be relied on there */
const volatile __u64 br_burst_ns;      /* a bucket may be this far from full; see police.bpf.h */
const volatile __u64 br_stranger_ns;   /* what a packet costs one stranger; 0: no limit */
const volatile __u64 br_strangers_ns;  /* and all of them together, per CPU; 0: no limit */

/* Daemon: five-tuple to leg. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct br_tuple);
	__type(value, __u32);
} tuples SEC(".maps");

/* Daemon: our addresses, of the media interfaces and of legs. Elsewhere we are only a guest. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __be32[4]);
	__type(value, __u32);
} locals SEC(".maps");

/* Daemon, mapped into its memory: the tables of the packet path. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_leg);
} legs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64); /* struct br_route, read whole */
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_edge);
} edges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_next_hop);
} next_hops SEC(".maps");

/* Both: (leg, SSRC) to stream slot. The kernel learns new ones. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct br_stream_key);
	__type(value, __u32);
} streams SEC(".maps");

/* Both: stream slots that are free. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_streams SEC(".maps");

/* Both: per leg, shared by all CPUs; mapped, so that the daemon can learn and count as the
 * kernel does. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_leg_state);
} leg_states SEC(".maps");

/* Kernel: per source of STUN and DTLS that is no leg (see br_stranger_key), when its bucket is
 * full. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __be32[4]);
	__type(value, __u64);
} strangers SEC(".maps");

/* Kernel: counters. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_leg_counters);
} leg_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_stream_counters);
} stream_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_cpu);
} cpus SEC(".maps");

/* Daemon, mapped: what it forwarded itself. Here so that the counters outlive it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_leg_counters);
} slow_legs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_stream_counters);
} slow_streams SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_slow_totals);
} slow_totals SEC(".maps");

/* Kernel to daemon: struct br_event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* Kernel to daemon, while a capture runs: struct br_captured and the frame; one ring per CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} captured SEC(".maps");

/* Kernel: what is to be said of the packet that the relay works on; see capture.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct br_captured);
} capturing SEC(".maps");

/*
 * Daemon: copiers. A device map lists one interface N times; a broadcast redirect into it
 * makes N copies, each passing `stamp`. Index: BR_REPLICATOR(egress, copies, false, loop).
 */
struct br_replicator {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, BR_REPLICATORS);
	__type(key, __u32);
	__array(values, struct br_replicator);
} replicators SEC(".maps");

#endif
