// SPDX-License-Identifier: BSD-2-Clause
/* What `check` says about interfaces: one good one, and what goes wrong with it, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "ctl/check/link.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define UP	     (IFF_UP | IFF_RUNNING)
#define ALL_XDP	     (BR_XDP_ACT_BASIC | BR_XDP_ACT_REDIRECT | BR_XDP_ACT_NDO_XMIT)

/* A network card on which everything is fine. */
static struct br_check_link good_card(void)
{
	return (struct br_check_link){
		.device = {.name = "eth0",
			   .ifindex = 2,
			   .flags = UP,
			   .mtu = 1500,
			   .ethtool = {.driver = "ice",
				       .rx_ring = 2048,
				       .rx_ring_max = 8160,
				       .tx_ring = 2048,
				       .tx_ring_max = 8160,
				       .rx_queues = 4,
				       .rx_queues_max = 64,
				       .tx_queues = 4,
				       .combined = true}},
		.features_known = true,
		.features = ALL_XDP,
		.ipv4 = true,
		.ipv6 = true,
		.cpus = 4,
	};
}

static struct br_check_link good_veth(void)
{
	struct br_check_link link = {
		.device = {.name = "veth0",
			   .ifindex = 7,
			   .flags = UP,
			   .mtu = 1500,
			   .kind = "veth",
			   .peer = 8,
			   .ethtool = {.driver = "veth",
				       .rx_queues = 1,
				       .rx_queues_max = 2,
				       .tx_queues = 1}},
		.features_known = true,
		.features = ALL_XDP,
		.ipv4 = true,
		.cpus = 4,
	};

	link.peer = link.device;
	strcpy(link.peer.name, "host0");
	link.peer.ifindex = 8;
	link.peer.ethtool.offloads[BR_FEATURE_RX_GRO].on = true;
	return link;
}

static struct br_check_link loopback(void)
{
	return (struct br_check_link){
		.device = {.name = "lo", .ifindex = 1, .flags = UP | IFF_LOOPBACK, .mtu = 65536},
		.features_known = true,
		.ipv4 = true,
		.cpus = 4,
	};
}

static void is_down(struct br_check_link *link)
{
	link->device.flags = 0;
}

static void no_carrier(struct br_check_link *link)
{
	link->device.flags = IFF_UP;
}

static void no_address(struct br_check_link *link)
{
	link->ipv4 = link->ipv6 = false;
}

static void bridge_port(struct br_check_link *link)
{
	no_address(link);
	strcpy(link->device.master, "br0");
}

static void foreign_program(struct br_check_link *link)
{
	link->device.xdp = XDP_ATTACHED_DRV;
	link->device.xdp_id = 42;
	strcpy(link->device.xdp_name, "balancer");
}

static void foreign_generic(struct br_check_link *link)
{
	foreign_program(link);
	link->device.xdp = XDP_ATTACHED_SKB;
}

static void unnamed_program(struct br_check_link *link)
{
	foreign_program(link);
	link->device.xdp_name[0] = '\0';
}

static void our_program(struct br_check_link *link)
{
	foreign_program(link);
	link->device.xdp_ours = true;
}

static void no_native(struct br_check_link *link)
{
	link->features = 0;
}

static void no_redirect(struct br_check_link *link)
{
	link->features = BR_XDP_ACT_BASIC;
}

static void old_kernel(struct br_check_link *link)
{
	link->features_known = false;
	link->features = 0;
}

static void xmit_later(struct br_check_link *link)
{
	link->features = BR_XDP_ACT_BASIC | BR_XDP_ACT_REDIRECT;
}

static void ours_without_xmit(struct br_check_link *link)
{
	our_program(link);
	xmit_later(link);
}

static void generic_and_no_xmit(struct br_check_link *link)
{
	xmit_later(link);
	link->device.mtu = link->peer.mtu = 9000;
}

static void peer_without_gro(struct br_check_link *link)
{
	xmit_later(link);
	link->peer.ethtool.offloads[BR_FEATURE_RX_GRO].on = false;
}

static void gro_missed(struct br_check_link *link)
{
	xmit_later(link);
}

static void old_without_gro(struct br_check_link *link)
{
	old_kernel(link);
	link->peer.ethtool.offloads[BR_FEATURE_RX_GRO].on = false;
}

static void old_with_program(struct br_check_link *link)
{
	old_without_gro(link);
	link->peer.xdp = XDP_ATTACHED_DRV;
}

static void old_with_generic(struct br_check_link *link)
{
	old_without_gro(link);
	link->peer.xdp = XDP_ATTACHED_SKB;
}

static void peer_elsewhere(struct br_check_link *link)
{
	link->device.peer_elsewhere = true;
	memset(&link->peer, 0, sizeof(link->peer));
}

static void elsewhere_no_xmit(struct br_check_link *link)
{
	peer_elsewhere(link);
	xmit_later(link);
}

static void jumbo_elsewhere(struct br_check_link *link)
{
	peer_elsewhere(link);
	link->device.mtu = 9000;
}

static void jumbo(struct br_check_link *link)
{
	link->device.mtu = link->peer.mtu = 9000;
}

static void peer_jumbo(struct br_check_link *link)
{
	link->peer.mtu = 3507;
}

static void largest_mtu(struct br_check_link *link)
{
	link->device.mtu = link->peer.mtu = 3506;
}

static void peer_narrow(struct br_check_link *link)
{
	link->peer.mtu = 1400;
}

static void tiny_mtu(struct br_check_link *link)
{
	link->device.mtu = link->peer.mtu = 1279;
}

static void peer_queues(struct br_check_link *link)
{
	link->features = 0;
	link->peer.ethtool.tx_queues = 2;
}

static void peer_checksum(struct br_check_link *link)
{
	link->peer.ethtool.offloads[BR_FEATURE_TX_CHECKSUM].on = true;
}

static void peer_both(struct br_check_link *link)
{
	peer_checksum(link);
	link->peer.ethtool.offloads[BR_FEATURE_TX_VLAN].on = true;
}

static void rx_vlan(struct br_check_link *link)
{
	link->device.ethtool.offloads[BR_FEATURE_RX_VLAN].on = true;
}

static void rx_vlan_fixed(struct br_check_link *link)
{
	rx_vlan(link);
	link->device.ethtool.offloads[BR_FEATURE_RX_VLAN].fixed = true;
}

static void lro(struct br_check_link *link)
{
	link->device.ethtool.offloads[BR_FEATURE_RX_LRO].on = true;
}

static void virtio_merges(struct br_check_link *link)
{
	strcpy(link->device.ethtool.driver, "virtio_net");
	link->device.ethtool.offloads[BR_FEATURE_RX_GRO_HW].on = true;
	link->device.ethtool.offloads[BR_FEATURE_RX_GRO_HW].fixed = true;
}

static void virtio_can_stop(struct br_check_link *link)
{
	virtio_merges(link);
	link->device.ethtool.offloads[BR_FEATURE_RX_GRO_HW].fixed = false;
}

static void virtio_jumbo(struct br_check_link *link)
{
	strcpy(link->device.ethtool.driver, "virtio_net");
	link->device.mtu = 9000;
}

static void virtio_queues(struct br_check_link *link)
{
	strcpy(link->device.ethtool.driver, "virtio_net");
	link->device.ethtool.rx_queues_max = 4;
}

static void few_queues(struct br_check_link *link)
{
	link->device.ethtool.rx_queues = 1;
}

static void small_rings(struct br_check_link *link)
{
	link->device.ethtool.rx_ring = 512;
}

static void tiny_ring(struct br_check_link *link)
{
	link->device.ethtool.tx_ring = link->device.ethtool.tx_ring_max = 128;
}

struct row {
	const char *name;
	struct br_check_link (*base)(void);
	void (*change)(struct br_check_link *link);
	const char *check;
	enum br_check_status status;
	const char *found; /* part of the text */
	const char *todo;  /* part of the text; "": nothing */
};

static const struct row rows[] = {
	{"down", good_card, is_down, "link", BR_CHECK_FAIL, "down", "ip link set dev eth0 up"},
	{"no carrier", good_card, no_carrier, "link", BR_CHECK_FAIL, "without a carrier", "cable"},
	{"veth: no carrier", good_veth, no_carrier, "link", BR_CHECK_FAIL, "carrier", "peer up"},
	{"no address", good_card, no_address, "addresses", BR_CHECK_WARN, "none", "ip address add"},
	{"port", good_card, bridge_port, "addresses", BR_CHECK_WARN, "port of br0", "give br0"},
	{"foreign", good_card, foreign_program, "program", BR_CHECK_FAIL,
	 "balancer (id 42, native mode)", "eth0 xdp off"},
	{"foreign: mode", good_card, foreign_program, "mode", BR_CHECK_FAIL, "another XDP program",
	 "\"program\""},
	{"foreign, generic", good_card, foreign_generic, "program", BR_CHECK_FAIL, "generic mode",
	 "eth0 xdpgeneric off"},
	{"unnamed", good_card, unnamed_program, "program", BR_CHECK_FAIL, "id 42", "as root"},
	{"ours", good_card, our_program, "program", BR_CHECK_OK, "blindrelayd is running", ""},
	{"ours: mode", good_card, our_program, "mode", BR_CHECK_OK, "native", ""},
	{"no native", good_card, no_native, "mode", BR_CHECK_WARN,
	 "\"auto\" chooses it since the driver ice has no native XDP", "another interface"},
	{"no redirect", good_card, no_redirect, "mode", BR_CHECK_WARN, "with redirect", "another"},
	{"old kernel", good_card, old_kernel, "mode", BR_CHECK_WARN, "tries native, then generic",
	 "--xdp-mode native"},
	{"xmit later", good_card, xmit_later, "transmit", BR_CHECK_OK, "not announced", "again"},
	{"xmit never", good_card, ours_without_xmit, "transmit", BR_CHECK_FAIL, "no NDO_XMIT",
	 "--xdp-mode generic"},
	{"no GRO", good_veth, peer_without_gro, "transmit", BR_CHECK_FAIL, "vanish",
	 "ethtool -K host0 gro on"},
	{"no GRO: mode", good_veth, peer_without_gro, "mode", BR_CHECK_FAIL, "would vanish",
	 "\"transmit\""},
	{"GRO missed", good_veth, gro_missed, "transmit", BR_CHECK_FAIL, "kernel missed it",
	 "ethtool -K host0 gro off, then ethtool -K host0 gro on"},
	{"no GRO, generic", good_veth, generic_and_no_xmit, "transmit", BR_CHECK_WARN, "vanish",
	 "gro on"},
	{"old kernel, no GRO", good_veth, old_without_gro, "transmit", BR_CHECK_FAIL, "vanish",
	 "gro on"},
	{"old kernel, GRO", good_veth, old_kernel, "transmit", BR_CHECK_OK, "NDO_XMIT", ""},
	{"old kernel, GRO: mode", good_veth, old_kernel, "mode", BR_CHECK_OK, "native", ""},
	{"old kernel, program", good_veth, old_with_program, "transmit", BR_CHECK_OK, "takes", ""},
	{"old kernel, generic program", good_veth, old_with_generic, "transmit", BR_CHECK_FAIL,
	 "vanish", "gro on"},
	{"elsewhere", good_veth, peer_elsewhere, "peer", BR_CHECK_WARN, "cannot be seen", "tx off"},
	{"elsewhere: transmit", good_veth, peer_elsewhere, "transmit", BR_CHECK_OK, "takes", ""},
	{"elsewhere, no GRO", good_veth, elsewhere_no_xmit, "transmit", BR_CHECK_FAIL, "vanish",
	 "where its peer is, with it up: ethtool -K PEER gro off"},
	{"jumbo elsewhere", good_veth, jumbo_elsewhere, "mode", BR_CHECK_WARN,
	 "its MTU, so probably its peer's, is 9000", "below"},
	{"jumbo", good_veth, jumbo, "mtu", BR_CHECK_WARN, "9000 on its peer host0", "mtu 1500"},
	{"jumbo: mode", good_veth, jumbo, "mode", BR_CHECK_WARN,
	 "the MTU of its peer host0 is 9000", "below"},
	{"peer a byte too large", good_veth, peer_jumbo, "mode", BR_CHECK_WARN, "3507", "below"},
	{"largest MTU", good_veth, largest_mtu, "mode", BR_CHECK_OK, "native", ""},
	{"largest MTU: mtu", good_veth, largest_mtu, "mtu", BR_CHECK_OK, "3506", ""},
	{"narrow peer", good_veth, peer_narrow, "mtu", BR_CHECK_WARN, "only 1400",
	 "dev host0 mtu 1500"},
	{"tiny MTU", good_veth, tiny_mtu, "mtu", BR_CHECK_WARN, "1279", "mtu 1500"},
	{"card with jumbo", good_card, jumbo, "mtu", BR_CHECK_WARN, "9000", "dev eth0 mtu 1500"},
	{"card with jumbo: mode", good_card, jumbo, "mode", BR_CHECK_OK, "native", ""},
	{"peer's queues", good_veth, peer_queues, "mode", BR_CHECK_WARN,
	 "host0 sends on 2 queues and it receives on 1", "below"},
	{"checksums", good_veth, peer_checksum, "peer", BR_CHECK_WARN, "unfinished checksums",
	 "ethtool -K host0 tx off"},
	{"checksums and tags", good_veth, peer_both, "peer", BR_CHECK_WARN, "VLAN tags",
	 "ethtool -K host0 tx off txvlan off"},
	{"rxvlan", good_card, rx_vlan, "rxvlan", BR_CHECK_WARN, "VLAN tags",
	 "ethtool -K eth0 rxvlan off"},
	{"rxvlan fixed", good_card, rx_vlan_fixed, "rxvlan", BR_CHECK_WARN, "VLAN", "cannot"},
	{"lro", good_card, lro, "lro", BR_CHECK_WARN, "merged", "ethtool -K eth0 lro off"},
	{"virtio merges", good_card, virtio_merges, "mode", BR_CHECK_WARN, "rx-gro-hw", "another"},
	{"virtio can stop", good_card, virtio_can_stop, "mode", BR_CHECK_OK, "native", ""},
	{"virtio can stop: how", good_card, virtio_can_stop, "rx-gro-hw", BR_CHECK_WARN, "merges",
	 "ethtool -K eth0 rx-gro-hw off"},
	{"virtio jumbo", good_card, virtio_jumbo, "mode", BR_CHECK_WARN, "MTU is 9000", "below"},
	{"virtio queues", good_card, virtio_queues, "queues", BR_CHECK_WARN, "without a lock",
	 "8 queues"},
	{"few queues", good_card, few_queues, "queues", BR_CHECK_WARN, "1 of 64",
	 "ethtool -L eth0 combined 4"},
	{"small rings", good_card, small_rings, "rings", BR_CHECK_WARN, "512 of 8160",
	 "ethtool -G eth0 rx 8160 tx 2048"},
	{"tiny ring", good_card, tiny_ring, "rings", BR_CHECK_WARN, "128 frames", "chunk, 32"},
};

static void check_row(const struct row *row)
{
	struct br_check_link link = row->base();
	struct br_check_report report = {0};
	const struct br_check_line *line;
	char part[32];

	row->change(&link);
	br_check_link_judge(&link, &report);
	line = br_check_find(&report, br_check_link_part(&link, part), row->check);
	if (!line)
		fail_msg("%s: no line \"%s\"", row->name, row->check);
	if (line->status != row->status || !strstr(line->found, row->found) ||
	    !strstr(line->todo, row->todo) || (!*row->todo && *line->todo))
		fail_msg("%s: status %d, found \"%s\", todo \"%s\"", row->name, line->status,
			 line->found, line->todo);
	br_check_free(&report);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}

/* Whoever is told of a problem is told what to do, and nothing is cut off. */
static void test_every_problem_has_advice(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct br_check_link link = rows[i].base();
		struct br_check_report report = {0};

		rows[i].change(&link);
		br_check_link_judge(&link, &report);
		for (size_t l = 0; l < report.count; l++) {
			if (report.lines[l].status != BR_CHECK_OK)
				assert_true(*report.lines[l].todo);
			assert_in_range(strlen(report.lines[l].found), 1, BR_CHECK_TEXT - 2);
			assert_true(strlen(report.lines[l].todo) < BR_CHECK_TEXT - 1);
		}
		br_check_free(&report);
	}
}

static void test_good(void **state)
{
	struct br_check_link links[] = {good_card(), good_veth(), loopback()};
	struct br_check_report report = {0};
	const struct br_check_line *line;

	(void)state;
	for (size_t i = 0; i < COUNT(links); i++)
		br_check_link_judge(&links[i], &report);
	for (size_t l = 0; l < report.count; l++)
		if (report.lines[l].status != BR_CHECK_OK)
			fail_msg("%s: %s: %s", report.lines[l].part, report.lines[l].check,
				 report.lines[l].found);
	line = br_check_find(&report, "interface lo", "mode");
	assert_non_null(line);
	assert_non_null(strstr(line->found, "generic"));
	assert_null(br_check_find(&report, "interface lo", "transmit"));
	br_check_free(&report);
}

static void test_candidates(void **state)
{
	struct br_check_link link = good_card();

	(void)state;
	assert_true(br_check_link_candidate(&link));
	bridge_port(&link);
	assert_false(br_check_link_candidate(&link));
	link.ipv6 = true; /* a port of a VRF has addresses of its own */
	assert_true(br_check_link_candidate(&link));
	is_down(&link);
	assert_false(br_check_link_candidate(&link));
	link = loopback();
	assert_false(br_check_link_candidate(&link));
}

static void test_together(void **state)
{
	struct br_check_link links[] = {good_card(), good_veth()};
	struct br_check_report report = {0};
	const struct br_check_line *line;

	(void)state;
	assert_int_equal(br_check_links_judge(links, 1, &report), BR_CHECK_MODE_NATIVE);
	assert_int_equal(report.count, 0);

	assert_int_equal(br_check_links_judge(links, 2, &report), BR_CHECK_MODE_NATIVE);
	line = br_check_find(&report, "together", "mode");
	assert_non_null(line);
	assert_int_equal(line->status, BR_CHECK_OK);
	br_check_free(&report);

	old_kernel(&links[0]);
	assert_int_equal(br_check_links_judge(links, 2, &report), BR_CHECK_MODE_UNKNOWN);
	br_check_free(&report);

	jumbo(&links[1]);
	assert_int_equal(br_check_links_judge(links, 2, &report), BR_CHECK_MODE_GENERIC);
	line = br_check_find(&report, "together", "mode");
	assert_int_equal(line->status, BR_CHECK_WARN);
	assert_non_null(strstr(line->found, "because of veth0"));
	br_check_free(&report);

	foreign_program(&links[0]);
	assert_int_equal(br_check_links_judge(links, 2, &report), BR_CHECK_MODE_NONE);
	line = br_check_find(&report, "together", "mode");
	assert_int_equal(line->status, BR_CHECK_FAIL);
	assert_non_null(strstr(line->todo, "eth0"));
	br_check_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	 cmocka_unit_test(test_every_problem_has_advice),
		cmocka_unit_test(test_good),	 cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
