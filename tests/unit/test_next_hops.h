/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world for the tests of next hops: a network namespace for the relay with two media
 * interfaces and a foreign one, and one for everybody else. Needs root; skips without.
 *
 *   relay                                   peer
 *   med0 10.1.0.1 fd01::1  02::a0  ───────  far0 10.1.0.2 .3 fd01::2 ::3  02::b0
 *   med1 10.2.0.1 fd02::1  02::a1  ───────  far1 10.2.0.2    fd02::2      02::b1
 *   oth0 10.9.0.1                  ───────  far9 10.9.0.2
 */
#ifndef TEST_NEXT_HOPS_H
#define TEST_NEXT_HOPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "lib/log.h"
#include "plane/next_hops.h"

#define WORLD_CAPACITY 4096u

struct world {
	int relay; /* namespaces */
	int peer;
	struct br_next_hop table[WORLD_CAPACITY];
	struct br_next_hop before[WORLD_CAPACITY]; /* remember_table */
	struct br_next_hops *hops;
	/* what the module told */
	unsigned int moves;
	struct br_next_hop_info last_move;
	struct br_addr last_moved;
	unsigned int changes;
	unsigned int addresses_changes;
	size_t last_slot;
	uint32_t last_ifindex;
	bool last_up;
	bool waits[WORLD_CAPACITY]; /* per entry, as told */
};

static struct world world;

static inline uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Run a shell command in a namespace; its exit status. */
static inline int run_in(int netns, const char *command)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		if (setns(netns, CLONE_NEWNET) == 0)
			execl("/bin/sh", "sh", "-ec", command, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void in_relay(const char *command)
{
	if (run_in(world.relay, command))
		fail_msg("in the relay: %s", command);
}

static inline void in_peer(const char *command)
{
	if (run_in(world.peer, command))
		fail_msg("in the peer: %s", command);
}

#define WORLD_SETTINGS "ip link set lo up; echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad"

/* A neighbour that does not answer fails in 0.3 s instead of 3 s; then the interface goes up. */
static inline void world_up(int netns, const char *name)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "cd /proc/sys/net; for v in 4 6; do echo 100 > ipv$v/neigh/%s/retrans_time_ms; "
		 "echo 1 > ipv$v/neigh/%s/delay_first_probe_time; done; echo 0 > "
		 "ipv4/neigh/%s/locktime; ip link set %s up",
		 name, name, name, name);
	assert_int_equal(run_in(netns, command), 0);
}

/* A veth pair: name and last digit of the MAC addresses on both ends. */
static inline void world_pair(const char *name, const char *far, char digit)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "ip link add %s address 02:00:00:00:00:a%c type veth peer name %s address "
		 "02:00:00:00:00:b%c netns /proc/%d/fd/%d",
		 name, digit, far, digit, (int)getpid(), world.peer);
	in_relay(command);
	world_up(world.relay, name);
	world_up(world.peer, far);
}

static inline void world_med0(void)
{
	world_pair("med0", "far0", '0');
	in_relay("ip addr add 10.1.0.1/24 dev med0; ip addr add fd01::1/64 dev med0 nodad");
	in_peer("for a in 10.1.0.2/24 10.1.0.3/24 fd01::2/64 fd01::3/64; do ip addr add $a dev "
		"far0; done");
}

static inline int new_namespace(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline int world_setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.peer = new_namespace();
	world.relay = world.peer < 0 ? -1 : new_namespace();
	if (world.relay < 0)
		return 0; /* no privilege: world_open skips */
	in_relay(WORLD_SETTINGS);
	in_peer(WORLD_SETTINGS);
	world_med0();
	world_pair("med1", "far1", '1');
	in_relay("ip addr add 10.2.0.1/24 dev med1; ip addr add fd02::1/64 dev med1 nodad");
	in_peer("ip addr add 10.2.0.2/24 dev far1; ip addr add fd02::2/64 dev far1");
	world_pair("oth0", "far9", '9');
	in_relay("ip addr add 10.9.0.1/24 dev oth0");
	in_peer("ip addr add 10.9.0.2/24 dev far9");
	return 0;
}

static inline int world_teardown(void **state)
{
	(void)state;
	br_next_hops_close(world.hops);
	world.hops = NULL;
	if (world.relay > 0)
		close(world.relay);
	if (world.peer > 0)
		close(world.peer);
	return 0;
}

static inline void on_moved(void *context, const struct br_addr *remote,
			    const struct br_next_hop_info *info)
{
	assert_ptr_equal(context, &world);
	world.moves++;
	world.last_moved = *remote;
	world.last_move = *info;
}

static inline void on_waits(void *context, uint32_t index, bool waits)
{
	assert_ptr_equal(context, &world);
	assert_in_range(index, 1, WORLD_CAPACITY - 1);
	world.waits[index] = waits;
}

static inline void on_interface(void *context, size_t slot, uint32_t ifindex, bool up)
{
	assert_ptr_equal(context, &world);
	world.changes++;
	world.last_slot = slot;
	world.last_ifindex = ifindex;
	world.last_up = up;
}

static inline void on_addresses(void *context)
{
	assert_ptr_equal(context, &world);
	world.addresses_changes++;
}

static inline int world_try_open(const char *first, const char *second, uint32_t capacity,
				 struct br_error *error)
{
	struct br_next_hops_options options = {.table = world.table, .capacity = capacity};
	struct br_next_hops_events events = {
		.moved = on_moved,
		.waits_changed = on_waits,
		.interface_changed = on_interface,
		.addresses_changed = on_addresses,
		.context = &world,
	};
	const char *names[] = {first, second};

	for (size_t i = 0; i < 2 && names[i]; i++) {
		struct br_next_hops_interface *interface = &options.interfaces[i];

		snprintf(interface->name, sizeof(interface->name), "%s", names[i]);
		interface->ifindex = if_nametoindex(names[i]);
		options.interface_count = i + 1;
	}
	return br_next_hops_open(&options, &events, &world.hops, error);
}

static inline void world_need_root(void)
{
	if (world.relay < 0) {
		print_message("SKIP: network namespaces need root\n");
		skip();
	}
}

static inline void world_open(const char *first, const char *second)
{
	struct br_error error = {0};

	world_need_root();
	if (world_try_open(first, second, WORLD_CAPACITY, &error))
		fail_msg("open: %s: %s", error.field, error.detail);
}

static inline struct br_addr addr(const char *text)
{
	struct br_addr out;

	if (!br_addr_parse(text, &out))
		fail_msg("bad address in the test: %s", text);
	return out;
}

static inline struct br_next_hop_info get(const char *text)
{
	struct br_addr remote = addr(text);
	struct br_next_hop_info info;
	struct br_error error = {0};

	if (br_next_hops_get(world.hops, &remote, &info, &error))
		fail_msg("get %s: %s", text, error.detail);
	assert_in_range(info.index, 1, WORLD_CAPACITY - 1);
	return info;
}

static inline struct br_next_hop_info look(const char *text)
{
	struct br_addr remote = addr(text);
	struct br_next_hop_info info;

	assert_int_equal(br_next_hops_info(world.hops, &remote, &info), 0);
	return info;
}

static inline const struct br_next_hop *entry(const char *text)
{
	return &world.table[look(text).index];
}

/*
 * Serve the module as the event loop does until @condition holds; false after @ms. The
 * tick comes every 100 ms, everything else by the descriptor.
 */
static inline bool serve_until(bool (*condition)(const void *), const void *argument, uint64_t ms)
{
	uint64_t end = now_ms() + ms, tick = now_ms() + 100, now;

	while (!condition(argument)) {
		struct pollfd fd = {.fd = br_next_hops_fd(world.hops), .events = POLLIN};

		now = now_ms();
		if (now >= end)
			return false;
		if (now >= tick) {
			br_next_hops_tick(world.hops);
			tick = now + 100;
			continue;
		}
		if (poll(&fd, 1, (int)(tick - now)) > 0)
			br_next_hops_dispatch(world.hops);
	}
	return true;
}

/* Also: what was told last about this entry is what it is now. */
static inline bool is_ready(const void *text)
{
	const struct br_next_hop *hop = entry(text);
	struct br_next_hop_info info = look(text);

	assert_int_equal(info.ready, hop->state == BR_NEXT_HOP_READY);
	assert_int_equal(info.waits, world.waits[info.index]);
	assert_false(info.ready && info.waits);
	return hop->state == BR_NEXT_HOP_READY;
}

static inline bool is_not_ready(const void *text)
{
	return !is_ready(text);
}

static inline void wait_ready(const char *text)
{
	if (!serve_until(is_ready, text, 5000))
		fail_msg("%s does not become ready", text);
}

static inline void wait_not_ready(const char *text)
{
	if (!serve_until(is_not_ready, text, 5000))
		fail_msg("%s stays ready", text);
}

/* Far MAC 02:…:b<digit> and own 02:…:a<digit>, everything else as the link is. */
static inline void expect_entry(const char *text, uint8_t far, uint8_t own, const char *interface,
				uint16_t egress, uint16_t mtu)
{
	const struct br_next_hop *hop = entry(text);
	const uint8_t destination[6] = {2, 0, 0, 0, 0, far}, source[6] = {2, 0, 0, 0, 0, own};

	assert_int_equal(hop->state, BR_NEXT_HOP_READY);
	assert_memory_equal(hop->destination, destination, 6);
	assert_memory_equal(hop->source, source, 6);
	assert_int_equal(hop->ifindex, if_nametoindex(interface));
	assert_int_equal(hop->egress, egress);
	assert_int_equal(look(text).egress, egress);
	assert_int_equal(hop->mtu, mtu);
	assert_int_equal(hop->vlans, 0);
	assert_int_equal(hop->reserved16, 0);
	assert_int_equal(hop->reserved, 0);
}

static inline void expect_local(const char *text, const char *local)
{
	struct br_next_hop_info info = look(text);
	struct br_addr want = addr(local);

	assert_true(br_addr_equal(&info.local, &want));
}

static inline void remember_table(void)
{
	memcpy(world.before, world.table, sizeof(world.before));
}

static inline unsigned int entries_changed(void)
{
	unsigned int changed = 0;

	for (uint32_t i = 0; i < WORLD_CAPACITY; i++)
		changed += memcmp(&world.before[i], &world.table[i], sizeof(world.before[i])) != 0;
	return changed;
}

struct mac_is {
	const char *text;
	uint8_t last; /* byte of the destination */
};

static inline bool mac_is(const void *argument)
{
	const struct mac_is *want = argument;

	return entry(want->text)->destination[5] == want->last && is_ready(want->text);
}

static inline void wait_mac(const char *text, uint8_t last)
{
	struct mac_is want = {text, last};

	if (!serve_until(mac_is, &want, 5000))
		fail_msg("%s does not get MAC 02:00:00:00:00:%02x", text, last);
}

static inline bool has_moved(const void *count)
{
	return world.moves >= *(const unsigned int *)count;
}

static inline void wait_moves(unsigned int count)
{
	if (!serve_until(has_moved, &count, 3000))
		fail_msg("%u of %u moves were told", world.moves, count);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

#endif
