/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hops follow routes, links and addresses, also when announcements are lost; and how fast. */
#include "test_next_hops.h"

#include <sys/socket.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include "plane/next_hops_internal.h"

static void test_gateway_changes(void **state)
{
	uint32_t old;

	(void)state;
	world_open("med0", "med1");
	in_relay("ip route add default via 10.1.0.2; ip -6 route add default via fd01::2");
	old = get("192.0.2.1").index;
	get("fd77::1");
	wait_ready("192.0.2.1");
	in_relay("ip route replace default via 10.1.0.3");
	wait_moves(1);
	assert_true(world.last_moved.family == 4);
	assert_int_equal(world.last_move.index, look("192.0.2.1").index);
	assert_int_not_equal(world.last_move.index, old);
	assert_int_equal(world.table[old].state, BR_NEXT_HOP_NONE);
	wait_ready("192.0.2.1");
	/* to the other interface: egress and local address change too */
	in_relay("ip route replace default via 10.2.0.2; ip -6 route add fd77::/64 via fd02::2");
	wait_moves(3);
	wait_ready("192.0.2.1");
	wait_ready("fd77::1");
	expect_entry("192.0.2.1", 0xb1, 0xa1, "med1", 1, 1500);
	expect_entry("fd77::1", 0xb1, 0xa1, "med1", 1, 1500);
	expect_local("192.0.2.1", "10.2.0.1");
	expect_local("fd77::1", "fd02::1");
	assert_int_equal(world.moves, 3);
}

static void test_route_goes_and_comes(void **state)
{
	(void)state;
	world_open("med0", "med1");
	in_relay("ip route add 192.0.2.0/24 via 10.1.0.2");
	get("192.0.2.1");
	wait_ready("192.0.2.1");
	in_relay("ip route del 192.0.2.0/24");
	wait_moves(1);
	assert_int_equal(world.last_move.index, 0);
	assert_false(world.last_move.ready);
	/* a route over an interface that is not ours leads nowhere either, and is no news */
	in_relay("ip route add 192.0.2.0/24 via 10.9.0.2");
	serve_until(is_ready, "192.0.2.1", 200);
	assert_int_equal(world.moves, 1);
	in_relay("ip route replace 192.0.2.0/24 via 10.2.0.2");
	wait_moves(2);
	wait_ready("192.0.2.1");
	expect_entry("192.0.2.1", 0xb1, 0xa1, "med1", 1, 1500);
	in_relay("ip rule add to 192.0.2.0/24 lookup 77; ip route add default via 10.1.0.3 table "
		 "77");
	wait_moves(3);
	wait_ready("192.0.2.1");
	expect_entry("192.0.2.1", 0xb0, 0xa0, "med0", 0, 1500);
	in_relay("ip nexthop add id 5 via 10.1.0.2 dev med0; ip route add 198.51.100.0/24 nhid 5");
	get("198.51.100.1");
	assert_int_equal(get("10.1.0.2").index, look("198.51.100.1").index);
	in_relay("ip nexthop replace id 5 via 10.2.0.2 dev med1");
	wait_moves(4);
	wait_ready("198.51.100.1");
	expect_entry("198.51.100.1", 0xb1, 0xa1, "med1", 1, 1500);
}

static void test_local_address_changes(void **state)
{
	(void)state;
	world_open("med0", "med1");
	get("10.1.0.2");
	wait_ready("10.1.0.2");
	world.addresses_changes = 0;
	in_relay("ip addr add 10.1.0.9/24 dev med0; ip route change 10.1.0.0/24 dev med0 src "
		 "10.1.0.9");
	wait_moves(1);
	expect_local("10.1.0.2", "10.1.0.9");
	assert_int_equal(world.last_move.index, look("10.1.0.2").index);
	assert_true(is_ready("10.1.0.2"));
	assert_int_not_equal(world.addresses_changes, 0);
}

static bool has_changed(const void *count)
{
	return world.changes >= *(const unsigned int *)count;
}

static void wait_changes(unsigned int count, size_t slot, uint32_t ifindex, bool up)
{
	if (!serve_until(has_changed, &count, 3000))
		fail_msg("%u of %u interface changes were told", world.changes, count);
	assert_int_equal(world.changes, count);
	assert_int_equal(world.last_slot, slot);
	assert_int_equal(world.last_ifindex, ifindex);
	assert_int_equal(world.last_up, up);
}

static void test_carrier(void **state)
{
	uint32_t ifindex;

	(void)state;
	world_open("med0", "med1");
	ifindex = if_nametoindex("med0");
	get("10.1.0.2");
	get("fd01::2");
	wait_ready("10.1.0.2");
	wait_ready("fd01::2");
	in_peer("ip link set far0 down");
	wait_changes(1, 0, ifindex, false);
	assert_false(is_ready("10.1.0.2"));
	assert_false(is_ready("fd01::2"));
	in_peer("ip link set far0 address 02:00:00:00:00:d0; ip link set far0 up; ip addr add "
		"fd01::2/64 dev far0 nodad");
	wait_changes(2, 0, ifindex, true);
	wait_mac("10.1.0.2", 0xd0);
	wait_mac("fd01::2", 0xd0);
}

static void test_link_down_and_up(void **state)
{
	uint32_t ifindex;

	(void)state;
	world_open("med1", "med0");
	ifindex = if_nametoindex("med0");
	in_relay("ip route add default via 10.1.0.2 metric 5; ip route add default via 10.2.0.2 "
		 "metric 50");
	get("192.0.2.1");
	get("10.1.0.2");
	wait_ready("192.0.2.1");
	expect_entry("192.0.2.1", 0xb0, 0xa0, "med0", 1, 1500);
	in_relay("ip link set med0 down");
	wait_changes(1, 1, ifindex, false);
	/* the kernel does not announce that the routes are gone */
	wait_moves(1);
	wait_ready("192.0.2.1");
	expect_entry("192.0.2.1", 0xb1, 0xa1, "med1", 0, 1500);
	in_relay("ip link set med0 up; ip route add default via 10.1.0.2 metric 5");
	wait_changes(2, 1, ifindex, true);
	wait_ready("10.1.0.2");
	wait_ready("192.0.2.1");
	expect_entry("192.0.2.1", 0xb0, 0xa0, "med0", 1, 1500);
}

struct wanted_entry {
	const char *text;
	uint16_t mtu;
	uint8_t own;
};

static bool entry_is(const void *argument)
{
	const struct wanted_entry *want = argument;

	return entry(want->text)->mtu == want->mtu && entry(want->text)->source[5] == want->own;
}

static void test_mtu_and_own_mac(void **state)
{
	struct wanted_entry want = {"10.1.0.2", 1400, 0xa0};

	(void)state;
	world_open("med0", "med1");
	get("10.1.0.2");
	get("fd01::2");
	get("10.2.0.2");
	wait_ready("10.1.0.2");
	wait_ready("fd01::2");
	wait_ready("10.2.0.2");
	remember_table();
	in_relay("ip link set med0 mtu 1400");
	assert_true(serve_until(entry_is, &want, 3000));
	expect_entry("fd01::2", 0xb0, 0xa0, "med0", 0, 1400);
	assert_int_equal(entries_changed(), 2);
	assert_int_equal(world.moves, 0);
	in_relay("ip link set med0 address 02:00:00:00:00:e0");
	want.own = 0xe0;
	assert_true(serve_until(entry_is, &want, 3000));
	wait_ready("10.1.0.2");
	wait_ready("fd01::2");
	expect_entry("10.1.0.2", 0xb0, 0xe0, "med0", 0, 1400);
	expect_entry("fd01::2", 0xb0, 0xe0, "med0", 0, 1400);
	expect_entry("10.2.0.2", 0xb1, 0xa1, "med1", 1, 1500);
	assert_int_equal(world.changes, 0);
}

static void test_deleted_and_recreated(void **state)
{
	uint32_t index, ifindex;

	(void)state;
	world_open("med0", "med1");
	ifindex = if_nametoindex("med0");
	index = get("10.1.0.2").index;
	get("10.2.0.2");
	wait_ready("10.1.0.2");
	wait_ready("10.2.0.2");
	in_relay("ip link del med0");
	serve_until(has_moved, &(unsigned int){1}, 3000);
	wait_changes(world.changes, 0, 0, false);
	assert_int_equal(look("10.1.0.2").index, 0);
	assert_int_equal(world.table[index].state, BR_NEXT_HOP_NONE);
	assert_true(is_ready("10.2.0.2"));
	world.changes = world.moves = 0;
	world_med0();
	wait_moves(1);
	wait_ready("10.1.0.2");
	assert_int_not_equal(if_nametoindex("med0"), ifindex);
	assert_int_equal(world.last_slot, 0);
	assert_int_equal(world.last_ifindex, if_nametoindex("med0"));
	assert_true(world.last_up);
	expect_entry("10.1.0.2", 0xb0, 0xa0, "med0", 0, 1500);
}

static void test_bridge_port_is_not_a_deletion(void **state)
{
	(void)state;
	world_open("med0", "med1");
	get("10.2.0.2");
	wait_ready("10.2.0.2");
	in_relay("ip link add br7 type bridge; ip link set med0 master br7; ip link set med0 "
		 "nomaster");
	serve_until(has_changed, &(unsigned int){1}, 300);
	assert_int_equal(world.changes, 0);
}

static uint32_t announcements_lost(void)
{
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t length = sizeof(memory);

	assert_int_equal(getsockopt(world.hops->events.fd, SOL_SOCKET, SO_MEMINFO, memory, &length),
			 0);
	return memory[SK_MEMINFO_DROPS];
}

static void test_lost_announcements(void **state)
{
	int size = 1;

	(void)state;
	world_open("med0", "med1");
	in_relay("ip route add 192.0.2.0/24 via 10.1.0.2");
	get("192.0.2.1");
	get("10.1.0.3");
	wait_ready("192.0.2.1");
	wait_ready("10.1.0.3");
	/* room for a few messages only, then more than fit; what matters comes last and is lost */
	assert_int_equal(
		setsockopt(world.hops->events.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)),
		0);
	in_relay("for i in $(seq 10 60); do ip neigh add 10.2.0.$i dev med1 lladdr "
		 "02:00:00:00:00:01; done; ip neigh replace 10.1.0.3 dev med0 lladdr "
		 "02:00:00:00:00:d3 nud permanent; ip link set med0 mtu 1300; ip route replace "
		 "192.0.2.0/24 via 10.2.0.2; ip link del med1; ip link del oth0");
	assert_int_not_equal(announcements_lost(), 0);
	wait_mac("10.1.0.3", 0xd3);
	wait_moves(1);
	assert_int_equal(look("192.0.2.1").index, 0);
	assert_int_equal(entry("10.1.0.3")->mtu, 1300);
	assert_int_equal(world.last_slot, 1);
	assert_int_equal(world.last_ifindex, 0);
}

/*
 * The kernel announces that a link goes before it takes IPv4 routes away, and does not
 * announce those. Here: an announcement about a link, then a change that nobody is told of.
 */
static void test_silent_change_after_a_link(void **state)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} message = {
		.header = {.nlmsg_len = sizeof(message), .nlmsg_type = RTM_NEWLINK},
		.link = {.ifi_family = AF_UNSPEC, .ifi_change = IFF_UP},
	};
	uint8_t swallowed[32768];

	(void)state;
	world_open("med0", "med1");
	in_relay("ip route add 192.0.2.0/24 via 10.1.0.2");
	get("192.0.2.1");
	wait_ready("192.0.2.1");
	message.link.ifi_index = (int)if_nametoindex("oth0");
	br_hops_event(world.hops, &message.header);
	br_next_hops_dispatch(world.hops);
	in_relay("ip route replace 192.0.2.0/24 via 10.2.0.2");
	while (recv(world.hops->events.fd, swallowed, sizeof(swallowed), 0) > 0)
		;
	wait_moves(1);
	wait_ready("192.0.2.1");
	expect_entry("192.0.2.1", 0xb1, 0xa1, "med1", 1, 1500);
}

/* --- many --- */

#define MANY 1000u

static void put_from_moved(void *context, const struct br_addr *remote,
			   const struct br_next_hop_info *info)
{
	on_moved(context, remote, info);
	br_next_hops_put(world.hops, remote);
}

static void get_many(const char *format)
{
	char text[BR_ADDR_TEXT];

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), format, i / 250, i % 250 + 1);
		get(text);
	}
}

static void test_many_follow_a_route(void **state)
{
	uint64_t began;

	(void)state;
	world_open("med0", "med1");
	in_relay("ip route add 10.50.0.0/16 via 10.1.0.2");
	began = now_ms();
	get_many("10.50.%u.%u");
	print_message("%u addresses taken in %u ms\n", MANY, (unsigned int)(now_ms() - began));
	wait_ready("10.50.0.1");
	in_relay("ip route replace 10.50.0.0/16 via 10.2.0.2");
	began = now_ms();
	wait_moves(MANY);
	print_message("%u addresses behind a gateway followed in %u ms\n", MANY,
		      (unsigned int)(now_ms() - began));
	wait_ready("10.50.3.250");
	expect_entry("10.50.3.250", 0xb1, 0xa1, "med1", 1, 1500);
	assert_int_equal(world.moves, MANY);
	/* those who are told may let go; the other half of the batch is still settled */
	world.hops->told.moved = put_from_moved;
	in_relay("ip route del 10.50.0.0/16");
	wait_moves(2 * MANY);
	assert_int_equal(world.hops->remotes.count, 0);
	assert_int_equal(world.hops->hops.count, 0);
}

static bool all_ready(const void *format)
{
	char text[BR_ADDR_TEXT];

	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), format, i / 250, i % 250 + 1);
		if (!is_ready(text))
			return false;
	}
	return true;
}

static void test_many_neighbours(void **state)
{
	static const char format[] = "10.60.%u.%u";
	uint64_t began;

	(void)state;
	world_open("med0", "med1");
	in_relay("ip route add 10.60.0.0/16 dev med0");
	in_peer("ip route add local 10.60.0.0/16 dev far0");
	get_many(format);
	began = now_ms();
	/* far more than the kernel's soft limit of 512 neighbours: it makes room all the time */
	assert_true(serve_until(all_ready, format, 20000));
	print_message("%u neighbours resolved in %u ms\n", MANY, (unsigned int)(now_ms() - began));
	in_relay("ip route del 10.60.0.0/16; ip route add 10.60.0.0/16 via 10.2.0.2");
	began = now_ms();
	wait_moves(MANY);
	print_message("%u neighbours became one gateway in %u ms\n", MANY,
		      (unsigned int)(now_ms() - began));
	assert_true(serve_until(all_ready, format, 5000));
	assert_int_equal(look("10.60.0.1").index, look("10.60.3.250").index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_gateway_changes),
		WORLD_TEST(test_route_goes_and_comes),
		WORLD_TEST(test_local_address_changes),
		WORLD_TEST(test_carrier),
		WORLD_TEST(test_link_down_and_up),
		WORLD_TEST(test_mtu_and_own_mac),
		WORLD_TEST(test_deleted_and_recreated),
		WORLD_TEST(test_bridge_port_is_not_a_deletion),
		WORLD_TEST(test_lost_announcements),
		WORLD_TEST(test_silent_change_after_a_link),
		WORLD_TEST(test_many_follow_a_route),
		WORLD_TEST(test_many_neighbours),
	};

	br_log_set_level(BR_LOG_ERROR);
	return cmocka_run_group_tests_name("next hops, changes", tests, NULL, NULL);
}
