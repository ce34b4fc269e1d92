/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Next hops over VLAN devices. A kernel without the 8021q module cannot make any, so two other
 * devices are announced to be VLAN devices, in messages as the kernel sends them: routes,
 * neighbours and everything else about them is real.
 *
 *   oth0 10.9.0.1  ───────  far9 10.9.0.2     said to be VLAN 5 on med0
 *   oth1 10.8.0.1  ───────  far8 10.8.0.2     said to be VLAN 7 on oth0
 */
#include "test_next_hops.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "plane/next_hops_internal.h"

struct device {
	const char *name;  /* of the real one */
	const char *lower; /* NULL: says nothing */
	const char *kind;
	uint16_t vlan;
	uint16_t protocol;
	uint32_t mtu;
	uint8_t mac; /* last byte */
	bool down;
	bool other_netns; /* lower is an index of another network namespace */
};

static const struct device vlan5 = {"oth0", "med0", "vlan", 5,	  ETH_P_8021Q,
				    1500,   0xa9,   false,  false};
static const struct device service5 = {"oth0", "med0", "vlan", 5,    ETH_P_8021AD,
				       1500,   0xa9,   false,  false};
static const struct device vlan7 = {"oth1", "oth0", "vlan", 7,	  ETH_P_8021Q,
				    1496,   0xa8,   false,  false};

static struct nlmsghdr *put_link(void *buffer, const struct device *device)
{
	const uint8_t mac[6] = {2, 0, 0, 0, 0, device->mac};
	static const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	struct nlattr *info, *data;

	message->nlmsg_type = RTM_NEWLINK;
	header->ifi_type = 1; /* ARPHRD_ETHER */
	header->ifi_index = (int)if_nametoindex(device->name);
	header->ifi_flags = IFF_UP | (device->down ? 0 : 1u << 16 /* IFF_LOWER_UP */);
	mnl_attr_put_strz(message, IFLA_IFNAME, device->name);
	mnl_attr_put(message, IFLA_ADDRESS, 6, mac);
	mnl_attr_put(message, IFLA_BROADCAST, 6, broadcast);
	mnl_attr_put_u32(message, IFLA_MTU, device->mtu);
	if (device->lower)
		mnl_attr_put_u32(message, IFLA_LINK, if_nametoindex(device->lower));
	if (device->other_netns)
		mnl_attr_put_u32(message, IFLA_LINK_NETNSID, 0);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_str(message, IFLA_INFO_KIND, device->kind);
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	mnl_attr_put_u16(message, IFLA_VLAN_ID, device->vlan);
	mnl_attr_put_u16(message, IFLA_VLAN_PROTOCOL, htons(device->protocol));
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return message;
}

/* The kernel announces a device. */
static void announce(const struct device *device)
{
	uint8_t buffer[1024] = {0};

	br_hops_event(world.hops, put_link(buffer, device));
}

static void announce_gone(const struct device *device)
{
	uint8_t buffer[1024] = {0};
	struct nlmsghdr *message = put_link(buffer, device);

	message->nlmsg_type = RTM_DELLINK;
	br_hops_event(world.hops, message);
}

static void vlan_world(void)
{
	world_need_root();
	world_pair("oth1", "far8", '8');
	in_relay("ip addr add 10.8.0.1/24 dev oth1");
	in_peer("ip addr add 10.8.0.2/24 dev far8");
	/* last, so that nothing real is announced about these two afterwards */
	world_open("med0", "med1");
}

/* No way leads over a device that is not known to be a VLAN device: then it is looked at. */
static void expect_refused(const char *text, const char *words)
{
	struct br_addr remote = addr(text);
	struct br_next_hop_info info;
	struct br_error error = {0};

	assert_int_equal(br_next_hops_get(world.hops, &remote, &info, &error), -EHOSTUNREACH);
	if (!strstr(error.detail, words))
		fail_msg("\"%s\" does not say \"%s\"", error.detail, words);
}

static void expect_tags(const char *text, unsigned int count, uint16_t outer, uint16_t inner)
{
	const struct br_next_hop *hop = entry(text);

	assert_int_equal(hop->vlans, count);
	assert_int_equal(ntohs(hop->vlan_tci[0]), outer);
	assert_int_equal(ntohs(hop->vlan_tci[1]), inner);
	assert_int_equal(hop->egress, 0);
	assert_int_equal(hop->ifindex, if_nametoindex("med0"));
}

static void test_message(void **state)
{
	uint8_t buffer[1024] = {0};
	struct device odd = vlan5;
	struct br_device read;

	(void)state;
	world_open("med0", "med1");
	assert_int_equal(br_device_read(put_link(buffer, &service5), &read), 0);
	assert_int_equal(read.lower, if_nametoindex("med0"));
	assert_int_equal(read.vlan, 5);
	assert_int_equal(read.protocol, ETH_P_8021AD);
	assert_int_equal(read.link.mtu, 1500);
	assert_true(read.link.up);
	odd.kind = "macvlan";
	assert_int_equal(br_device_read(put_link(buffer, &odd), &read), 0);
	assert_int_equal(read.lower, 0);
	odd.kind = "vla";
	assert_int_equal(br_device_read(put_link(buffer, &odd), &read), 0);
	assert_int_equal(read.lower, 0);
	odd = vlan5;
	odd.other_netns = true;
	assert_int_equal(br_device_read(put_link(buffer, &odd), &read), 0);
	assert_int_equal(read.lower, 0);
	odd = vlan5;
	odd.down = true;
	assert_int_equal(br_device_read(put_link(buffer, &odd), &read), 0);
	assert_false(read.link.up);
	put_link(buffer, &vlan5)->nlmsg_len = sizeof(struct nlmsghdr) + 4;
	assert_int_equal(br_device_read((void *)buffer, &read), -EBADMSG);
}

static void test_one_tag(void **state)
{
	(void)state;
	vlan_world();
	expect_refused("10.9.0.2", "none of the media interfaces");
	announce(&vlan5);
	get("10.9.0.2");
	wait_ready("10.9.0.2");
	/* the neighbour is that of the VLAN device, the way that of the interface underneath */
	assert_int_equal(entry("10.9.0.2")->destination[5], 0xb9);
	assert_int_equal(entry("10.9.0.2")->source[5], 0xa9);
	assert_int_equal(entry("10.9.0.2")->mtu, 1500);
	expect_tags("10.9.0.2", 1, 5, 0);
	expect_local("10.9.0.2", "10.9.0.1");
	/* behind a gateway there it is the same next hop */
	in_relay("ip route add 192.0.2.0/24 via 10.9.0.2");
	get("192.0.2.1");
	assert_int_equal(look("192.0.2.1").index, look("10.9.0.2").index);
	/* others are not concerned */
	get("10.1.0.2");
	wait_ready("10.1.0.2");
	expect_entry("10.1.0.2", 0xb0, 0xa0, "med0", 0, 1500);
}

static void test_two_tags(void **state)
{
	(void)state;
	vlan_world();
	expect_refused("10.8.0.2", "none of the media interfaces");
	expect_refused("10.9.0.2", "none of the media interfaces");
	announce(&service5);
	announce(&vlan7);
	get("10.8.0.2");
	wait_ready("10.8.0.2");
	expect_tags("10.8.0.2", 2, 5, 7);
	assert_int_equal(entry("10.8.0.2")->destination[5], 0xb8);
	assert_int_equal(entry("10.8.0.2")->source[5], 0xa8);
	assert_int_equal(entry("10.8.0.2")->mtu, 1496);
	in_relay("ip link set med0 mtu 1400");
	world.moves = 0;
	assert_false(serve_until(has_moved, &(unsigned int){1}, 300));
	assert_int_equal(entry("10.8.0.2")->mtu, 1396);
}

/* The stamp pushes 802.1Q, or 802.1Q in 802.1ad: other tags would be wrong on the wire. */
static void test_other_tags(void **state)
{
	struct device third = {"oth1", "oth0", "vlan", 7, ETH_P_8021Q, 1496, 0xa8, false, false};

	(void)state;
	vlan_world();
	expect_refused("10.9.0.2", "none of the media interfaces");
	expect_refused("10.8.0.2", "none of the media interfaces");
	announce(&service5);
	expect_refused("10.9.0.2", "VLAN tags that the relay cannot push");
	announce(&vlan5);
	announce(&third);
	expect_refused("10.8.0.2", "VLAN tags that the relay cannot push");
	third.lower = "oth1"; /* on itself: no way out, and no end */
	announce(&third);
	expect_refused("10.8.0.2", "VLAN tags that the relay cannot push");
	assert_int_equal(world.hops->hops.count, 0);
}

static void test_changes(void **state)
{
	struct device now = vlan5;

	(void)state;
	vlan_world();
	expect_refused("10.9.0.2", "none of the media interfaces");
	announce(&now);
	get("10.9.0.2");
	wait_ready("10.9.0.2");
	now.mtu = 1300;
	now.mac = 0x55;
	announce(&now);
	assert_int_equal(entry("10.9.0.2")->mtu, 1300);
	assert_int_equal(entry("10.9.0.2")->source[5], 0x55);
	assert_true(is_ready("10.9.0.2"));
	now.down = true;
	announce(&now);
	assert_false(is_ready("10.9.0.2"));
	now.down = false;
	announce(&now);
	wait_ready("10.9.0.2");
	in_relay("ip link set med0 down");
	wait_not_ready("10.9.0.2");
	in_relay("ip link set med0 up");
	wait_ready("10.9.0.2");
	now.vlan = 6;
	announce(&now);
	wait_ready("10.9.0.2");
	expect_tags("10.9.0.2", 1, 6, 0);
	/* to the other interface: that is another next hop */
	world.moves = 0;
	now.lower = "med1";
	announce(&now);
	wait_moves(1);
	wait_ready("10.9.0.2");
	assert_int_equal(look("10.9.0.2").egress, 1);
	assert_int_equal(entry("10.9.0.2")->ifindex, if_nametoindex("med1"));
	assert_int_equal(entry("10.9.0.2")->vlan_tci[0], htons(6));
	announce_gone(&now);
	assert_false(is_ready("10.9.0.2"));
	/* asked again, it is what it is: no VLAN device */
	wait_moves(2);
	assert_int_equal(world.last_move.index, 0);
}

static void test_lost_announcements(void **state)
{
	(void)state;
	vlan_world();
	expect_refused("10.9.0.2", "none of the media interfaces");
	announce(&vlan5);
	get("10.9.0.2");
	wait_ready("10.9.0.2");
	/* the kernel is asked, and knows that it is none */
	br_hops_devices_reread(world.hops);
	assert_false(is_ready("10.9.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_message),  WORLD_TEST(test_one_tag),
		WORLD_TEST(test_two_tags), WORLD_TEST(test_other_tags),
		WORLD_TEST(test_changes),  WORLD_TEST(test_lost_announcements),
	};

	br_log_set_level(BR_LOG_ERROR);
	return cmocka_run_group_tests_name("next hops over VLAN devices", tests, NULL, NULL);
}
