// SPDX-License-Identifier: BSD-2-Clause
/* Legs: the five-tuples the kernel knows, their next hops and their counters. */
#include "plane/plane_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "lib/log.h"
#include "relay.skel.h"

/* Ones' complement sum of 16-bit words (RFC 1071), as the stamp adds them. */
static uint16_t br_leg_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static struct br_tuple br_leg_tuple(const struct br_plane *plane, const struct br_plane_leg *leg)
{
	struct br_tuple tuple = {
		.remote_port = leg->spec.remote.port,
		.local_port = htons(plane->options.media_port),
	};
	const struct br_addr *local = leg->spec.local.family ? &leg->spec.local : &leg->hop.local;

	memcpy(tuple.remote, leg->spec.remote.addr.words, sizeof(tuple.remote));
	memcpy(tuple.local, local->words, sizeof(tuple.local));
	return tuple;
}

static uint8_t br_leg_flags(const struct br_plane_leg *leg)
{
	const struct br_leg_spec *spec = &leg->spec;

	return (uint8_t)((spec->publish ? BR_LEG_PUBLISH : 0) |
			 (spec->fixed_ssrcs ? BR_LEG_FIXED_SSRCS : 0) |
			 (spec->local.family ? BR_LEG_FIXED_LOCAL : 0) |
			 (leg->named ? BR_LEG_NAMED_HOP : 0) |
			 (spec->terms.feedback_up ? BR_LEG_FEEDBACK_UP : 0) |
			 (leg->captures ? BR_LEG_CAPTURE : 0));
}

/* Each by one store: a packet sees the old value or the new one. The end comes last. */
static void br_leg_write_terms(struct br_leg *out, const struct br_plane_leg *leg)
{
	const struct br_leg_terms *terms = &leg->spec.terms;

	__atomic_store_n(&out->packet_ns, br_plane_cost_ns(BR_SECOND_NS, terms->max_packets_per_s),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&out->kibibyte_ns,
			 br_plane_cost_ns(1024 * 8 * BR_SECOND_NS, terms->max_bits_per_s),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&out->flags, br_leg_flags(leg), __ATOMIC_RELAXED);
	__atomic_store_n(&out->expires_ns, terms->expires_ns ? terms->expires_ns : BR_NEVER,
			 __ATOMIC_RELEASE);
}

/* What the stamp needs to know; alive only once everything else is written. */
static void br_leg_write(struct br_plane *plane, uint32_t index)
{
	const struct br_plane_leg *leg = &plane->legs[index];
	struct br_leg *out = &plane->leg_table[index];
	struct br_tuple tuple = br_leg_tuple(plane, leg);
	int from = leg->spec.remote.addr.family == 4 ? 3 : 0;
	uint64_t sum = 0;

	__atomic_store_n(&out->expires_ns, 0, __ATOMIC_RELEASE);
	for (int i = from; i < 4; i++)
		sum += (uint64_t)tuple.remote[i] + tuple.local[i];
	out->tuple = tuple;
	out->family = leg->spec.remote.addr.family;
	out->addr_sum = br_leg_fold(sum);
	out->tuple_sum = br_leg_fold(sum + tuple.remote_port + tuple.local_port);
	out->ssrc_limit = leg->spec.ssrc_limit;
	out->next_hop = leg->hop.index;
	br_leg_write_terms(out, leg);
}

/* The opposite of br_plane_cost_ns. */
static uint64_t br_leg_rate(uint64_t second_ns, uint32_t cost_ns)
{
	return cost_ns ? second_ns / cost_ns : 0;
}

/* What br_leg_write has written, read back; rates as far as they can be told from their costs. */
static struct br_leg_spec br_leg_read(const struct br_leg *in)
{
	struct br_leg_spec spec = {
		.remote = {.addr = {.family = in->family}, .port = in->tuple.remote_port},
		.publish = in->flags & BR_LEG_PUBLISH,
		.fixed_ssrcs = in->flags & BR_LEG_FIXED_SSRCS,
		.ssrc_limit = in->ssrc_limit,
		.terms =
			{
				.max_packets_per_s =
					(uint32_t)br_leg_rate(BR_SECOND_NS, in->packet_ns),
				.max_bits_per_s = (uint32_t)br_leg_rate(1024 * 8 * BR_SECOND_NS,
									in->kibibyte_ns),
				.expires_ns = in->expires_ns == BR_NEVER ? 0 : in->expires_ns,
				.feedback_up = in->flags & BR_LEG_FEEDBACK_UP,
			},
	};

	memcpy(spec.remote.addr.words, in->tuple.remote, sizeof(in->tuple.remote));
	if (in->flags & BR_LEG_FIXED_LOCAL) {
		spec.local.family = in->family;
		memcpy(spec.local.words, in->tuple.local, sizeof(in->tuple.local));
	}
	return spec;
}

static int br_leg_register(struct br_plane *plane, uint32_t index, struct br_error *error)
{
	const struct br_tuple *tuple = &plane->leg_table[index].tuple;
	int err;

	if (bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.tuples), tuple, &index, BPF_NOEXIST)) {
		if (errno == EEXIST)
			return br_error_set(error, -EEXIST, "address",
					    "this address and port is taken by another leg");
		return br_error_set(error, -ENOSPC, NULL, "no room for another leg: %s",
				    strerror(errno));
	}
	err = br_plane_local_get(plane, tuple->local);
	if (err) {
		bpf_map_delete_elem(bpf_map__fd(plane->bpf->maps.tuples), tuple);
		return br_error_set(error, err, NULL, "no room for another local address");
	}
	return 0;
}

static void br_leg_unregister(struct br_plane *plane, const struct br_tuple *tuple)
{
	bpf_map_delete_elem(bpf_map__fd(plane->bpf->maps.tuples), tuple);
	br_plane_local_put(plane, tuple->local);
}

static int br_leg_clear_counters(const struct br_plane *plane, uint32_t index)
{
	struct br_leg_counters *zero = calloc((size_t)plane->cpus, sizeof(*zero));
	int err = 0;

	if (!zero)
		return -ENOMEM;
	/* 56 bytes, a multiple of 8: the kernel wants no further padding per CPU */
	if (bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.leg_counters), &index, zero, BPF_ANY))
		err = -errno;
	free(zero);
	memset(&plane->state_table[index], 0, sizeof(plane->state_table[index]));
	memset(&plane->slow_legs[index], 0, sizeof(plane->slow_legs[index]));
	return err;
}

int br_plane_leg_add(struct br_plane *plane, const struct br_leg_spec *spec, uint32_t *out,
		     struct br_error *error)
{
	struct br_plane_leg *leg;
	uint32_t index;
	int err;

	if (br_slots_take(plane->leg_slots, br_now_ns(), &index))
		return br_error_set(error, -ENOSPC, NULL,
				    "no room for another leg: the table is full (tables.legs: %u)",
				    plane->options.max_legs);
	leg = &plane->legs[index];
	*leg = (struct br_plane_leg){.spec = *spec, .streams = BR_NO_STREAM};
	err = br_leg_take_hop(plane, leg, error);
	if (err)
		goto rest;
	err = br_leg_clear_counters(plane, index);
	if (err) {
		br_error_set(error, err, NULL, "cannot clear the counters of a leg");
		goto put;
	}
	br_plane_route_drop(plane, index, false);
	br_leg_write(plane, index);
	err = br_leg_register(plane, index, error);
	if (err)
		goto put;
	leg->used = true;
	br_leg_index_add(plane, index);
	plane->leg_count++;
	br_plane_leg_join_hop(plane, index);
	br_plane_leg_wait(plane, index, leg->hop.waits);
	*out = index;
	return 0;
put:
	__atomic_store_n(&plane->leg_table[index].expires_ns, 0, __ATOMIC_RELEASE);
	br_leg_give_hop(plane, leg);
rest:
	br_slots_rest(plane->leg_slots, index, br_now_ns());
	return err;
}

void br_plane_leg_remove(struct br_plane *plane, uint32_t index)
{
	struct br_plane_leg *leg = &plane->legs[index];

	if (!leg->used)
		return;
	br_leg_unregister(plane, &plane->leg_table[index].tuple);
	br_plane_route_drop(plane, index, false);
	br_plane_streams_drop(plane, index);
	__atomic_store_n(&plane->leg_table[index].expires_ns, 0, __ATOMIC_RELEASE);
	br_plane_leg_wait(plane, index, false);
	br_plane_leg_leave_hop(plane, index);
	br_leg_give_hop(plane, leg);
	br_plane_adopted_hop_left(plane, index);
	br_leg_index_remove(plane, index);
	br_slots_rest(plane->leg_slots, index, br_now_ns());
	leg->used = false;
	plane->leg_count--;
}

void br_plane_leg_set_terms(struct br_plane *plane, uint32_t index,
			    const struct br_leg_terms *terms)
{
	struct br_plane_leg *leg = &plane->legs[index];

	if (!leg->used)
		return;
	leg->spec.terms = *terms;
	br_leg_write_terms(&plane->leg_table[index], leg);
}

int br_plane_leg_route(struct br_plane *plane, uint32_t leg, const uint32_t *receivers,
		       size_t count, struct br_error *error)
{
	return br_plane_route_lay(plane, leg, receivers, count, error);
}

/*
 * Use another next hop from now on. Where the addresses stay the same one store does it, so
 * that no copy is lost; otherwise the leg is written anew.
 */
void br_plane_leg_follow(struct br_plane *plane, uint32_t index,
			 const struct br_next_hop_info *info)
{
	struct br_plane_leg *leg = &plane->legs[index];
	struct br_tuple old = plane->leg_table[index].tuple;
	struct br_next_hop_info next = *info;
	struct br_error error = {0};
	bool readdressed;

	/* without a way there is no better interface or source than the last one */
	if (!next.index)
		next.egress = leg->hop.egress;
	if (!next.local.family)
		next.local = leg->hop.local;
	readdressed = !leg->spec.local.family && !br_addr_equal(&leg->hop.local, &next.local);
	if (leg->hop.egress != next.egress)
		br_plane_leg_mark_moved(plane, index);
	br_plane_leg_leave_hop(plane, index);
	leg->hop = next;
	br_plane_leg_join_hop(plane, index);
	br_plane_leg_wait(plane, index, next.waits);
	if (!readdressed) {
		__atomic_store_n(&plane->leg_table[index].next_hop, next.index, __ATOMIC_RELEASE);
		return;
	}
	br_leg_write(plane, index);
	if (br_leg_register(plane, index, &error))
		br_log_error("a leg lost its five-tuple in a route change: %s", error.detail);
	br_leg_unregister(plane, &old);
}

/* The routing table now leads to a remote address over another next hop. */
void br_plane_leg_moved(struct br_plane *plane, const struct br_addr *remote,
			const struct br_next_hop_info *info)
{
	for (uint32_t i = br_leg_index_first(plane, remote), next; i != BR_NO_LEG; i = next) {
		const struct br_plane_leg *leg = &plane->legs[i];

		next = leg->remote_next;
		/* one that is not held yet is told where to go when it is */
		if (!leg->held || !br_addr_equal(&leg->spec.remote.addr, remote))
			continue;
		br_plane_leg_follow(plane, i, info);
		br_plane_adopted_hop_left(plane, i);
	}
}

/* Make a leg of an earlier daemon ours; it goes on as it is. -EEXIST when the slot is taken. */
int br_plane_leg_adopt(struct br_plane *plane, uint32_t index)
{
	const struct br_leg *in = &plane->leg_table[index];
	struct br_plane_leg *leg = &plane->legs[index];
	uint32_t hop = in->next_hop < plane->options.max_legs ? in->next_hop : 0;
	int err = br_slots_claim(plane->leg_slots, index);

	if (err)
		return err;
	*leg = (struct br_plane_leg){
		.used = true,
		.spec = br_leg_read(in),
		.pending = true,
		.adopted_hop = hop,
		.streams = BR_NO_STREAM,
	};
	br_plane_capture_forget(plane, index);
	leg->hop.index = hop;
	leg->hop.egress = plane->hop_table[hop].egress;
	leg->named = in->flags & BR_LEG_NAMED_HOP;
	if (leg->named) /* the rest is told by br_plane_leg_name_hop */
		memcpy(leg->spec.hop.interface, plane->interfaces[leg->hop.egress].name,
		       sizeof(leg->spec.hop.interface));
	leg->hop.local.family = in->family;
	memcpy(leg->hop.local.words, in->tuple.local, sizeof(in->tuple.local));
	br_leg_index_add(plane, index);
	plane->leg_count++;
	br_plane_leg_join_hop(plane, index);
	br_plane_leg_wait(plane, index, plane->hop_table[hop].state != BR_NEXT_HOP_READY);
	return 0;
}

/* A leg whose daemon ended while it was writing it. */
void br_plane_leg_repair(struct br_plane *plane, uint32_t index)
{
	br_leg_write(plane, index);
}

/* Of all CPUs and of the daemon. */
static void br_leg_read_counters(const struct br_plane *plane, uint32_t index,
				 struct br_leg_counters *sum)
{
	struct br_leg_counters *each = calloc((size_t)plane->cpus, sizeof(*each));

	*sum = plane->slow_legs[index];
	if (!each)
		return;
	if (!bpf_map_lookup_elem(bpf_map__fd(plane->bpf->maps.leg_counters), &index, each))
		br_plane_leg_sum(each, plane->cpus, sum);
	free(each);
}

int br_plane_leg_info(const struct br_plane *plane, uint32_t index, struct br_leg_info *info)
{
	const struct br_plane_leg *leg = &plane->legs[index];
	uint16_t egress;

	memset(info, 0, sizeof(*info));
	if (index >= plane->options.max_legs || !leg->used)
		return -ENOENT;
	info->remote = leg->spec.remote;
	info->local.addr = leg->spec.local.family ? leg->spec.local : leg->hop.local;
	info->local.port = htons(plane->options.media_port);
	info->reach = br_leg_reach(plane, leg, &egress);
	if (info->reach != BR_REACH_NONE)
		memcpy(info->interface, plane->interfaces[egress].name, sizeof(info->interface));
	br_leg_read_counters(plane, index, &info->counters);
	info->slow = plane->slow_legs[index];
	info->slow_path = br_plane_leg_egress(plane, index) == BR_EGRESS_TAP;
	return 0;
}

int br_plane_leg_spec(const struct br_plane *plane, uint32_t index, struct br_leg_spec *spec)
{
	if (index >= plane->options.max_legs || !plane->legs[index].used)
		return -ENOENT;
	*spec = plane->legs[index].spec;
	return 0;
}
