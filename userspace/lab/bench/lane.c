// SPDX-License-Identifier: BSD-2-Clause
#include "lane.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "net.h"
#include "packet.h"
#include "plane/plane.h"
#include "traffic_private.h"

/* Copies of one batch must fit into a veth ring of 256. */
#define BR_LANE_RING 192u

struct br_lane {
	const struct br_bench_case *spec;
	struct br_traffic *traffic;
	struct br_plane *plane;
	int bare; /* link of the bare operation; -1: not attached */
	uint32_t media, egress;
};

static int br_lane_route(const char *end, unsigned int pair, bool receivers)
{
	unsigned int net = 10 + pair, hosts = receivers ? 30 : 20;
	uint8_t mac[6];
	int bad = 0;

	br_net_pair_mac(pair, true, mac);
	bad |= br_net_run(BR_NET_HOME,
			  "ip neigh replace 10.%u.0.2 lladdr 02:00:00:00:00:%02x dev "
			  "%s nud permanent",
			  net, mac[5], end);
	bad |= br_net_run(BR_NET_HOME,
			  "ip neigh replace fd00:%u::2 lladdr 02:00:00:00:00:%02x dev "
			  "%s nud permanent",
			  net, mac[5], end);
	bad |= br_net_run(BR_NET_HOME, "ip route replace 10.%u.0.0/16 via 10.%u.0.2 src 10.10.0.1",
			  hosts, net);
	bad |= br_net_run(BR_NET_HOME,
			  "ip -6 route replace fd00:%u::/32 via fd00:%u::2 src fd00:10::1", hosts,
			  net);
	return bad;
}

static int br_lane_pair(const struct br_lane *lane, unsigned int pair, const char *end,
			const char *far, struct br_error *error)
{
	int err, bad;

	err = br_net_pair(BR_NET_HOME, end, far, pair, lane->spec->cpus, error);
	if (err)
		return err;
	bad = br_net_run(BR_NET_HOME, "ip addr add 10.%u.0.1/16 dev %s", 10 + pair, end);
	bad |= br_net_run(BR_NET_HOME, "ip addr add fd00:%u::1/32 dev %s nodad", 10 + pair, end);
	return bad ? br_error_set(error, -EIO, NULL, "cannot give %s its addresses", end) : 0;
}

static int br_lane_links(struct br_lane *lane, struct br_error *error)
{
	bool other = lane->spec->other;
	int err = br_lane_pair(lane, 0, "media", "wire", error);

	if (!err && other)
		err = br_lane_pair(lane, 1, "media2", "wire2", error);
	if (!err && (br_lane_route("media", 0, false) ||
		     br_lane_route(other ? "media2" : "media", other ? 1 : 0, true)))
		err = br_error_set(error, -EIO, NULL, "cannot set up the routes");
	lane->media = if_nametoindex("media");
	lane->egress = other ? if_nametoindex("media2") : lane->media;
	return err;
}

uint32_t br_lane_bare_copies(const struct br_bench_case *spec)
{
	return spec->receivers < BR_CHUNK_MAX ? spec->receivers : BR_CHUNK_MAX;
}

/* A device map with the egress interface N times, without a program. */
static int br_lane_fill_copier(struct br_lane *lane)
{
	uint32_t copies = br_lane_bare_copies(lane->spec), zero = 0;
	struct bpf_devmap_val value = {.ifindex = lane->egress, .bpf_prog.fd = -1};
	struct bench_bpf *bpf = br_traffic_programs(lane->traffic);
	int map = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "br_bench_copier", sizeof(__u32),
				 sizeof(value), copies, NULL);
	int err = 0;

	if (map < 0)
		return -errno;
	for (uint32_t key = 0; key < copies && !err; key++)
		if (bpf_map_update_elem(map, &key, &value, BPF_ANY))
			err = -errno;
	if (!err && bpf_map_update_elem(bpf_map__fd(bpf->maps.copier), &zero, &map, BPF_ANY))
		err = -errno;
	close(map);
	return err;
}

static int br_lane_load(struct br_lane *lane, struct br_error *error)
{
	const struct br_bench_case *spec = lane->spec;
	struct br_traffic_options options = {
		.wire = if_nametoindex("wire"),
		.senders = br_bench_publishers(spec),
		.clones = br_lane_bare_copies(spec),
		.length = br_packet_length(spec->from, spec->bytes),
	};
	uint8_t mac[6], bytes[BR_BENCH_HEADERS];
	int err = br_traffic_open(&options, &lane->traffic, error);

	if (err)
		return err;
	br_net_pair_mac(0, false, mac);
	for (uint32_t i = 0; i < options.senders && !err; i++) {
		br_packet_headers(spec->from, i, spec->bytes, true, mac, bytes);
		err = br_traffic_header(lane->traffic, i, bytes);
	}
	if (!err)
		err = br_lane_fill_copier(lane);
	if (err)
		return br_error_set(error, err, NULL, "cannot fill the benchmark's tables: %s",
				    strerror(-err));
	err = br_traffic_sink(lane->traffic, options.wire, error);
	return err || !spec->other ? err
				   : br_traffic_sink(lane->traffic, if_nametoindex("wire2"), error);
}

int br_lane_open(const struct br_bench_case *spec, struct br_lane **out, struct br_error *error)
{
	struct br_lane *lane = calloc(1, sizeof(*lane));
	int err;

	if (!lane)
		return br_error_set(error, -ENOMEM, NULL, "no memory");
	lane->spec = spec;
	lane->bare = -1;
	err = br_lane_links(lane, error);
	if (!err)
		err = br_lane_load(lane, error);
	if (err) {
		br_lane_close(lane);
		return err;
	}
	*out = lane;
	return 0;
}

static void br_lane_clear(struct br_lane *lane)
{
	br_plane_close(lane->plane);
	lane->plane = NULL;
	if (lane->bare >= 0)
		close(lane->bare);
	lane->bare = -1;
}

void br_lane_close(struct br_lane *lane)
{
	if (!lane)
		return;
	br_lane_clear(lane);
	br_traffic_close(lane->traffic);
	br_net_unpair("wire");
	br_net_unpair("wire2");
	free(lane);
}

int br_lane_bare(struct br_lane *lane, struct br_error *error)
{
	struct bench_bpf *bpf = br_traffic_programs(lane->traffic);

	br_lane_clear(lane);
	lane->bare = br_traffic_attach(lane->spec->bare == BR_BARE_TX ? bpf->progs.bounce
								      : bpf->progs.clone,
				       lane->media, lane->spec->generic);
	if (lane->bare < 0)
		return br_error_set(error, lane->bare, NULL, "cannot attach the bare operation: %s",
				    strerror(-lane->bare));
	return 0;
}

/* The legs of one room: a publisher for each CPU, and the receivers. */
static int br_lane_fill_room(struct br_lane *lane, uint32_t room, struct br_error *error)
{
	const struct br_bench_case *spec = lane->spec;
	uint32_t receivers[BR_ROUTE_MAX], leg;
	int err = 0;

	for (uint32_t i = 0; i < spec->receivers && !err; i++) {
		struct br_leg_spec receiver = {
			.remote = br_packet_endpoint(spec->to, false, room * spec->receivers + i),
		};

		err = br_plane_leg_add(lane->plane, &receiver, &receivers[i], error);
	}
	for (uint32_t cpu = 0; cpu < spec->cpus && !err; cpu++) {
		struct br_leg_spec publisher = {
			.remote = br_packet_endpoint(spec->from, true, cpu * spec->rooms + room),
			.publish = true,
			.ssrc_limit = 1,
		};

		err = br_plane_leg_add(lane->plane, &publisher, &leg, error);
		if (!err)
			err = br_plane_leg_route(lane->plane, leg, receivers, spec->receivers,
						 error);
	}
	return err;
}

int br_lane_relay(struct br_lane *lane, struct br_error *error)
{
	struct br_plane_options options = {
		.interfaces = {"media", "media2"},
		.interface_count = lane->spec->other ? 2 : 1,
		.mode = lane->spec->generic ? BR_XDP_GENERIC : BR_XDP_NATIVE,
		.media_port = BR_BENCH_PORT,
		.max_legs = 65536,
		.max_streams = 65536,
		.max_edges = 1 << 20,
		.chunk = BR_CHUNK_MAX,
		.peers_run_xdp = true,
	};
	int err;

	br_lane_clear(lane);
	err = br_plane_open(&options, &lane->plane, error);
	for (uint32_t room = 0; room < lane->spec->rooms && !err; room++)
		err = br_lane_fill_room(lane, room, error);
	return err;
}

int br_lane_run(struct br_lane *lane, uint32_t packets, uint32_t cpus, struct br_traffic_sum *sum,
		struct br_error *error)
{
	struct br_traffic_run run = {
		.frames = packets,
		.cpus = cpus,
		.batch = BR_LANE_RING / lane->spec->receivers,
	};

	return br_traffic_send(lane->traffic, &run, sum, error);
}

uint64_t br_lane_refused(const struct br_lane *lane)
{
	struct br_counter counters[BR_REASON_COUNT] = {0};

	if (lane->plane)
		br_plane_counters(lane->plane, counters);
	return counters[BR_OVERLOAD].packets;
}
