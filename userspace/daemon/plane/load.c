// SPDX-License-Identifier: BSD-2-Clause
/* Opening and closing the plane: programs, tables, interfaces. */
#include "plane/plane_private.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include "lib/log.h"
#include "relay.skel.h"

static int br_libbpf_print(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	br_log_debug("libbpf: %s", line);
	return 0;
}

static int br_plane_check_options(const struct br_plane_options *options, struct br_error *error)
{
	if (options->interface_count < 1 || options->interface_count > BR_EGRESS_MAX)
		return br_error_set(error, -EINVAL, "media.interfaces",
				    "expected 1 to %u interfaces, got %zu", BR_EGRESS_MAX,
				    options->interface_count);
	if (options->chunk < 1 || options->chunk > BR_CHUNK_MAX)
		return br_error_set(error, -EINVAL, "tables.chunk",
				    "expected an integer from 1 to %u, got %u", BR_CHUNK_MAX,
				    options->chunk);
	if (options->max_legs < 2 || options->max_legs > BR_TICKET_INDEX_MAX)
		return br_error_set(error, -EINVAL, "tables.legs",
				    "expected an integer from 2 to %u, got %u", BR_TICKET_INDEX_MAX,
				    options->max_legs);
	if (options->max_edges < 1 || options->max_edges > BR_TICKET_INDEX_MAX)
		return br_error_set(error, -EINVAL, "tables.edges",
				    "expected an integer from 1 to %u, got %u", BR_TICKET_INDEX_MAX,
				    options->max_edges);
	if (options->max_streams < 1 || options->max_streams > BR_TICKET_INDEX_MAX)
		return br_error_set(error, -EINVAL, "tables.streams",
				    "expected an integer from 1 to %u, got %u", BR_TICKET_INDEX_MAX,
				    options->max_streams);
	return 0;
}

static int br_plane_find_interfaces(struct br_plane *plane, struct br_error *error)
{
	for (size_t i = 0; i < plane->options.interface_count; i++) {
		struct br_plane_interface *interface = &plane->interfaces[i];
		const char *name = plane->options.interfaces[i];

		for (size_t j = 0; j < i; j++)
			if (!strcmp(name, plane->interfaces[j].name))
				return br_error_set(error, -EINVAL, "media.interfaces",
						    "interface \"%s\" is named twice", name);
		interface->ifindex = if_nametoindex(name);
		/* deleted while no daemon was there to see it: it may come back */
		if (!interface->ifindex && !plane->adopting)
			return br_error_set(error, -ENODEV, "media.interfaces",
					    "there is no interface \"%s\"; `ip link` lists them",
					    name);
		snprintf(interface->name, sizeof(interface->name), "%s", name);
		plane->options.interfaces[i] = interface->name;
		interface->up = interface->ifindex != 0;
	}
	return 0;
}

static void br_plane_size_maps(struct br_plane *plane)
{
	const struct br_plane_options *options = &plane->options;
	struct relay_bpf *bpf = plane->bpf;

	bpf_map__set_max_entries(bpf->maps.tuples, options->max_legs);
	bpf_map__set_max_entries(bpf->maps.legs, options->max_legs);
	bpf_map__set_max_entries(bpf->maps.leg_states, options->max_legs);
	bpf_map__set_max_entries(bpf->maps.leg_counters, options->max_legs);
	bpf_map__set_max_entries(bpf->maps.next_hops, options->max_legs);
	bpf_map__set_max_entries(bpf->maps.routes, options->max_legs + options->max_streams);
	bpf_map__set_max_entries(bpf->maps.edges, options->max_edges);
	bpf_map__set_max_entries(bpf->maps.streams, options->max_streams);
	bpf_map__set_max_entries(bpf->maps.free_streams, options->max_streams);
	bpf_map__set_max_entries(bpf->maps.stream_counters, options->max_streams);
	bpf_map__set_max_entries(bpf->maps.slow_legs, options->max_legs);
	bpf_map__set_max_entries(bpf->maps.slow_streams, options->max_streams);
	bpf_map__set_max_entries(bpf->maps.captured, (__u32)plane->cpus);
	bpf->rodata->br_ticket_mark = plane->pins.settings.ticket_mark;
	bpf->rodata->br_media_port = htons(options->media_port);
	bpf->rodata->br_stream_routes = options->max_legs;
	bpf->rodata->br_turn_back = br_plane_turn_back(plane);
	bpf->rodata->br_burst_ns = options->burst_ms * BR_MS_NS;
	bpf->rodata->br_stranger_ns = br_plane_cost_ns(BR_SECOND_NS, options->strangers_per_source);
	bpf->rodata->br_strangers_ns = br_plane_cost_ns(BR_SECOND_NS, options->strangers_per_cpu);
}

static void br_plane_load_no_programs(struct br_plane *plane)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, plane->bpf->obj)
		bpf_program__set_autoload(program, false);
}

static int br_plane_load(struct br_plane *plane, struct br_error *error)
{
	int err;

	plane->bpf = relay_bpf__open();
	if (!plane->bpf)
		return br_error_set(error, -errno, NULL, "cannot open the BPF object: %s",
				    strerror(errno));
	br_plane_size_maps(plane);
	/* then a kernel that refuses the programs will do, too */
	if (plane->options.mode == BR_XDP_NONE)
		br_plane_load_no_programs(plane);
	err = plane->adopting ? br_plane_adopt_maps(plane, error) : 0;
	if (err)
		return err;
	err = relay_bpf__load(plane->bpf);
	if (err == -EPERM || err == -EACCES)
		return br_error_set(error, err, NULL,
				    "the kernel refuses to load BPF programs: run as root, or with "
				    "CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW and CAP_PERFMON");
	if (err == -ENOMEM || err == -E2BIG)
		return br_error_set(error, err, "tables", "no memory for tables of this size: %s",
				    strerror(-err));
	if (err)
		return br_error_set(error, err, NULL,
				    "the kernel cannot load the BPF programs: %s; "
				    "log.level \"debug\" shows why",
				    strerror(-err));
	return 0;
}

static void *br_plane_map(struct bpf_map *map, struct br_error *error)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	void *memory;

	size = (size + page - 1) / page * page;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (memory == MAP_FAILED) {
		br_error_set(error, -errno, "tables", "cannot map the table \"%s\": %s",
			     bpf_map__name(map), strerror(errno));
		return NULL;
	}
	return memory;
}

static void br_plane_unmap(struct bpf_map *map, void *memory)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);

	if (memory)
		munmap(memory, (size + page - 1) / page * page);
}

static int br_plane_make_tables(struct br_plane *plane, struct br_error *error)
{
	const struct br_plane_options *options = &plane->options;
	size_t routes = (size_t)options->max_legs + options->max_streams;

	plane->leg_table = br_plane_map(plane->bpf->maps.legs, error);
	plane->route_table = br_plane_map(plane->bpf->maps.routes, error);
	plane->edge_table = br_plane_map(plane->bpf->maps.edges, error);
	plane->hop_table = br_plane_map(plane->bpf->maps.next_hops, error);
	plane->state_table = br_plane_map(plane->bpf->maps.leg_states, error);
	plane->slow_legs = br_plane_map(plane->bpf->maps.slow_legs, error);
	plane->slow_streams = br_plane_map(plane->bpf->maps.slow_streams, error);
	plane->slow_totals = br_plane_map(plane->bpf->maps.slow_totals, error);
	if (!plane->leg_table || !plane->route_table || !plane->edge_table || !plane->hop_table ||
	    !plane->state_table || !plane->slow_legs || !plane->slow_streams || !plane->slow_totals)
		return error->code;
	plane->legs = calloc(options->max_legs, sizeof(*plane->legs));
	plane->streams = calloc(options->max_streams, sizeof(*plane->streams));
	plane->routes = calloc(routes, sizeof(*plane->routes));
	plane->marks = calloc(options->max_legs, sizeof(*plane->marks));
	plane->hop_legs = calloc(options->max_legs, sizeof(*plane->hop_legs));
	plane->moved = calloc(1, br_plane_moved_size(options));
	plane->leg_index = br_leg_index_new(options->max_legs);
	plane->leg_slots = br_slots_new(options->max_legs, BR_GRACE_NS);
	plane->edge_runs = br_runs_new(options->max_edges, BR_GRACE_NS);
	if (!plane->legs || !plane->streams || !plane->routes || !plane->marks ||
	    !plane->hop_legs || !plane->moved || !plane->leg_index || !plane->leg_slots ||
	    !plane->edge_runs)
		return br_error_set(error, -ENOMEM, "tables", "no memory for tables of this size");
	for (uint32_t i = 0; i < options->max_legs; i++)
		plane->hop_legs[i] = BR_NO_LEG;
	if (plane->adopting) {
		int err = br_plane_adopt_tables(plane, error);

		if (err)
			return err;
	} else if (br_plane_streams_open(plane)) {
		return br_error_set(error, -ENOMEM, "tables.streams",
				    "cannot prepare the stream slots");
	}
	plane->ring = ring_buffer__new(bpf_map__fd(plane->bpf->maps.events), br_plane_stream_event,
				       plane, NULL);
	if (!plane->ring)
		return br_error_set(error, -errno, NULL, "cannot read the event ring: %s",
				    strerror(errno));
	return 0;
}

static void br_plane_hop_moved(void *context, const struct br_addr *remote,
			       const struct br_next_hop_info *info)
{
	br_plane_leg_moved(context, remote, info);
}

static void br_plane_hop_waits_changed(void *context, uint32_t index, bool waits)
{
	br_plane_hop_changed(context, index, waits);
}

static void br_plane_interface_changed(void *context, size_t slot, uint32_t ifindex, bool up)
{
	struct br_plane *plane = context;
	struct br_plane_interface *interface = &plane->interfaces[slot];
	struct br_error error = {0};

	if (interface->up != up)
		br_log_warn("interface %s is %s", interface->name, up ? "up" : "down");
	interface->up = up;
	if (ifindex == interface->ifindex)
		return;
	if (plane->mode == BR_XDP_NONE) {
		interface->ifindex = ifindex;
		return;
	}
	br_plane_detach(plane, slot);
	interface->ifindex = ifindex;
	if (!ifindex) {
		br_log_warn("interface %s is gone", interface->name);
		return;
	}
	br_log_info("interface %s is back as index %u", interface->name, ifindex);
	if (br_plane_attach(plane, slot, &error))
		br_log_error("interface %s: %s", interface->name, error.detail);
	else if (br_plane_replicators_rebuild(plane, (unsigned int)slot))
		br_log_error("interface %s: cannot rebuild its copiers", interface->name);
}

static void br_plane_addresses_changed(void *context)
{
	struct br_plane *plane = context;

	plane->locals_changed = true;
}

static int br_plane_open_hops(struct br_plane *plane, struct br_error *error)
{
	struct br_next_hops_options options = {
		.table = plane->hop_table,
		.capacity = plane->options.max_legs,
		.interface_count = plane->options.interface_count,
	};
	struct br_next_hops_events events = {
		.moved = br_plane_hop_moved,
		.waits_changed = br_plane_hop_waits_changed,
		.interface_changed = br_plane_interface_changed,
		.addresses_changed = br_plane_addresses_changed,
		.context = plane,
	};
	int err;

	for (size_t i = 0; i < options.interface_count; i++) {
		memcpy(options.interfaces[i].name, plane->interfaces[i].name,
		       sizeof(options.interfaces[i].name));
		options.interfaces[i].ifindex = plane->interfaces[i].ifindex;
		options.interfaces[i].absent = plane->adopting;
	}
	err = br_next_hops_open(&options, &events, &plane->hops, error);
	if (!err)
		br_plane_locals_refresh(plane); /* now that changes are heard of */
	return err;
}

/* The loop and the tap; without XDP nothing would ever come in there. */
static int br_plane_open_devices(struct br_plane *plane, struct br_error *error)
{
	int err;

	plane->slow_all = plane->mode == BR_XDP_NONE;
	if (plane->mode == BR_XDP_NONE)
		return 0;
	err = br_plane_loop_open(plane, error);
	if (!err)
		err = br_plane_tap_open(plane, error);
	if (err || plane->mode != BR_XDP_GENERIC)
		return err;
	if (!plane->adopting)
		plane->pins.settings.clones_shared = !br_plane_clones_private(plane);
	plane->slow_all = plane->pins.settings.clones_shared;
	return 0;
}

int br_plane_open(const struct br_plane_options *options, struct br_plane **out,
		  struct br_error *error)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct br_error ignored;
	struct br_plane *plane;
	int err;

	if (!error)
		error = &ignored;
	err = br_plane_check_options(options, error);
	if (err)
		return err;
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* before kernel 5.11 maps count as locked memory */
	libbpf_set_print(br_libbpf_print);
	plane = calloc(1, sizeof(*plane));
	if (!plane)
		return br_error_set(error, -ENOMEM, NULL, "no memory");
	plane->options = *options;
	plane->cpus = libbpf_num_possible_cpus();
	for (size_t i = 0; i < BR_REPLICATORS; i++)
		plane->replicators[i] = -1;
	for (size_t i = 0; i < BR_EGRESS_MAX; i++)
		plane->interfaces[i].link = -1;
	for (size_t i = 0; i < BR_LOOP_ENDS; i++)
		plane->loop.ends[i].link = -1;
	plane->tap.socket = -1;
	br_pins_init(&plane->pins);
	err = br_plane_open_state(plane, error);
	if (!err)
		err = br_plane_find_interfaces(plane, error);
	if (!err)
		err = br_plane_load(plane, error);
	if (!err)
		err = br_plane_make_tables(plane, error);
	if (!err)
		err = br_plane_open_hops(plane, error);
	if (!err)
		err = plane->adopting ? br_plane_adopt_links(plane, error)
				      : br_plane_choose_mode(plane, error);
	if (!err)
		err = br_plane_open_devices(plane, error);
	if (!err)
		err = br_plane_finish_state(plane, error);
	if (err) {
		plane->keep = plane->adopting; /* it serves; better our end than its */
		br_plane_close(plane);
		return err;
	}
	(void)br_features_open(&plane->features); /* without it nothing is known, as before 6.3 */
	br_plane_transmit_tick(plane);
	*out = plane;
	return 0;
}

void br_plane_close(struct br_plane *plane)
{
	if (!plane)
		return;
	/* what is kept stays pinned: only our descriptors go */
	if (!br_pins_in_use(&plane->pins))
		plane->keep = false;
	for (size_t i = 0; i < plane->options.interface_count; i++)
		if (!plane->keep)
			br_plane_detach(plane, i);
		else if (plane->interfaces[i].link >= 0)
			close(plane->interfaces[i].link);
	br_plane_loop_close(plane);
	br_plane_tap_close(plane);
	br_plane_replicators_close(plane);
	if (plane->keep)
		br_next_hops_abandon(plane->hops);
	else
		br_next_hops_close(plane->hops);
	br_plane_capture_close(plane);
	ring_buffer__free(plane->ring);
	if (plane->bpf) {
		br_plane_unmap(plane->bpf->maps.legs, plane->leg_table);
		br_plane_unmap(plane->bpf->maps.routes, plane->route_table);
		br_plane_unmap(plane->bpf->maps.edges, plane->edge_table);
		br_plane_unmap(plane->bpf->maps.next_hops, plane->hop_table);
		br_plane_unmap(plane->bpf->maps.leg_states, plane->state_table);
		br_plane_unmap(plane->bpf->maps.slow_legs, plane->slow_legs);
		br_plane_unmap(plane->bpf->maps.slow_streams, plane->slow_streams);
		br_plane_unmap(plane->bpf->maps.slow_totals, plane->slow_totals);
	}
	relay_bpf__destroy(plane->bpf);
	br_features_close(&plane->features);
	br_pins_close(&plane->pins, plane->keep);
	free(plane->adopted_hops.uses);
	free(plane->slot_search.known);
	free(plane->marks);
	free(plane->hop_legs);
	free(plane->locals);
	free(plane->local_uses);
	free(plane->moved);
	free(plane->leg_index);
	br_slots_free(plane->leg_slots);
	br_runs_free(plane->edge_runs);
	free(plane->legs);
	free(plane->streams);
	free(plane->routes);
	free(plane);
}

void br_plane_set_keep(struct br_plane *plane, bool keep)
{
	plane->keep = keep;
}

bool br_plane_adopted(const struct br_plane *plane)
{
	return plane->adopting;
}

void br_plane_set_events(struct br_plane *plane, const struct br_plane_events *events)
{
	plane->events = *events;
}

size_t br_plane_fds(const struct br_plane *plane, int fds[static BR_PLANE_FDS])
{
	fds[0] = br_next_hops_fd(plane->hops);
	fds[1] = ring_buffer__epoll_fd(plane->ring);
	if (plane->tap.socket < 0)
		return 2;
	fds[2] = plane->tap.socket;
	return BR_PLANE_FDS;
}

void br_plane_dispatch(struct br_plane *plane, int fd)
{
	if (fd == ring_buffer__epoll_fd(plane->ring)) {
		ring_buffer__consume(plane->ring);
		return;
	}
	if (fd == plane->tap.socket) {
		br_plane_tap_read(plane);
		return;
	}
	br_next_hops_dispatch(plane->hops);
	if (plane->locals_changed)
		br_plane_locals_refresh(plane);
	br_plane_routes_relay(plane);
}

void br_plane_tick(struct br_plane *plane)
{
	br_next_hops_tick(plane->hops);
	if (plane->locals_changed)
		br_plane_locals_refresh(plane);
	br_plane_transmit_tick(plane);
	br_plane_adopt_hops_tick(plane);
	br_plane_waiting_tick(plane);
	br_plane_routes_relay(plane);
	br_plane_slot_search_tick(plane);
	br_slots_settle(plane->leg_slots, br_now_ns());
	br_runs_settle(plane->edge_runs, br_now_ns());
}
