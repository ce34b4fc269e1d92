// SPDX-License-Identifier: BSD-2-Clause
/*
 * A lane: generator -> veth -> relay or bare operation -> the same veth -> sink.
 *
 * Both variants get the same live frames over the same device, so their difference is the
 * relay's own work: parsing, admission, ticket, stamp, counters.
 */
#include "bench.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"

#define BR_BENCH_PORT 40000
/* Copies of one batch must fit into a veth ring of 256. */
#define BR_BENCH_RING 192u

struct br_bench_lane {
	const struct br_bench_case *spec;
	struct bench_bpf *bpf;
	struct br_plane *plane;
	int sink_link;
	int bare_link;
	uint32_t media, wire;
	int cpus;
};

int br_bench_command(const char *const argv[])
{
	extern char **environ;
	char *copy[32];
	size_t count = 0;
	pid_t pid;
	int status;

	while (argv[count] && count < 31) {
		copy[count] = strdup(argv[count]);
		count++;
	}
	copy[count] = NULL;
	if (posix_spawnp(&pid, copy[0], NULL, NULL, copy, environ))
		status = -1;
	else if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		status = -1;
	else
		status = WEXITSTATUS(status);
	while (count)
		free(copy[--count]);
	return status;
}

#define BR_IP(...) br_bench_command((const char *const[]){"ip", __VA_ARGS__, NULL})

static int br_lane_links(struct br_error *error)
{
	int bad = 0;

	if (if_nametoindex("media"))
		BR_IP("link", "del", "media");
	bad |= BR_IP("link", "add", "media", "address", "02:00:00:00:00:01", "type", "veth", "peer",
		     "name", "wire", "address", "02:00:00:00:00:02");
	bad |= BR_IP("link", "set", "media", "up");
	bad |= BR_IP("link", "set", "wire", "up");
	/* without native XDP there, as in generic mode, veth takes no frames unless GRO is on */
	bad |= br_bench_command((const char *const[]){"ethtool", "-K", "media", "gro", "on", NULL});
	bad |= BR_IP("addr", "add", "10.10.0.1/16", "dev", "media");
	bad |= BR_IP("addr", "add", "fd00:10::1/32", "dev", "media", "nodad");
	bad |= BR_IP("neigh", "replace", "10.10.0.2", "lladdr", "02:00:00:00:00:02", "dev", "media",
		     "nud", "permanent");
	bad |= BR_IP("neigh", "replace", "fd00:10::2", "lladdr", "02:00:00:00:00:02", "dev",
		     "media", "nud", "permanent");
	bad |= BR_IP("route", "replace", "10.0.0.0/8", "via", "10.10.0.2", "src", "10.10.0.1");
	bad |= BR_IP("-6", "route", "replace", "fd00::/16", "via", "fd00:10::2", "src",
		     "fd00:10::1");
	if (bad)
		return br_error_set(error, -EIO, NULL,
				    "cannot set up the veth pair with `ip` and `ethtool`");
	return 0;
}

static int br_lane_attach(const struct bpf_program *program, uint32_t ifindex, bool generic)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(bpf_program__fd(program), (int)ifindex, BPF_XDP, &options);

	return fd < 0 ? -errno : fd;
}

uint32_t br_bench_bare_copies(const struct br_bench_case *spec)
{
	return spec->receivers < BR_CHUNK_MAX ? spec->receivers : BR_CHUNK_MAX;
}

/* A device map with the media interface N times, without a program. */
static int br_lane_fill_copier(struct br_bench_lane *lane)
{
	uint32_t copies = br_bench_bare_copies(lane->spec), zero = 0;
	struct bpf_devmap_val value = {.ifindex = lane->media, .bpf_prog.fd = -1};
	int map = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "br_bench_copier", sizeof(__u32),
				 sizeof(value), copies, NULL);
	int err = 0;

	if (map < 0)
		return -errno;
	for (uint32_t key = 0; key < copies && !err; key++)
		if (bpf_map_update_elem(map, &key, &value, BPF_ANY))
			err = -errno;
	if (!err && bpf_map_update_elem(bpf_map__fd(lane->bpf->maps.copier), &zero, &map, BPF_ANY))
		err = -errno;
	close(map);
	return err;
}

static int br_lane_load(struct br_bench_lane *lane, struct br_error *error)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	uint8_t bytes[80];
	int err;

	lane->bpf = bench_bpf__open();
	if (!lane->bpf)
		return br_error_set(error, -errno, NULL, "cannot open the benchmark's programs");
	bpf_map__set_max_entries(lane->bpf->maps.headers, lane->spec->rooms);
	lane->bpf->rodata->br_senders = lane->spec->rooms;
	lane->bpf->rodata->br_wire = lane->wire;
	lane->bpf->rodata->br_clones = br_bench_bare_copies(lane->spec);
	err = bench_bpf__load(lane->bpf);
	if (!err)
		err = br_lane_fill_copier(lane);
	for (uint32_t i = 0; i < lane->spec->rooms && !err; i++) {
		br_bench_headers(lane->spec, i, mac, bytes);
		if (bpf_map_update_elem(bpf_map__fd(lane->bpf->maps.headers), &i, bytes, BPF_ANY))
			err = -errno;
	}
	if (!err) {
		lane->sink_link = br_lane_attach(lane->bpf->progs.sink, lane->wire, false);
		err = lane->sink_link < 0 ? lane->sink_link : 0;
	}
	if (err)
		return br_error_set(error, err, NULL, "cannot load the benchmark's programs: %s",
				    strerror(-err));
	return 0;
}

int br_bench_lane_open(const struct br_bench_case *spec, struct br_bench_lane **out,
		       struct br_error *error)
{
	struct br_bench_lane *lane = calloc(1, sizeof(*lane));
	int err;

	if (!lane)
		return br_error_set(error, -ENOMEM, NULL, "no memory");
	lane->spec = spec;
	lane->sink_link = lane->bare_link = -1;
	lane->cpus = libbpf_num_possible_cpus();
	err = br_lane_links(error);
	if (!err) {
		lane->media = if_nametoindex("media");
		lane->wire = if_nametoindex("wire");
		err = br_lane_load(lane, error);
	}
	if (err) {
		br_bench_lane_close(lane);
		return err;
	}
	*out = lane;
	return 0;
}

static void br_lane_clear(struct br_bench_lane *lane)
{
	br_plane_close(lane->plane);
	lane->plane = NULL;
	if (lane->bare_link >= 0)
		close(lane->bare_link);
	lane->bare_link = -1;
}

void br_bench_lane_close(struct br_bench_lane *lane)
{
	if (!lane)
		return;
	br_lane_clear(lane);
	if (lane->sink_link >= 0)
		close(lane->sink_link);
	bench_bpf__destroy(lane->bpf);
	free(lane);
}

int br_bench_lane_bare(struct br_bench_lane *lane, struct br_error *error)
{
	br_lane_clear(lane);
	lane->bare_link = br_lane_attach(lane->bpf->progs.clone, lane->media, lane->spec->generic);
	if (lane->bare_link < 0)
		return br_error_set(error, lane->bare_link, NULL,
				    "cannot attach the bare operation: %s",
				    strerror(-lane->bare_link));
	return 0;
}

static int br_lane_fill_room(struct br_bench_lane *lane, uint32_t room, struct br_error *error)
{
	const struct br_bench_case *spec = lane->spec;
	struct br_leg_spec publisher = {
		.remote = br_bench_endpoint(spec->from, true, room),
		.publish = true,
		.ssrc_limit = 1,
	};
	uint32_t receivers[BR_ROUTE_MAX], leg;
	int err = br_plane_leg_add(lane->plane, &publisher, &leg, error);

	for (uint32_t i = 0; i < spec->receivers && !err; i++) {
		struct br_leg_spec receiver = {
			.remote = br_bench_endpoint(spec->to, false, room * spec->receivers + i),
		};

		err = br_plane_leg_add(lane->plane, &receiver, &receivers[i], error);
	}
	return err ? err : br_plane_leg_route(lane->plane, leg, receivers, spec->receivers, error);
}

int br_bench_lane_relay(struct br_bench_lane *lane, struct br_error *error)
{
	struct br_plane_options options = {
		.interfaces = {"media"},
		.interface_count = 1,
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

static uint64_t br_lane_arrived(const struct br_bench_lane *lane)
{
	uint64_t each[256] = {0}, sum = 0;
	__u32 zero = 0;

	if (lane->cpus <= 256)
		bpf_map_lookup_elem(bpf_map__fd(lane->bpf->maps.arrived), &zero, each);
	for (int cpu = 0; cpu < lane->cpus && cpu < 256; cpu++)
		sum += each[cpu];
	return sum;
}

uint64_t br_bench_lane_refused(const struct br_bench_lane *lane)
{
	struct br_counter counters[BR_REASON_COUNT] = {0};

	if (lane->plane)
		br_plane_counters(lane->plane, counters);
	return counters[BR_OVERLOAD].packets;
}

static uint64_t br_lane_ns(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

/* The last copies are still on their way: wait until none has come for a few milliseconds. */
static uint64_t br_lane_drain(const struct br_bench_lane *lane)
{
	struct timespec pause = {.tv_nsec = 2000000};
	uint64_t before, now = br_lane_arrived(lane);

	do {
		before = now;
		nanosleep(&pause, NULL);
		now = br_lane_arrived(lane);
	} while (now != before);
	return now;
}

int br_bench_lane_run(struct br_bench_lane *lane, uint32_t packets, uint64_t *ns, uint64_t *arrived,
		      struct br_error *error)
{
	static uint8_t frame[2048];
	uint32_t headers = lane->spec->from == 4 ? 42 : 62;
	uint32_t batch = BR_BENCH_RING / lane->spec->receivers;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
		    .data_size_in = headers + lane->spec->bytes, .repeat = (int)packets,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
		    .batch_size = batch < 1    ? 1
				  : batch > 64 ? 64
					       : batch);
	uint64_t before = br_lane_arrived(lane);
	struct timespec start, stop;

	if (options.data_size_in < 80)
		options.data_size_in = 80;
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (bpf_prog_test_run_opts(bpf_program__fd(lane->bpf->progs.generate), &options))
		return br_error_set(error, -errno, NULL, "cannot send live frames: %s",
				    strerror(errno));
	clock_gettime(CLOCK_MONOTONIC, &stop);
	*ns = br_lane_ns(&stop) - br_lane_ns(&start);
	*arrived = br_lane_drain(lane) - before;
	return 0;
}
