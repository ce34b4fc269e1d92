/* SPDX-License-Identifier: BSD-2-Clause */
/* Next hops follow their neighbours: other MAC addresses, silence, deletion, old age. */
#include "test_next_hops.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "plane/next_hops_internal.h"

/* A datagram from the peer: its kernel asks for our MAC address and shows its own by that. */
static void peer_speaks(const char *to)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(9)};
		int fd;

		inet_pton(AF_INET, to, &there.sin_addr);
		if (setns(world.peer, CLONE_NEWNET))
			_exit(1);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		_exit(sendto(fd, "", 1, 0, (void *)&there, sizeof(there)) == 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_neighbour_changes_mac(void **state)
{
	(void)state;
	world_open("med0", "med1");
	in_relay("ip route add 192.0.2.0/24 via 10.1.0.2");
	get("192.0.2.1");
	get("192.0.2.2");
	get("10.1.0.2");
	get("10.1.0.3");
	wait_ready("192.0.2.1");
	wait_ready("10.1.0.3");
	remember_table();
	in_peer("ip link set far0 address 02:00:00:00:00:d0; ip neigh flush dev far0");
	peer_speaks("10.1.0.1");
	wait_mac("10.1.0.2", 0xd0);
	expect_entry("192.0.2.2", 0xd0, 0xa0, "med0", 0, 1500);
	/* three addresses behind it, one entry written; .3 has not spoken yet */
	assert_int_equal(entries_changed(), 1);
	assert_int_equal(world.moves, 0);
	in_relay("ip neigh replace 10.1.0.3 dev med0 lladdr 02:00:00:00:00:d3 nud reachable");
	wait_mac("10.1.0.3", 0xd3);
	assert_int_equal(entries_changed(), 2);
}

/* Deleted by an administrator: asked again at once, not at the next tick. */
static void test_neighbour_is_deleted(void **state)
{
	uint64_t began;

	(void)state;
	world_open("med0", "med1");
	get("10.1.0.2");
	get("fd01::2");
	wait_ready("10.1.0.2");
	wait_ready("fd01::2");
	remember_table();
	in_peer("ip link set far0 address 02:00:00:00:00:d0");
	in_relay("ip neigh flush dev med0");
	began = now_ms();
	wait_mac("10.1.0.2", 0xd0);
	wait_mac("fd01::2", 0xd0);
	print_message("two deleted neighbours are back in %u ms\n",
		      (unsigned int)(now_ms() - began));
	assert_int_equal(entries_changed(), 2);
}

/* Garbage collection says nothing about a neighbour: its entry serves until the answer. */
static void test_neighbour_is_collected(void **state)
{
	const struct br_next_hop *hop;
	struct {
		struct nlmsghdr header;
		struct ndmsg neighbour;
		struct nlattr dst;
		__be32 addr;
	} message = {
		.header = {.nlmsg_len = sizeof(message), .nlmsg_type = RTM_DELNEIGH},
		.neighbour = {.ndm_family = AF_INET, .ndm_state = NUD_STALE},
		.dst = {.nla_len = 8, .nla_type = NDA_DST},
	};

	(void)state;
	world_open("med0", "med1");
	get("10.1.0.2");
	wait_ready("10.1.0.2");
	hop = entry("10.1.0.2");
	/* the kernel collects when it likes, so its announcement is handed in here */
	message.neighbour.ndm_ifindex = (int)if_nametoindex("med0");
	inet_pton(AF_INET, "10.1.0.2", &message.addr);
	br_hops_event(world.hops, &message.header);
	assert_int_equal(hop->state, BR_NEXT_HOP_READY);
	br_next_hops_tick(world.hops);
	assert_int_equal(hop->state, BR_NEXT_HOP_READY);
	/* it has not been touched for another neighbour, interface, or a cut off message */
	message.neighbour.ndm_state = NUD_FAILED;
	message.header.nlmsg_type = RTM_NEWNEIGH;
	message.neighbour.ndm_flags = NTF_PROXY;
	br_hops_event(world.hops, &message.header);
	message.neighbour.ndm_flags = 0;
	message.neighbour.ndm_ifindex++;
	br_hops_event(world.hops, &message.header);
	message.neighbour.ndm_ifindex--;
	for (uint32_t length = sizeof(message.header); length < sizeof(message);
	     length += NLMSG_ALIGNTO) {
		message.header.nlmsg_len = length;
		br_hops_event(world.hops, &message.header);
	}
	assert_int_equal(hop->state, BR_NEXT_HOP_READY);
	message.header.nlmsg_len = sizeof(message);
	br_hops_event(world.hops, &message.header);
	assert_int_equal(hop->state, BR_NEXT_HOP_NONE);
	wait_ready("10.1.0.2");
}

static void test_unresolved_then_resolved(void **state)
{
	(void)state;
	world_open("med0", "med1");
	assert_false(get("10.1.0.77").ready);
	assert_false(get("fd01::77").ready);
	/* long enough to fail once and be asked again */
	assert_false(serve_until(is_ready, "10.1.0.77", 700));
	assert_false(is_ready("fd01::77"));
	assert_true(look("10.1.0.77").waits);
	assert_true(look("fd01::77").waits);
	in_peer("ip addr add 10.1.0.77/24 dev far0; ip addr add fd01::77/64 dev far0 nodad");
	wait_ready("10.1.0.77");
	wait_ready("fd01::77");
	expect_entry("10.1.0.77", 0xb0, 0xa0, "med0", 0, 1500);
	expect_entry("fd01::77", 0xb0, 0xa0, "med0", 0, 1500);
	assert_false(look("10.1.0.77").waits);
	assert_false(look("fd01::77").waits);
}

static void test_neighbour_fails(void **state)
{
	(void)state;
	world_open("med0", "med1");
	get("10.1.0.3");
	get("fd01::3");
	wait_ready("10.1.0.3");
	wait_ready("fd01::3");
	in_peer("ip addr del 10.1.0.3/24 dev far0; ip addr del fd01::3/64 dev far0");
	in_relay("ip neigh flush dev med0");
	wait_not_ready("10.1.0.3");
	wait_not_ready("fd01::3");
	in_peer("ip addr add 10.1.0.3/24 dev far0; ip addr add fd01::3/64 dev far0 nodad");
	wait_ready("10.1.0.3");
	wait_ready("fd01::3");
}

static bool is_probed(const void *text)
{
	char command[128];

	snprintf(command, sizeof(command), "ip neigh show to %s | grep -q REACHABLE",
		 (const char *)text);
	return run_in(world.relay, command) == 0;
}

static void test_used_neighbour_is_kept_fresh(void **state)
{
	(void)state;
	world_open("med0", "med1");
	get("10.1.0.2");
	get("fd01::2");
	wait_ready("10.1.0.2");
	wait_ready("fd01::2");
	in_relay("ip neigh replace 10.1.0.2 dev med0 lladdr 02:00:00:00:00:b0 nud stale; ip neigh "
		 "replace fd01::2 dev med0 lladdr 02:00:00:00:00:b0 nud stale");
	assert_false(is_probed("10.1.0.2"));
	/* asked within 4 s, then the kernel waits delay_first_probe_time (1 s) and probes */
	assert_true(serve_until(is_probed, "10.1.0.2", 8000));
	assert_true(serve_until(is_probed, "fd01::2", 1000));
	assert_true(is_ready("10.1.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_neighbour_changes_mac),
		WORLD_TEST(test_neighbour_is_deleted),
		WORLD_TEST(test_neighbour_is_collected),
		WORLD_TEST(test_unresolved_then_resolved),
		WORLD_TEST(test_neighbour_fails),
		WORLD_TEST(test_used_neighbour_is_kept_fresh),
	};

	br_log_set_level(BR_LOG_ERROR);
	return cmocka_run_group_tests_name("next hops, neighbours", tests, NULL, NULL);
}
