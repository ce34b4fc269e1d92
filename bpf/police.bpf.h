/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * How much may come: from a leg, from one stranger, from all strangers.
 *
 * Buckets by virtual scheduling (GCRA, ITU-T I.371): a bucket is the time at which it will be
 * full again, a packet costs time, and one that would have to wait longer than br_burst_ns is
 * refused. What is refused costs nothing.
 *
 * The clock is the coarse one: a few nanoseconds instead of a read of the clock source. It
 * stands still for up to a tick (4 ms at 250 Hz), so a burst is cut by at most a tick; the rate
 * over longer times is exact, for costs add up without rounding.
 */
#ifndef BR_POLICE_BPF_H
#define BR_POLICE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "parse.bpf.h"

#define BR_KIBIBYTE_SHIFT 10

/*
 * Take @cost out of a bucket that CPUs share. Two that take at once both pay in full; one
 * that is refused in the moment before it has got its payment back may cost another a packet.
 */
static __always_inline int br_bucket_take(__u64 *due_ns, __u64 cost, __u64 now)
{
	__u64 due = *(volatile __u64 *)due_ns;
	__u64 latest = now + br_burst_ns;

	if (due > latest)
		return 0;
	if (due < now)
		__sync_val_compare_and_swap(due_ns, due, now); /* lost: another CPU did it */
	if (__sync_fetch_and_add(due_ns, cost) <= latest)
		return 1;
	__sync_fetch_and_add(due_ns, -cost);
	return 0;
}

/* Pay for a packet of a leg that has a rate. Not inlined: most legs have none. */
static __noinline int br_police_pay(__u32 index, __u64 packet_ns, __u64 kibibyte_ns, __u64 length,
				    __u64 now)
{
	struct br_leg_state *state = bpf_map_lookup_elem(&leg_states, &index);

	if (!state)
		return BR_RATE;
	if (packet_ns && !br_bucket_take(&state->packets_due_ns, packet_ns, now))
		return BR_RATE;
	if (!kibibyte_ns ||
	    br_bucket_take(&state->bytes_due_ns, kibibyte_ns * length >> BR_KIBIBYTE_SHIFT, now))
		return 0;
	if (packet_ns)
		__sync_fetch_and_add(&state->packets_due_ns, -packet_ns);
	return BR_RATE;
}

/**
 * br_police_leg - does a packet keep within the rates of its leg?
 * @packet: its length and time count
 *
 * A leg without rates costs one comparison in a cache line that is there already.
 *
 * Return: 0, or BR_RATE.
 */
static __always_inline int br_police_leg(const struct br_leg *leg, __u32 index,
					 const struct br_packet *packet)
{
	if (!(leg->packet_ns | leg->kibibyte_ns))
		return 0;
	return br_police_pay(index, leg->packet_ns, leg->kibibyte_ns, packet->ip_length,
			     packet->now_ns);
}

/* Whom a budget belongs to: an IPv4 address, or the /64 that one IPv6 host can choose from. */
static __always_inline void br_stranger_key(const struct br_packet *packet, __be32 key[4])
{
	key[0] = packet->tuple.remote[0];
	key[1] = packet->tuple.remote[1];
	key[2] = 0;
	key[3] = 0;
	if (packet->ip_header == sizeof(struct iphdr)) {
		key[2] = packet->tuple.remote[2];
		key[3] = packet->tuple.remote[3];
	}
}

/* The budget of one source. Two CPUs that see it first at once let one packet pass unpaid. */
static __always_inline int br_police_source(const struct br_packet *packet, __u64 now)
{
	__u64 first = now + br_stranger_ns;
	__u64 *due;
	__be32 key[4];

	if (!br_stranger_ns)
		return 0;
	br_stranger_key(packet, key);
	due = bpf_map_lookup_elem(&strangers, key);
	if (due)
		return br_bucket_take(due, br_stranger_ns, now) ? 0 : BR_STRANGER_RATE;
	/* -ENOMEM (no entry can be evicted now): the budget of the CPU still counts */
	bpf_map_update_elem(&strangers, key, &first, BPF_NOEXIST);
	return 0;
}

/**
 * br_police_stranger - may somebody who is no leg send this to the daemon?
 *
 * The budget of the CPU is looked at first, so that a flood from many sources does not even
 * push the others out of the table; it is paid last, by packets that pass.
 *
 * Return: 0, or BR_STRANGER_RATE.
 */
static __noinline int br_police_stranger(struct br_cpu *cpu, const struct br_packet *packet)
{
	__u64 now, due;
	int reason;

	if (!cpu || !packet)
		return BR_STRANGER_RATE;
	now = packet->now_ns;
	due = cpu->strangers_due_ns;
	if (br_strangers_ns && due > now + br_burst_ns)
		return BR_STRANGER_RATE;
	reason = br_police_source(packet, now);
	if (!reason && br_strangers_ns)
		cpu->strangers_due_ns = (due < now ? now : due) + br_strangers_ns;
	return reason;
}

#endif
