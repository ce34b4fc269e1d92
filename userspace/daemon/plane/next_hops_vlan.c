/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLAN devices on media interfaces, one on the other for QinQ: a route over eth0.5 is one over
 * eth0 with a tag. A device is asked for when a route first names it and followed from then on;
 * that it is none on ours is remembered too, so that it is asked once.
 */
#include "plane/next_hops_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

static void br_device_read_data(const struct nlattr *data, struct br_device *device)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested (attribute, data) {
		size_t length = mnl_attr_get_payload_len(attribute);

		if (mnl_attr_get_type(attribute) == IFLA_VLAN_ID && length == sizeof(uint16_t))
			device->vlan = mnl_attr_get_u16(attribute);
		else if (mnl_attr_get_type(attribute) == IFLA_VLAN_PROTOCOL &&
			 length == sizeof(uint16_t))
			device->protocol = ntohs(mnl_attr_get_u16(attribute));
	}
}

static bool br_device_kind_is_vlan(const struct nlattr *kind)
{
	static const char vlan[] = "vlan";
	size_t length = kind ? mnl_attr_get_payload_len(kind) : 0;

	/* with or without the NUL at its end */
	return length >= sizeof(vlan) - 1 && length <= sizeof(vlan) &&
	       !memcmp(mnl_attr_get_payload(kind), vlan, sizeof(vlan) - 1);
}

int br_device_read(const struct nlmsghdr *message, struct br_device *device)
{
	const struct nlattr *table[IFLA_LINK_NETNSID + 1], *attribute, *kind = NULL, *data = NULL;
	int rc;

	memset(device, 0, sizeof(*device));
	rc = br_link_read(message, &device->link);
	if (rc == -EBADMSG)
		return rc;
	br_netlink_attributes(message, sizeof(struct ifinfomsg), table, IFLA_LINK_NETNSID);
	/* what it stands on may be in another network namespace: then the index is not ours */
	if (rc || !table[IFLA_LINKINFO] || table[IFLA_LINK_NETNSID])
		return 0;
	mnl_attr_for_each_nested (attribute, table[IFLA_LINKINFO]) {
		if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
			kind = attribute;
		else if (mnl_attr_get_type(attribute) == IFLA_INFO_DATA)
			data = attribute;
	}
	if (!br_device_kind_is_vlan(kind) || !data)
		return 0;
	device->protocol = ETH_P_8021Q;
	br_device_read_data(data, device);
	device->lower = br_netlink_u32(table[IFLA_LINK], 0);
	return 0;
}

static struct br_device *br_device_find(const struct br_next_hops *hops, uint32_t ifindex)
{
	struct br_device *device;

	TAILQ_FOREACH(device, &hops->devices, all)
	if (device->link.ifindex == ifindex)
		return device;
	return NULL;
}

/* Keep what is known of a device; false without memory. */
static bool br_device_keep(struct br_next_hops *hops, const struct br_device *now)
{
	struct br_device *device = br_device_find(hops, now->link.ifindex);

	if (!device) {
		device = calloc(1, sizeof(*device));
		if (!device)
			return false;
		TAILQ_INSERT_TAIL(&hops->devices, device, all);
	}
	device->link = now->link;
	device->lower = now->lower;
	device->vlan = now->vlan;
	device->protocol = now->protocol;
	return true;
}

static void br_device_forget(struct br_next_hops *hops, struct br_device *device)
{
	TAILQ_REMOVE(&hops->devices, device, all);
	free(device);
}

struct br_device_answer {
	struct br_device device;
	bool found;
};

static void br_device_answered(void *context, size_t index, const struct nlmsghdr *message,
			       int error)
{
	struct br_device_answer *answer = context;

	(void)index;
	(void)error;
	if (message && message->nlmsg_type == RTM_NEWLINK)
		answer->found = !br_device_read(message, &answer->device);
}

/* Ask the kernel about a device: 0, -ENODEV when there is none, another errno on failure. */
static int br_device_ask(struct br_next_hops *hops, uint32_t ifindex)
{
	struct br_device_answer answer = {.found = false};
	struct br_netlink_batch batch;
	int rc;

	br_netlink_batch_begin(&batch, &hops->requests);
	br_link_add_question(&batch, ifindex, NULL);
	rc = br_netlink_batch_send(&batch, br_device_answered, &answer);
	if (rc)
		return rc;
	if (!answer.found)
		return -ENODEV;
	return br_device_keep(hops, &answer.device) ? 0 : -ENOMEM;
}

/* Does the stamp push such tags? One is 802.1Q, two are 802.1Q in 802.1ad. */
static bool br_via_tags_fit(const struct br_via *via, const uint16_t protocol[static BR_VLAN_MAX])
{
	return protocol[via->vlans - 1] == ETH_P_8021Q &&
	       (via->vlans == 1 || protocol[0] == ETH_P_8021AD);
}

/* One device further down; its tag goes around those that are there. */
static bool br_via_add(struct br_via *via, const struct br_device *device,
		       uint16_t protocol[static BR_VLAN_MAX])
{
	if (via->vlans == BR_VLAN_MAX || !device->lower)
		return false;
	memmove(&via->vlan[1], &via->vlan[0], via->vlans * sizeof(via->vlan[0]));
	memmove(&protocol[1], &protocol[0], via->vlans * sizeof(protocol[0]));
	via->vlan[0] = device->vlan;
	protocol[0] = device->protocol;
	if (!via->vlans++) {
		via->flags = device->link.flags;
		memcpy(via->mac, device->link.mac, sizeof(via->mac));
		memcpy(via->broadcast, device->link.broadcast, sizeof(via->broadcast));
	}
	via->up = via->up && device->link.up;
	if (device->link.mtu < via->mtu)
		via->mtu = device->link.mtu;
	return true;
}

static void br_via_link(struct br_via *via, const struct br_link *link, size_t slot)
{
	uint32_t mtu = via->vlans > 1 ? link->mtu - BR_VLAN_TAG_BYTES : link->mtu;

	via->slot = slot;
	via->up = via->up && link->up;
	if (mtu < via->mtu)
		via->mtu = mtu;
	if (via->vlans)
		return;
	via->flags = link->flags;
	memcpy(via->mac, link->mac, sizeof(via->mac));
	memcpy(via->broadcast, link->broadcast, sizeof(via->broadcast));
}

int br_hops_via(const struct br_next_hops *hops, uint32_t ifindex, struct br_via *via,
		uint32_t *unknown)
{
	uint16_t protocol[BR_VLAN_MAX] = {0};
	int slot;

	*via = (struct br_via){.up = true, .mtu = UINT32_MAX};
	*unknown = 0;
	while ((slot = br_hops_link_slot(hops, ifindex)) < 0) {
		const struct br_device *device = br_device_find(hops, ifindex);

		if (!device) {
			*unknown = ifindex;
			return -ENODEV;
		}
		if (!br_via_add(via, device, protocol))
			return device->lower ? -EPROTONOSUPPORT : -ENODEV;
		ifindex = device->lower;
	}
	br_via_link(via, &hops->links[slot], (size_t)slot);
	return !via->vlans || br_via_tags_fit(via, protocol) ? 0 : -EPROTONOSUPPORT;
}

int br_hops_find_via(struct br_next_hops *hops, uint32_t ifindex, struct br_via *via)
{
	uint32_t unknown, asked = 0;
	int rc = br_hops_via(hops, ifindex, via, &unknown);

	while (rc == -ENODEV && unknown && unknown != asked) {
		asked = unknown;
		if (br_device_ask(hops, asked))
			return -ENODEV;
		rc = br_hops_via(hops, ifindex, via, &unknown);
	}
	return rc;
}

/* The hops over VLAN devices; one of these has changed. */
static void br_hops_devices_rewrite(struct br_next_hops *hops, bool reset)
{
	for (uint32_t i = 1; i < hops->index_top; i++) {
		struct br_hop *hop = hops->by_index[i];

		if (!hop || hop->named || br_hops_link_slot(hops, hop->ifindex) >= 0)
			continue;
		if (reset) {
			br_hop_reset(hops, hop);
			br_hop_doubt(hops, hop);
		} else {
			br_hop_write(hops, hop);
		}
	}
}

void br_hops_device_event(struct br_next_hops *hops, const struct nlmsghdr *message)
{
	struct br_device now, *device;
	bool reset;

	if (br_device_read(message, &now))
		return;
	device = br_device_find(hops, now.link.ifindex);
	if (!device)
		return;
	if (message->nlmsg_type == RTM_DELLINK) {
		br_device_forget(hops, device);
		br_hops_devices_rewrite(hops, true);
		br_remotes_doubt(hops, 0, NULL, 0);
		return;
	}
	reset = device->link.up != now.link.up || device->lower != now.lower ||
		device->vlan != now.vlan || device->protocol != now.protocol;
	if (!reset && device->link.mtu == now.link.mtu &&
	    !memcmp(device->link.mac, now.link.mac, sizeof(now.link.mac)))
		return;
	(void)br_device_keep(hops, &now); /* it is there: needs no memory */
	br_hops_devices_rewrite(hops, reset);
	br_remotes_doubt(hops, 0, NULL, 0);
}

void br_hops_devices_reread(struct br_next_hops *hops)
{
	struct br_device *device = TAILQ_FIRST(&hops->devices), *next;

	for (; device; device = next) {
		next = TAILQ_NEXT(device, all);
		if (br_device_ask(hops, device->link.ifindex) == -ENODEV)
			br_device_forget(hops, device);
	}
	br_hops_devices_rewrite(hops, false);
}

void br_hops_free_devices(struct br_next_hops *hops)
{
	while (!TAILQ_EMPTY(&hops->devices))
		br_device_forget(hops, TAILQ_FIRST(&hops->devices));
}
