// SPDX-License-Identifier: BSD-2-Clause
/*
 * The plane with as many legs as a relay has on a busy day: they all follow when the gateway
 * changes, and the time-driven work costs nothing while nothing happens.
 *
 *   relay                      peer
 *   med0 10.1.0.1/24  ───────  far0 10.1.0.2
 *   med1 10.2.0.1/24  ───────  far1 10.2.0.2
 */
#include <setjmp.h>
#include <stdarg.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "lib/log.h"
#include "plane/plane_private.h"

#define LEGS	 50000u
#define ROOM	 10u /* legs that receive each other */
#define MAX_LEGS 65536u
/*
 * What a quiet machine needs is far less (README); a busy one must not fail here, but a walk
 * over all slots per address, which took minutes, must.
 */
#define PATIENCE_NS (3000 * 1000000ULL)

static struct br_plane *plane;

static void shell(const char *command)
{
	int status = system(command);

	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail_msg("failed: %s", command);
}

/* A namespace for the relay in this process; the peers live in one of a child's. */
static void make_network(void)
{
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	shell("ip link set lo up; for i in 0 1; do ip link add med$i type veth peer name far$i; "
	      "ip addr add 10.$((i + 1)).0.1/24 dev med$i; "
	      "ip link set med$i up; ip link set far$i up; "
	      "ip neigh add 10.$((i + 1)).0.2 lladdr 02:00:00:00:00:b$i nud permanent dev med$i; "
	      "done; ip route add default via 10.1.0.2");
}

static void add_room(uint32_t first)
{
	uint32_t legs[ROOM], receivers[ROOM];
	struct br_error error = {0};

	for (uint32_t i = 0; i < ROOM; i++) {
		uint32_t number = first + i;
		struct br_leg_spec spec = {
			.remote = {.port = htons((uint16_t)(1024 + number % 7))},
			.publish = true,
			.ssrc_limit = 1,
		};
		char text[BR_ADDR_TEXT];

		snprintf(text, sizeof(text), "198.%u.%u.%u", 18 + number / 62500,
			 number / 250 % 250, number % 250 + 1);
		assert_true(br_addr_parse(text, &spec.remote.addr));
		if (br_plane_leg_add(plane, &spec, &legs[i], &error))
			fail_msg("leg %u: %s", number, error.detail);
	}
	for (uint32_t i = 0; i < ROOM; i++) {
		for (uint32_t k = 0; k + 1 < ROOM; k++)
			receivers[k] = legs[(i + k + 1) % ROOM];
		if (br_plane_leg_route(plane, legs[i], receivers, ROOM - 1, &error))
			fail_msg("route: %s", error.detail);
	}
}

static int setup(void **state)
{
	struct br_plane_options options = {
		.interfaces = {"med0", "med1"},
		.interface_count = 2,
		.mode = BR_XDP_GENERIC,
		.media_port = 40000,
		.max_legs = MAX_LEGS,
		.max_streams = 1024,
		.max_edges = 1 << 20,
		.chunk = BR_CHUNK_MAX,
		.burst_ms = 100,
	};
	struct br_error error = {0};

	(void)state;
	make_network();
	if (br_plane_open(&options, &plane, &error))
		fail_msg("the plane does not open: %s %s", error.field, error.detail);
	for (uint32_t i = 0; i < LEGS; i += ROOM)
		add_room(i);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	br_plane_close(plane);
	plane = NULL;
	return 0;
}

/* Is all that the kernel reads of this leg and of its route about this interface? */
static bool leg_uses(uint32_t leg, uint16_t egress, uint8_t mac)
{
	const struct br_next_hop *hop = &plane->hop_table[plane->leg_table[leg].next_hop];
	struct br_route route;

	memcpy(&route, &plane->route_table[leg], sizeof(route));
	if (hop->state != BR_NEXT_HOP_READY || hop->egress != egress ||
	    hop->destination[5] != mac || route.count != ROOM - 1)
		return false;
	for (uint32_t i = 0; i < route.count; i++)
		if (plane->edge_table[route.first + i].egress != egress)
			return false;
	return true;
}

/* Serve the plane as the event loop does until all legs use this next hop; how long that took. */
static uint64_t serve_until_all_use(uint16_t egress, uint8_t mac)
{
	uint64_t began = br_now_ns(), now = began;

	for (uint32_t leg = 0; now - began < PATIENCE_NS; now = br_now_ns()) {
		int fds[BR_PLANE_FDS];
		size_t count = br_plane_fds(plane, fds);
		struct pollfd ready = {.fd = fds[0], .events = POLLIN};

		assert_true(count >= 1);
		while (leg < LEGS && leg_uses(leg, egress, mac))
			leg++;
		if (leg == LEGS)
			return br_now_ns() - began;
		if (poll(&ready, 1, 100) > 0)
			br_plane_dispatch(plane, fds[0]);
		else
			br_plane_tick(plane);
	}
	fail_msg("not all legs have followed in %llu ms", PATIENCE_NS / 1000000);
	return 0;
}

/* Until nothing is left to be asked again, and nothing has been announced for a while. */
static void settle(void)
{
	uint64_t began = br_now_ns();
	struct pollfd news = {.events = POLLIN};
	int fds[BR_PLANE_FDS];

	assert_true(br_plane_fds(plane, fds) >= 1);
	news.fd = fds[0];
	while (br_next_hops_busy(plane->hops) || poll(&news, 1, 200) > 0) {
		assert_true(br_now_ns() - began < PATIENCE_NS);
		br_plane_dispatch(plane, fds[0]);
	}
}

static void test_gateway_on_the_same_interface(void **state)
{
	(void)state;
	serve_until_all_use(0, 0xb0);
	shell("ip neigh add 10.1.0.3 lladdr 02:00:00:00:00:d0 nud permanent dev med0; "
	      "ip route replace default via 10.1.0.3");
	print_message("%u legs followed the gateway in %.0f ms\n", LEGS,
		      (double)serve_until_all_use(0, 0xd0) / 1e6);
	shell("ip route replace default via 10.1.0.2");
	serve_until_all_use(0, 0xb0);
	settle();
}

/* The local address of every leg changes too. */
static void test_gateway_on_another_interface(void **state)
{
	(void)state;
	shell("ip route replace default via 10.2.0.2");
	print_message("%u legs followed to another interface in %.0f ms\n", LEGS,
		      (double)serve_until_all_use(1, 0xb1) / 1e6);
	shell("ip route replace default via 10.1.0.2");
	print_message("and back in %.0f ms\n", (double)serve_until_all_use(0, 0xb0) / 1e6);
}

static void test_gateway_with_another_address(void **state)
{
	uint32_t hop = plane->leg_table[0].next_hop;
	uint64_t began;

	(void)state;
	shell("ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:c7 nud permanent dev med0");
	began = br_now_ns();
	while (plane->hop_table[hop].destination[5] != 0xc7) {
		int fds[BR_PLANE_FDS];

		assert_true(br_now_ns() - began < PATIENCE_NS);
		br_plane_fds(plane, fds);
		br_plane_dispatch(plane, fds[0]);
	}
	print_message("%u legs behind a neighbour that moved: one write after %.2f ms\n", LEGS,
		      (double)(br_now_ns() - began) / 1e6);
	/* all of them, and none was touched */
	for (uint32_t i = 0; i < LEGS; i++)
		assert_int_equal(plane->leg_table[i].next_hop, hop);
}

static void test_quiet_tick(void **state)
{
	uint64_t worst = 0, total = 0;
	const int ticks = 50;

	(void)state;
	settle();
	for (int i = 0; i < ticks; i++) {
		uint64_t began = br_now_ns(), took;

		br_plane_tick(plane);
		took = br_now_ns() - began;
		total += took;
		worst = took > worst ? took : worst;
	}
	print_message("a tick with %u legs: %.3f ms, at most %.3f ms\n", LEGS,
		      (double)total / ticks / 1e6, (double)worst / 1e6);
	/* one pass over the legs is some 2 ms */
	assert_true(total / ticks < 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gateway_on_the_same_interface),
		cmocka_unit_test(test_gateway_on_another_interface),
		cmocka_unit_test(test_quiet_tick),
		cmocka_unit_test(test_gateway_with_another_address),
	};

	if (geteuid()) {
		printf("skip: network namespaces and BPF programs need root\n");
		return 77;
	}
	br_log_set_level(BR_LOG_ERROR);
	return cmocka_run_group_tests_name("plane, many legs", tests, setup, teardown);
}
