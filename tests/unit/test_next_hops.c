/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hops as they are found: neighbours, gateways, refusals, slots. In network namespaces. */
#include "test_next_hops.h"

#include <arpa/inet.h>

static void test_direct(void **state)
{
	(void)state;
	world_open("med0", "med1");
	get("10.1.0.2");
	get("fd01::2");
	get("10.2.0.2");
	get("fd02::2");
	wait_ready("10.1.0.2");
	wait_ready("fd01::2");
	wait_ready("10.2.0.2");
	wait_ready("fd02::2");
	expect_entry("10.1.0.2", 0xb0, 0xa0, "med0", 0, 1500);
	expect_entry("fd01::2", 0xb0, 0xa0, "med0", 0, 1500);
	expect_entry("10.2.0.2", 0xb1, 0xa1, "med1", 1, 1500);
	expect_entry("fd02::2", 0xb1, 0xa1, "med1", 1, 1500);
	expect_local("10.1.0.2", "10.1.0.1");
	expect_local("fd01::2", "fd01::1");
	expect_local("10.2.0.2", "10.2.0.1");
	expect_local("fd02::2", "fd02::1");
	assert_int_equal(world.moves, 0);
	assert_int_equal(world.changes, 0);
	assert_int_equal(world.table[0].state, BR_NEXT_HOP_NONE);
}

static void test_gateway_is_shared(void **state)
{
	uint32_t gateway, other;

	(void)state;
	world_open("med0", "med1");
	in_relay(
		"ip route add 192.0.2.0/24 via 10.1.0.2; ip -6 route add fd77::/16 via fd01::2; ip "
		"route add 198.51.100.0/24 via 10.1.0.3; ip route add 203.0.113.0/24 via inet6 "
		"fd01::2 dev med0");
	gateway = get("192.0.2.1").index;
	assert_int_equal(get("192.0.2.2").index, gateway);
	assert_int_equal(get("10.1.0.2").index, gateway);
	other = get("198.51.100.1").index;
	assert_int_not_equal(other, gateway);
	/* an IPv4 address behind an IPv6 gateway shares its neighbour */
	assert_int_equal(get("203.0.113.1").index, get("fd77::1").index);
	wait_ready("192.0.2.1");
	wait_ready("198.51.100.1");
	wait_ready("203.0.113.1");
	expect_entry("192.0.2.2", 0xb0, 0xa0, "med0", 0, 1500);
	expect_entry("203.0.113.1", 0xb0, 0xa0, "med0", 0, 1500);
	expect_local("203.0.113.1", "10.1.0.1");
}

static void test_route_mtu(void **state)
{
	(void)state;
	world_open("med0", "med1");
	in_relay("ip route add 192.0.2.0/25 via 10.1.0.2 mtu 1300; ip route add 192.0.2.128/25 via "
		 "10.1.0.2; ip -6 route add fd77::/16 via fd01::2 mtu 1280; ip route add "
		 "198.51.100.0/24 via 10.1.0.2 mtu 9000");
	get("192.0.2.1");
	get("192.0.2.129");
	get("fd77::1");
	get("198.51.100.1");
	wait_ready("192.0.2.1");
	wait_ready("192.0.2.129");
	wait_ready("fd77::1");
	wait_ready("198.51.100.1");
	expect_entry("192.0.2.1", 0xb0, 0xa0, "med0", 0, 1300);
	expect_entry("192.0.2.129", 0xb0, 0xa0, "med0", 0, 1500);
	expect_entry("fd77::1", 0xb0, 0xa0, "med0", 0, 1280);
	expect_entry("198.51.100.1", 0xb0, 0xa0, "med0", 0, 1500);
}

static void expect_refused(const char *text, const char *part, const char *other_part)
{
	struct br_addr remote = addr(text);
	struct br_next_hop_info info;
	struct br_error error = {0};

	assert_int_equal(br_next_hops_get(world.hops, &remote, &info, &error), -EHOSTUNREACH);
	assert_int_equal(error.code, -EHOSTUNREACH);
	assert_string_equal(error.field, "address");
	if (!strstr(error.detail, text) || !strstr(error.detail, part) ||
	    !strstr(error.detail, other_part))
		fail_msg("%s: \"%s\" lacks \"%s\" or \"%s\"", text, error.detail, part, other_part);
	assert_int_equal(br_next_hops_info(world.hops, &remote, &info), -ENOENT);
}

static void test_refused(void **state)
{
	(void)state;
	world_open("med0", "med1");
	expect_refused("10.9.0.2", "oth0", "med0, med1)");
	expect_refused("192.0.2.1", "no route", "med0, med1)");
	expect_refused("fd99::1", "no route", "med0, med1)");
	expect_refused("10.1.0.1", "over lo", "med0, med1)");
	expect_refused("fd01::1", "over lo", "med0, med1)");
	expect_refused("127.0.0.1", "over lo", "med0, med1)");
	expect_refused("224.0.0.1", "unicast", "");
	expect_refused("ff02::1", "unicast", "");
	expect_refused("10.1.0.255", "unicast", "");
	expect_refused("0.0.0.0", "unicast", "");
	expect_refused("fe80::1", "link-local", "med0, med1)");
	in_relay("ip route add blackhole 192.0.2.0/25; ip -6 route add unreachable fd98::/16; ip "
		 "route add prohibit 192.0.2.128/25");
	expect_refused("192.0.2.1", "no route", "med0, med1)");
	expect_refused("192.0.2.129", "no route", "med0, med1)");
	expect_refused("fd98::1", "no route", "med0, med1)");
	in_relay("ip -6 addr flush scope global; ip -6 route add fd97::/16 dev med0");
	expect_refused("fd97::1", "med0 has no usable source address", "");
	for (uint32_t i = 0; i < WORLD_CAPACITY; i++)
		assert_int_equal(world.table[i].state, BR_NEXT_HOP_NONE);
}

static void test_link_local_with_one_interface(void **state)
{
	(void)state;
	world_open("med0", NULL);
	in_peer("ip addr add fe80::77/64 dev far0");
	get("fe80::77");
	wait_ready("fe80::77");
	expect_entry("fe80::77", 0xb0, 0xa0, "med0", 0, 1500);
}

static void test_loopback(void **state)
{
	static const uint8_t zero[6];
	static const char *const addresses[] = {"127.0.0.1", "127.1.2.3", "::1", "10.1.0.1",
						"fd01::1"};

	(void)state;
	world_open("lo", "med0");
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		/* nobody is asked: ready at once */
		assert_true(get(addresses[i]).ready);
		assert_memory_equal(entry(addresses[i])->destination, zero, 6);
		assert_memory_equal(entry(addresses[i])->source, zero, 6);
		assert_int_equal(entry(addresses[i])->egress, 0);
		assert_int_equal(entry(addresses[i])->mtu, 65535);
		assert_int_equal(entry(addresses[i])->ifindex, if_nametoindex("lo"));
	}
	expect_local("127.0.0.1", "127.0.0.1");
	expect_local("10.1.0.1", "10.1.0.1");
	get("10.1.0.2");
	wait_ready("10.1.0.2");
	expect_entry("10.1.0.2", 0xb0, 0xa0, "med0", 1, 1500);
}

static void test_link_without_arp(void **state)
{
	(void)state;
	world_need_root();
	in_relay("ip link set med0 arp off; ip neigh add 10.1.0.3 dev med0 lladdr "
		 "02:00:00:00:00:c3 nud permanent");
	world_open("med0", "med1");
	assert_true(get("10.1.0.3").ready);
	expect_entry("10.1.0.3", 0xc3, 0xa0, "med0", 0, 1500);
	/* the kernel itself would use the interface's own address */
	assert_true(get("10.1.0.2").ready);
	expect_entry("10.1.0.2", 0xa0, 0xa0, "med0", 0, 1500);
}

static bool is_permanent(const void *text)
{
	char command[128];

	snprintf(command, sizeof(command), "ip neigh show to %s | grep -q PERMANENT",
		 (const char *)text);
	return run_in(world.relay, command) == 0;
}

static bool never(const void *argument)
{
	(void)argument;
	return false;
}

static void test_permanent_stays(void **state)
{
	(void)state;
	world_open("med0", "med1");
	in_relay("ip neigh add 10.1.0.50 dev med0 lladdr 02:00:00:00:00:c5 nud permanent; ip neigh "
		 "add fd01::50 dev med0 lladdr 02:00:00:00:00:c6 nud permanent");
	assert_true(get("10.1.0.50").ready);
	assert_true(get("fd01::50").ready);
	get("10.1.0.51");
	expect_entry("10.1.0.50", 0xc5, 0xa0, "med0", 0, 1500);
	expect_entry("fd01::50", 0xc6, 0xa0, "med0", 0, 1500);
	/* one that is being asked for becomes permanent, and is asked for no longer */
	in_relay("ip neigh replace 10.1.0.51 dev med0 lladdr 02:00:00:00:00:c7 nud permanent");
	serve_until(never, NULL, 1500);
	expect_entry("10.1.0.51", 0xc7, 0xa0, "med0", 0, 1500);
	assert_true(is_permanent("10.1.0.50"));
	assert_true(is_permanent("10.1.0.51"));
	assert_true(is_permanent("fd01::50"));
}

static void put(const char *text)
{
	struct br_addr remote = addr(text);

	br_next_hops_put(world.hops, &remote);
}

static void test_references(void **state)
{
	struct br_addr remote = addr("10.1.0.2");
	struct br_next_hop_info info;
	uint32_t index;

	(void)state;
	world_open("med0", "med1");
	index = get("10.1.0.2").index;
	assert_int_equal(get("10.1.0.2").index, index);
	wait_ready("10.1.0.2");
	put("10.1.0.2");
	assert_int_equal(world.table[index].state, BR_NEXT_HOP_READY);
	put("10.1.0.2");
	assert_int_equal(world.table[index].state, BR_NEXT_HOP_NONE);
	assert_int_equal(br_next_hops_info(world.hops, &remote, &info), -ENOENT);
	put("10.1.0.2"); /* not held: ignored */
	/* the slot rests: a packet in flight may have read it */
	assert_int_not_equal(get("10.1.0.3").index, index);
	br_next_hops_close(world.hops);
	world.hops = NULL;
	for (uint32_t i = 0; i < WORLD_CAPACITY; i++)
		assert_int_equal(world.table[i].state, BR_NEXT_HOP_NONE);
}

static bool slot_is_free(const void *text)
{
	struct br_addr remote = addr(text);
	struct br_next_hop_info info;

	return br_next_hops_get(world.hops, &remote, &info, NULL) == 0;
}

static void test_table_full(void **state)
{
	struct br_addr third = addr("10.2.0.2");
	struct br_next_hop_info info;
	struct br_error error = {0};

	(void)state;
	world_need_root();
	assert_int_equal(world_try_open("med0", "med1", 1, &error), -EINVAL);
	assert_string_equal(error.field, "capacity");
	assert_int_equal(world_try_open("med0", "med1", 3, &error), 0);
	get("10.1.0.2");
	get("10.1.0.3");
	assert_int_equal(br_next_hops_get(world.hops, &third, &info, &error), -ENOSPC);
	assert_non_null(strstr(error.detail, "2 next hops"));
	assert_int_equal(br_next_hops_info(world.hops, &third, &info), -ENOENT);
	put("10.1.0.3");
	assert_true(serve_until(slot_is_free, "10.2.0.2", 2000));
	wait_ready("10.2.0.2");
	expect_entry("10.2.0.2", 0xb1, 0xa1, "med1", 1, 1500);
}

static void test_open_refused(void **state)
{
	struct br_next_hops_options options = {
		.table = world.table, .capacity = WORLD_CAPACITY, .interface_count = 1};
	struct br_next_hops *hops = NULL;
	struct br_error error = {0};

	(void)state;
	world_need_root();
	assert_int_equal(world_try_open("med0", "nil0", WORLD_CAPACITY, &error), -ENODEV);
	assert_non_null(strstr(error.detail, "nil0"));
	snprintf(options.interfaces[0].name, sizeof(options.interfaces[0].name), "med0");
	options.interfaces[0].ifindex = if_nametoindex("med1");
	/* an interface that bears our index under another name has been renamed: it is ours */
	assert_int_equal(br_next_hops_open(&options, NULL, &hops, &error), 0);
	br_next_hops_close(hops);
	hops = NULL;
	options.interfaces[0].ifindex = 9999;
	assert_int_equal(br_next_hops_open(&options, NULL, &hops, &error), -ENODEV);
	assert_non_null(strstr(error.detail, "made anew"));
	in_relay("ip tuntap add tun7 mode tun");
	assert_int_equal(world_try_open("tun7", NULL, WORLD_CAPACITY, &error), -ENODEV);
	assert_non_null(strstr(error.detail, "not an Ethernet interface"));
	options.interface_count = 0;
	assert_int_equal(br_next_hops_open(&options, NULL, &hops, &error), -EINVAL);
	assert_string_equal(error.field, "interfaces");
	br_next_hops_close(NULL);
}

static uint32_t name_hop(const struct br_named_hop *named)
{
	struct br_next_hop_info info;
	struct br_error error = {0};

	if (br_next_hops_name(world.hops, named, &info, &error))
		fail_msg("%s: %s", error.field, error.detail);
	assert_int_equal(info.local.family, 0);
	return info.index;
}

static bool named_is_ready(const void *index)
{
	struct br_next_hop_info info;
	uint32_t at = *(const uint32_t *)index;

	assert_int_equal(br_next_hops_named_info(world.hops, at, &info), 0);
	assert_int_equal(info.ready, world.table[at].state == BR_NEXT_HOP_READY);
	return info.ready;
}

static bool named_is_not_ready(const void *index)
{
	return !named_is_ready(index);
}

static void test_named(void **state)
{
	static const struct br_named_hop plain = {.interface = "med1", .mac = {2, 0, 0, 0, 0, 7}};
	static const struct br_named_hop full = {
		.interface = "med0",
		.mac = {2, 0, 0, 0, 0, 7},
		.source_mac = {2, 0, 0, 0, 0, 8},
		.mtu = 1400,
		.vlans = 2,
		.vlan = {100, 3 << 13 | 5},
	};
	struct br_named_hop tags = {
		.interface = "med0", .mac = {2, 0, 0, 0, 0, 7}, .vlans = 2, .vlan = {100, 5}};
	const struct br_named_hop foreign = {.interface = "oth0", .mac = {2, 0, 0, 0, 0, 7}};
	struct br_next_hop_info info;
	struct br_error error = {0};
	uint32_t first, second, third;
	const struct br_next_hop *hop;

	(void)state;
	world_open("med0", "med1");
	first = name_hop(&plain);
	hop = &world.table[first];
	assert_true(named_is_ready(&first));
	assert_int_equal(hop->egress, 1);
	assert_int_equal(hop->ifindex, if_nametoindex("med1"));
	assert_memory_equal(hop->destination, plain.mac, 6);
	assert_int_equal(hop->source[5], 0xa1);
	assert_int_equal(hop->vlans, 0);
	assert_int_equal(hop->mtu, 1500);
	second = name_hop(&full);
	hop = &world.table[second];
	assert_memory_equal(hop->source, full.source_mac, 6);
	assert_int_equal(hop->vlans, 2);
	assert_int_equal(hop->vlan_tci[0], htons(100));
	assert_int_equal(hop->vlan_tci[1], htons(3 << 13 | 5));
	assert_int_equal(hop->mtu, 1400);
	/* the second tag is not part of what an Ethernet device adds to its MTU */
	third = name_hop(&tags);
	assert_int_equal(world.table[third].mtu, 1496);
	/* shared as long as somebody has it */
	assert_int_equal(name_hop(&plain), first);
	br_next_hops_unname(world.hops, first);
	assert_true(named_is_ready(&first));
	br_next_hops_unname(world.hops, first);
	assert_int_equal(world.table[first].state, BR_NEXT_HOP_NONE);
	assert_int_equal(br_next_hops_named_info(world.hops, first, &info), -ENOENT);
	assert_int_equal(br_next_hops_name(world.hops, &foreign, &info, &error), -EINVAL);
	assert_string_equal(error.field, "next_hop.interface");
}

static void test_named_follows_its_interface(void **state)
{
	static const struct br_named_hop named = {
		.interface = "med0", .mac = {2, 0, 0, 0, 0, 7}, .vlans = 1, .vlan = {5}};
	uint32_t index;

	(void)state;
	world_open("med0", "med1");
	index = name_hop(&named);
	in_relay("ip link set med0 down");
	assert_true(serve_until(named_is_not_ready, &index, 3000));
	in_relay("ip link set med0 address 02:00:00:00:00:e0; ip link set med0 mtu 1400; "
		 "ip link set med0 up");
	assert_true(serve_until(named_is_ready, &index, 3000));
	assert_int_equal(world.table[index].source[5], 0xe0);
	assert_int_equal(world.table[index].mtu, 1400);
	in_relay("ip link del med0");
	assert_true(serve_until(named_is_not_ready, &index, 3000));
	world_med0();
	assert_true(serve_until(named_is_ready, &index, 3000));
	assert_int_equal(world.table[index].ifindex, if_nametoindex("med0"));
	assert_int_equal(world.table[index].source[5], 0xa0);
	assert_int_equal(world.table[index].vlan_tci[0], htons(5));
	assert_memory_equal(world.table[index].destination, named.mac, 6);
	assert_int_equal(world.moves, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_direct),
		WORLD_TEST(test_gateway_is_shared),
		WORLD_TEST(test_route_mtu),
		WORLD_TEST(test_refused),
		WORLD_TEST(test_link_local_with_one_interface),
		WORLD_TEST(test_loopback),
		WORLD_TEST(test_link_without_arp),
		WORLD_TEST(test_permanent_stays),
		WORLD_TEST(test_references),
		WORLD_TEST(test_table_full),
		WORLD_TEST(test_open_refused),
		WORLD_TEST(test_named),
		WORLD_TEST(test_named_follows_its_interface),
	};

	br_log_set_level(BR_LOG_ERROR);
	return cmocka_run_group_tests_name("next hops", tests, NULL, NULL);
}
