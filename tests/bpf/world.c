// SPDX-License-Identifier: BSD-2-Clause
#include "world.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "relay.skel.h"

#define LOOPBACK_IFINDEX 1 /* in every network namespace */
#define SKIPPED		 77

static int fd_of(const struct bpf_map *map)
{
	return bpf_map__fd(map);
}

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* Where even `return 0` cannot be loaded there is nothing to test. */
void world_need_bpf(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "br_test_probe", "GPL", program, 2, NULL);

	if (fd < 0) {
		printf("skip: BPF programs cannot be loaded here (%s); run as root\n",
		       strerror(errno));
		exit(SKIPPED);
	}
	close(fd);
}

/* Per-CPU state belongs to one CPU, interfaces to a namespace that ends with us. */
static void isolate(struct world *world)
{
	cpu_set_t set;

	if (unshare(CLONE_NEWNET))
		die("cannot make a network namespace");
	world->cpu = sched_getcpu();
	CPU_ZERO(&set);
	CPU_SET(world->cpu, &set);
	if (world->cpu < 0 || sched_setaffinity(0, sizeof(set), &set))
		die("cannot stay on one CPU");
}

static void size_maps(struct relay_bpf *bpf)
{
	bpf_map__set_max_entries(bpf->maps.tuples, T_TUPLES);
	bpf_map__set_max_entries(bpf->maps.legs, T_LEGS);
	bpf_map__set_max_entries(bpf->maps.leg_states, T_LEGS);
	bpf_map__set_max_entries(bpf->maps.leg_counters, T_LEGS);
	bpf_map__set_max_entries(bpf->maps.next_hops, T_HOPS);
	bpf_map__set_max_entries(bpf->maps.routes, T_ROUTES);
	bpf_map__set_max_entries(bpf->maps.edges, T_EDGES);
	bpf_map__set_max_entries(bpf->maps.streams, T_STREAMS);
	bpf_map__set_max_entries(bpf->maps.free_streams, T_STREAMS);
	bpf_map__set_max_entries(bpf->maps.stream_counters, T_STREAMS);
	bpf_map__set_max_entries(bpf->maps.strangers, T_SOURCE_SLOTS);
	bpf_map__set_max_entries(bpf->maps.captured, (__u32)libbpf_num_possible_cpus());
	bpf->rodata->br_media_port = htons(MEDIA_PORT);
	bpf->rodata->br_ticket_mark = TICKET_MARK;
	bpf->rodata->br_stream_routes = T_LEGS;
	bpf->rodata->br_turn_back = T_TURN_BACK;
	bpf->rodata->br_burst_ns = T_BURST_NS;
	bpf->rodata->br_stranger_ns = T_STRANGER_NS;
	bpf->rodata->br_strangers_ns = T_STRANGERS_NS;
	/* BPF_PROG_TEST_RUN refuses programs that expect to be attached to a device map. */
	bpf_program__set_expected_attach_type(bpf->progs.stamp, BPF_XDP);
}

static void make_copier(struct world *world, uint32_t egress, uint32_t copies, bool tap, bool loop)
{
	enum copier kind = tables_copier(egress, copies, tap, loop);
	struct bpf_devmap_val value = {.ifindex = LOOPBACK_IFINDEX, .bpf_prog.fd = -1};
	uint32_t index = BR_REPLICATOR(egress, copies, tap, loop),
		 entries = copies + tap + loop + (!copies && loop);
	int map;

	if (kind == COPIER_NONE)
		return;
	map = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "br_test_copier", 4, sizeof(value), entries,
			     NULL);
	if (map < 0)
		die("cannot make a copier");
	for (uint32_t key = 0; kind == COPIER_READY && key < entries; key++)
		if (bpf_map_update_elem(map, &key, &value, BPF_ANY))
			die("cannot fill a copier");
	if (bpf_map_update_elem(fd_of(world->bpf->maps.replicators), &index, &map, BPF_ANY))
		die("cannot install a copier");
	close(map);
}

static int on_event(void *context, void *data, size_t size)
{
	struct world *world = context;

	if (size != sizeof(struct br_event))
		return -EINVAL;
	if (world->event_count < WORLD_EVENTS)
		memcpy(&world->events[world->event_count], data, size);
	world->event_count++;
	return 0;
}

struct world *world_open(void)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		die("no memory");
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	world_need_bpf();
	isolate(world);
	world->cpus = libbpf_num_possible_cpus();
	world->bpf = relay_bpf__open();
	if (!world->bpf || world->cpus < 1)
		die("cannot open the BPF object");
	size_maps(world->bpf);
	if (relay_bpf__load(world->bpf))
		die("cannot load the BPF programs");
	world->scratch = calloc((size_t)world->cpus, sizeof(struct br_cpu));
	world->ring = ring_buffer__new(fd_of(world->bpf->maps.events), on_event, world, NULL);
	if (!world->scratch || !world->ring)
		die("cannot read the ring buffer");
	for (uint32_t egress = 0; egress < BR_EGRESS_MAX; egress++)
		for (uint32_t copies = 0; copies <= BR_CHUNK_MAX; copies++)
			for (int kind = 0; kind < 4; kind++)
				make_copier(world, egress, copies, kind / 2, kind % 2);
	return world;
}

void world_close(struct world *world)
{
	ring_buffer__free(world->ring);
	relay_bpf__destroy(world->bpf);
	free(world->scratch);
	free(world);
}

static void write_array(const struct bpf_map *map, const void *values, size_t size, uint32_t count)
{
	const uint8_t *value = values;

	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(bpf_map_update_elem(fd_of(map), &i, value + i * size, BPF_ANY), 0);
}

static void clear_hash(const struct bpf_map *map)
{
	uint8_t key[sizeof(struct br_tuple)];

	while (!bpf_map_get_next_key(fd_of(map), NULL, key))
		assert_int_equal(bpf_map_delete_elem(fd_of(map), key), 0);
}

static void clear_per_cpu(struct world *world, const struct bpf_map *map, uint32_t count)
{
	memset(world->scratch, 0, (size_t)world->cpus * sizeof(struct br_cpu));
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(bpf_map_update_elem(fd_of(map), &i, world->scratch, BPF_ANY), 0);
}

static void write_hashes(struct world *world, const struct tables *tables)
{
	struct relay_bpf *bpf = world->bpf;
	uint32_t one = 1;

	clear_hash(bpf->maps.tuples);
	clear_hash(bpf->maps.locals);
	clear_hash(bpf->maps.strangers);
	for (size_t i = 0; i < tables->stranger_count; i++)
		assert_int_equal(bpf_map_update_elem(fd_of(bpf->maps.strangers),
						     tables->strangers[i].source,
						     &tables->strangers[i].due_ns, BPF_ANY),
				 0);
	for (size_t i = 0; i < tables->tuple_count; i++)
		assert_int_equal(bpf_map_update_elem(fd_of(bpf->maps.tuples),
						     &tables->tuples[i].tuple,
						     &tables->tuples[i].leg, BPF_ANY),
				 0);
	for (size_t i = 0; i < tables->local_count; i++)
		assert_int_equal(bpf_map_update_elem(fd_of(bpf->maps.locals), tables->locals[i],
						     &one, BPF_ANY),
				 0);
}

static size_t drain_free(const struct world *world, uint32_t slots[static T_STREAMS])
{
	int fd = fd_of(world->bpf->maps.free_streams);
	uint32_t slot;
	size_t count = 0;

	while (!bpf_map_lookup_and_delete_elem(fd, NULL, &slot)) {
		assert_true(count < T_STREAMS);
		slots[count++] = slot;
	}
	return count;
}

static void fill_free(const struct world *world, const uint32_t *slots, size_t count)
{
	int fd = fd_of(world->bpf->maps.free_streams);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(bpf_map_update_elem(fd, NULL, &slots[i], BPF_ANY), 0);
}

void world_write_streams(struct world *world, const struct tables *tables)
{
	struct relay_bpf *bpf = world->bpf;
	uint32_t slots[T_STREAMS];

	write_array(bpf->maps.leg_states, tables->states, sizeof(tables->states[0]), T_LEGS);
	clear_hash(bpf->maps.streams);
	for (size_t i = 0; i < tables->stream_count; i++)
		assert_int_equal(bpf_map_update_elem(fd_of(bpf->maps.streams),
						     &tables->streams[i].key,
						     &tables->streams[i].slot, BPF_NOEXIST),
				 0);
	drain_free(world, slots);
	fill_free(world, tables->free, tables->free_count);
}

void world_write(struct world *world, const struct tables *tables)
{
	struct relay_bpf *bpf = world->bpf;

	write_array(bpf->maps.legs, tables->legs, sizeof(tables->legs[0]), T_LEGS);
	write_array(bpf->maps.routes, tables->routes, sizeof(tables->routes[0]), T_ROUTES);
	write_array(bpf->maps.edges, tables->edges, sizeof(tables->edges[0]), T_EDGES);
	write_array(bpf->maps.next_hops, tables->hops, sizeof(tables->hops[0]), T_HOPS);
	write_hashes(world, tables);
	world_write_streams(world, tables);
	clear_per_cpu(world, bpf->maps.cpus, 1);
	clear_per_cpu(world, bpf->maps.leg_counters, T_LEGS);
	clear_per_cpu(world, bpf->maps.stream_counters, T_STREAMS);
	world_events(world);
	world->tables = *tables;
}

/* One value per possible CPU: ours is wanted, the others must not have moved. */
static void read_per_cpu(struct world *world, const struct bpf_map *map, uint32_t index, void *out,
			 size_t size)
{
	static const uint8_t zero[sizeof(struct br_cpu)];
	const uint8_t *value = world->scratch;

	assert_int_equal(bpf_map_lookup_elem(fd_of(map), &index, world->scratch), 0);
	for (int cpu = 0; cpu < world->cpus; cpu++) {
		if (cpu == world->cpu)
			memcpy(out, value, size);
		else
			assert_memory_equal(value, zero, size);
		value += (size + 7) / 8 * 8;
	}
}

void world_counters(struct world *world, struct counters *counters)
{
	struct relay_bpf *bpf = world->bpf;

	read_per_cpu(world, bpf->maps.cpus, 0, &counters->cpu, sizeof(counters->cpu));
	for (uint32_t i = 0; i < T_LEGS; i++)
		read_per_cpu(world, bpf->maps.leg_counters, i, &counters->legs[i],
			     sizeof(counters->legs[i]));
	for (uint32_t i = 0; i < T_STREAMS; i++)
		read_per_cpu(world, bpf->maps.stream_counters, i, &counters->streams[i],
			     sizeof(counters->streams[i]));
}

void world_set_cpu(struct world *world, const struct br_cpu *cpu)
{
	uint32_t zero = 0;

	memset(world->scratch, 0, (size_t)world->cpus * sizeof(*cpu));
	memcpy((struct br_cpu *)world->scratch + world->cpu, cpu, sizeof(*cpu));
	assert_int_equal(
		bpf_map_update_elem(fd_of(world->bpf->maps.cpus), &zero, world->scratch, BPF_ANY),
		0);
}

static void read_strangers(struct world *world, struct tables *tables)
{
	int fd = fd_of(world->bpf->maps.strangers);
	__be32 key[4], *previous = NULL;

	tables->stranger_count = 0;
	while (!bpf_map_get_next_key(fd, previous, key)) {
		struct table_stranger *stranger = &tables->strangers[tables->stranger_count++];

		assert_true(tables->stranger_count <= T_SOURCES);
		memcpy(stranger->source, key, sizeof(key));
		previous = stranger->source;
		assert_int_equal(bpf_map_lookup_elem(fd, key, &stranger->due_ns), 0);
	}
}

void world_read_dynamic(struct world *world, struct tables *tables)
{
	struct relay_bpf *bpf = world->bpf;
	struct br_stream_key key, *previous = NULL;

	for (uint32_t i = 0; i < T_LEGS; i++)
		assert_int_equal(
			bpf_map_lookup_elem(fd_of(bpf->maps.leg_states), &i, &tables->states[i]),
			0);
	read_strangers(world, tables);
	tables->stream_count = 0;
	while (!bpf_map_get_next_key(fd_of(bpf->maps.streams), previous, &key)) {
		struct table_stream *stream = &tables->streams[tables->stream_count++];

		stream->key = key;
		previous = &stream->key;
		assert_int_equal(bpf_map_lookup_elem(fd_of(bpf->maps.streams), &key, &stream->slot),
				 0);
	}
	tables->free_count = drain_free(world, tables->free);
	fill_free(world, tables->free, tables->free_count);
}

unsigned int world_events(struct world *world)
{
	world->event_count = 0;
	assert_true(ring_buffer__consume(world->ring) >= 0);
	return world->event_count;
}

static uint64_t coarse_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool world_takes_metadata(struct world *world, size_t bytes)
{
	uint8_t in[512] = {};
	struct xdp_md context = {.data = (uint32_t)bytes, .data_end = sizeof(in)};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = sizeof(in),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);

	/* without a ticket: nothing comes of it but a count, which the next write clears */
	return !bpf_prog_test_run_opts(bpf_program__fd(world->bpf->progs.stamp), &opts);
}

void world_run(struct world *world, struct world_run *run)
{
	const struct bpf_program *programs[PROGRAM_COUNT] = {
		[PROGRAM_RELAY] = world->bpf->progs.relay,
		[PROGRAM_LOOP] = world->bpf->progs.relay_loop,
		[PROGRAM_STAMP] = world->bpf->progs.stamp,
	};
	uint8_t in[PACKET_MAX + 256] = {};
	struct xdp_md context = {
		.data = (uint32_t)run->metadata,
		.data_end = (uint32_t)(run->metadata + run->length),
	};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in,
		    .data_size_in = (uint32_t)(run->metadata + run->length), .data_out = run->out,
		    .data_size_out = sizeof(run->out), .repeat = 1);
	int err;

	memcpy(in + run->metadata, run->in, run->length);
	if (run->metadata) {
		opts.ctx_in = &context;
		opts.ctx_size_in = sizeof(context);
	}
	run->before_ns = coarse_ns();
	err = bpf_prog_test_run_opts(bpf_program__fd(programs[run->program]), &opts);
	run->after_ns = coarse_ns();
	if (err)
		fail_msg("the kernel refuses to run program %d on %zu bytes: %s", run->program,
			 run->length, strerror(-err));
	run->verdict = opts.retval;
	run->out_length = opts.data_size_out;
	if (run->metadata) {
		assert_true(run->out_length >= run->metadata);
		run->out_length -= run->metadata;
		memmove(run->out, run->out + run->metadata, run->out_length);
	}
}
