// SPDX-License-Identifier: BSD-2-Clause
/* Reading what the kernel counted, and how full the tables are. */
#include "plane/plane_private.h"

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
		};
		memcpy(interfaces[i].name, interface->name, sizeof(interfaces[i].name));
	}
	return plane->options.interface_count;
}
