// SPDX-License-Identifier: BSD-2-Clause
/* Reading what the kernel counted, and how full the tables are. */
#include "plane/plane_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "relay.skel.h"

void br_plane_counters(const struct br_plane *plane,
		       struct br_counter counters[static BR_REASON_COUNT])
{
	struct br_cpu *cpus = calloc((size_t)plane->cpus, sizeof(*cpus));
	__u32 zero = 0;

	memset(counters, 0, BR_REASON_COUNT * sizeof(*counters));
	if (!cpus)
		return;
	if (!bpf_map_lookup_elem(bpf_map__fd(plane->bpf->maps.cpus), &zero, cpus))
		for (int cpu = 0; cpu < plane->cpus; cpu++)
			for (int reason = 0; reason < BR_REASON_COUNT; reason++) {
				counters[reason].packets += cpus[cpu].reasons[reason].packets;
				counters[reason].bytes += cpus[cpu].reasons[reason].bytes;
			}
	free(cpus);
}

void br_plane_leg_sum(const struct br_leg_counters *each, int cpus, struct br_leg_counters *sum)
{
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum->rx.packets += each[cpu].rx.packets;
		sum->rx.bytes += each[cpu].rx.bytes;
		sum->tx.packets += each[cpu].tx.packets;
		sum->tx.bytes += each[cpu].tx.bytes;
		sum->rx_dropped += each[cpu].rx_dropped;
		sum->tx_dropped += each[cpu].tx_dropped;
		if (each[cpu].last_seen_ns > sum->last_seen_ns)
			sum->last_seen_ns = each[cpu].last_seen_ns;
	}
}

uint32_t br_plane_legs_end(const struct br_plane *plane)
{
	return br_slots_end(plane->leg_slots);
}

int br_plane_leg_counters(const struct br_plane *plane, uint32_t first, uint32_t count,
			  struct br_leg_counters *counters)
{
	int map = bpf_map__fd(plane->bpf->maps.leg_counters);
	struct br_leg_counters *each = calloc((size_t)count * plane->cpus, sizeof(*each));
	__u32 *keys = calloc(count, sizeof(*keys));
	/* the batch begins behind the key that is given */
	__u32 before = first - 1, last, found = count;
	int err = each && keys ? 0 : -ENOMEM;

	if (!err &&
	    bpf_map_lookup_batch(map, first ? &before : NULL, &last, keys, each, &found, NULL) &&
	    (errno != ENOENT || found != count))
		err = -errno;
	for (__u32 i = 0; i < count && !err; i++) {
		counters[i] = plane->slow_legs[first + i];
		br_plane_leg_sum(each + (size_t)i * plane->cpus, plane->cpus, &counters[i]);
	}
	free(keys);
	free(each);
	return err;
}

void br_plane_fill(const struct br_plane *plane, struct br_plane_fill *fill)
{
	*fill = (struct br_plane_fill){
		.legs = plane->leg_count,
		.max_legs = plane->options.max_legs,
		.streams = plane->stream_count,
		.max_streams = plane->options.max_streams,
		.edges = br_runs_used(plane->edge_runs),
		.max_edges = plane->options.max_edges,
	};
}

const char *br_xdp_mode_name(enum br_xdp_mode mode)
{
	static const char *const names[] = {
		[BR_XDP_AUTO] = "auto",
		[BR_XDP_NATIVE] = "native",
		[BR_XDP_GENERIC] = "generic",
		[BR_XDP_NONE] = "none",
	};

	return names[mode];
}

size_t br_plane_interfaces(const struct br_plane *plane,
			   struct br_interface_info interfaces[static BR_EGRESS_MAX])
{
	for (size_t i = 0; i < plane->options.interface_count; i++) {
		const struct br_plane_interface *interface = &plane->interfaces[i];

		interfaces[i] = (struct br_interface_info){
			.ifindex = interface->ifindex,
			.mode = plane->mode,
			.up = interface->up && interface->ifindex,
			.transmits = !interface->silent,
		};
		memcpy(interfaces[i].name, interface->name, sizeof(interfaces[i].name));
	}
	return plane->options.interface_count;
}
