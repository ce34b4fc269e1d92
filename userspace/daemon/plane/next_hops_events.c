/* SPDX-License-Identifier: BSD-2-Clause */
/* rtnetlink announcements: links are followed here; the rest says whom to put in doubt. */
#include "plane/next_hops_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include "lib/log.h"

/*
 * Links and addresses are announced before the routes that depend on them are gone, and
 * IPv4 routes that go with their link are not announced at all: ask once more a bit later.
 */
#define BR_HOPS_RECHECK_NS (30 * 1000000ull)

const int br_hops_groups[] = {
	RTNLGRP_LINK,	    RTNLGRP_NEIGH,	 RTNLGRP_IPV4_ROUTE,
	RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
	RTNLGRP_IPV4_RULE,  RTNLGRP_IPV6_RULE,	 RTNLGRP_NEXTHOP,
};
const size_t br_hops_group_count = sizeof(br_hops_groups) / sizeof(br_hops_groups[0]);

int br_hops_link_slot(const struct br_next_hops *hops, uint32_t ifindex)
{
	for (size_t i = 0; ifindex && i < hops->link_count; i++) {
		if (hops->links[i].ifindex == ifindex)
			return (int)i;
	}
	return -1;
}

static void br_hops_plan_recheck(struct br_next_hops *hops)
{
	if (!hops->recheck_ns)
		hops->recheck_ns = br_hops_now() + BR_HOPS_RECHECK_NS;
}

static void br_hops_doubt_all(struct br_next_hops *hops)
{
	br_remotes_doubt(hops, 0, NULL, 0);
	br_hops_plan_recheck(hops);
}

void br_hops_tell_addresses(struct br_next_hops *hops)
{
	if (hops->told.addresses_changed)
		hops->told.addresses_changed(hops->told.context);
}

static bool br_link_copy_mac(const struct nlattr *attribute, uint8_t mac[static 6])
{
	if (!attribute || mnl_attr_get_payload_len(attribute) != 6)
		return false;
	memcpy(mac, mnl_attr_get_payload(attribute), 6);
	return true;
}

/*
 * A link message into @link, name included; -EPROTONOSUPPORT when it has no Ethernet
 * addresses. IFF_LOWER_UP is the carrier; the operational state follows it up to a second
 * later and matters to the queues of the stack only. DORMANT: 802.1X has not let us in.
 */
int br_link_read(const struct nlmsghdr *message, struct br_link *link)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[IFLA_MTU + 1];
	size_t length;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return -EBADMSG;
	br_netlink_attributes(message, sizeof(*header), table, IFLA_MTU);
	memset(link, 0, sizeof(*link));
	link->ifindex = (uint32_t)header->ifi_index;
	link->flags = header->ifi_flags;
	link->mtu = br_netlink_u32(table[IFLA_MTU], 0);
	link->up =
		link->flags & IFF_UP && link->flags & IFF_LOWER_UP && !(link->flags & IFF_DORMANT);
	if (table[IFLA_IFNAME]) {
		length = mnl_attr_get_payload_len(table[IFLA_IFNAME]);
		if (length >= sizeof(link->name))
			length = sizeof(link->name) - 1;
		memcpy(link->name, mnl_attr_get_payload(table[IFLA_IFNAME]), length);
	}
	if ((header->ifi_type != ARPHRD_ETHER && header->ifi_type != ARPHRD_LOOPBACK) ||
	    !br_link_copy_mac(table[IFLA_ADDRESS], link->mac))
		return -EPROTONOSUPPORT;
	br_link_copy_mac(table[IFLA_BROADCAST], link->broadcast);
	return 0;
}

/* The hops of a slot after its link changed. */
static void br_hops_link_rewrite(struct br_next_hops *hops, size_t slot, bool reset, bool doubt)
{
	for (uint32_t i = 1; i < hops->index_top; i++) {
		struct br_hop *hop = hops->by_index[i];

		if (!hop || hop->slot != slot)
			continue;
		if (reset)
			br_hop_reset(hops, hop);
		else
			br_hop_write(hops, hop);
		if (doubt)
			br_hop_doubt(hops, hop);
	}
}

/* Take over the new description of a media interface; ifindex 0: it is gone. */
static void br_hops_link_apply(struct br_next_hops *hops, size_t slot, const struct br_link *now)
{
	struct br_link *link = &hops->links[slot];
	struct br_link was = *link;
	bool came_or_went = was.ifindex != now->ifindex || was.up != now->up;
	bool other_kind = (was.flags ^ now->flags) & (IFF_NOARP | IFF_POINTOPOINT);
	bool same_mac = !memcmp(was.mac, now->mac, sizeof(was.mac));

	if (!came_or_went && !other_kind && same_mac && was.mtu == now->mtu)
		return;
	*link = *now;
	/* the slot's name stays while the interface lives, whatever that is called now */
	memcpy(link->name, was.name, sizeof(link->name));
	/* with our own address the kernel forgets its neighbours; they have not changed */
	br_hops_link_rewrite(hops, slot, came_or_went || other_kind,
			     came_or_went || other_kind || !same_mac);
	br_hops_doubt_all(hops);
	if (!came_or_went)
		return;
	br_log_info("interface %s is %s (index %u)", link->name,
		    !link->ifindex ? "gone"
		    : link->up	   ? "up"
				   : "down",
		    link->ifindex);
	br_hops_tell_addresses(hops);
	if (hops->told.interface_changed)
		hops->told.interface_changed(hops->told.context, slot, link->ifindex, link->up);
}

static void br_hops_link_gone(struct br_next_hops *hops, size_t slot)
{
	struct br_link none = hops->links[slot];

	none.ifindex = 0;
	none.up = false;
	br_hops_link_apply(hops, slot, &none);
}

/* A message about an interface that may be ours: by index, or by the name of a lost one. */
static void br_hops_link_message(struct br_next_hops *hops, const struct nlmsghdr *message,
				 const struct br_link *now, int unusable)
{
	for (size_t i = 0; i < hops->link_count; i++) {
		const struct br_link *link = &hops->links[i];
		bool same = link->ifindex == now->ifindex;
		bool back = !link->ifindex && !strcmp(link->name, now->name);

		if (same && message->nlmsg_type == RTM_DELLINK) {
			br_hops_link_gone(hops, i);
		} else if ((same || back) && message->nlmsg_type == RTM_NEWLINK) {
			if (unusable && back)
				br_log_warn("interface %s came back, but not as Ethernet",
					    link->name);
			else if (!unusable)
				br_hops_link_apply(hops, i, now);
		}
	}
}

static void br_hops_link_event(struct br_next_hops *hops, const struct nlmsghdr *message)
{
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct br_link now;
	int rc;

	/* AF_BRIDGE: a port joined or left a bridge; its RTM_DELLINK deletes no interface */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header) || header->ifi_family != AF_UNSPEC)
		return;
	rc = br_link_read(message, &now);
	if (rc != -EBADMSG)
		br_hops_link_message(hops, message, &now, rc);
	br_hops_device_event(hops, message);
	/* routes over other interfaces may have gone with them; carrier changes come with 0 */
	if (message->nlmsg_type == RTM_DELLINK || !header->ifi_change ||
	    header->ifi_change & (IFF_UP | IFF_LOWER_UP | IFF_RUNNING))
		br_hops_plan_recheck(hops);
}

static void br_hops_route_event(struct br_next_hops *hops, const struct nlmsghdr *message)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[RTA_DST + 1];
	struct br_addr network = {0};
	unsigned int prefix;
	bool v4;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    (header->rtm_family != AF_INET && header->rtm_family != AF_INET6))
		return;
	v4 = header->rtm_family == AF_INET;
	br_netlink_attributes(message, sizeof(*header), table, RTA_DST);
	prefix = header->rtm_dst_len;
	if (prefix > (v4 ? 32 : 128) || !table[RTA_DST] ||
	    mnl_attr_get_payload_len(table[RTA_DST]) != (v4 ? 4 : 16)) {
		prefix = 0; /* a default route */
	} else if (prefix) {
		network = br_addr_from_bytes(v4 ? 4 : 6, mnl_attr_get_payload(table[RTA_DST]));
		prefix += v4 ? 96 : 0;
	}
	br_remotes_doubt(hops, v4 ? 4 : 6, &network, prefix);
}

void br_hops_event(void *context, const struct nlmsghdr *message)
{
	struct br_next_hops *hops = context;

	switch (message->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		br_hops_neighbour_event(hops, message);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		br_hops_link_event(hops, message);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		br_hops_route_event(hops, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		br_hops_tell_addresses(hops);
		br_hops_doubt_all(hops);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		br_hops_doubt_all(hops);
		break;
	default:
		break;
	}
}

struct br_link_answer {
	struct br_link link;
	int error; /* of the kernel, or of br_link_read */
};

static void br_link_answered(void *context, size_t index, const struct nlmsghdr *message, int error)
{
	struct br_link_answer *answer = (struct br_link_answer *)context + index;

	if (message && message->nlmsg_type == RTM_NEWLINK)
		answer->error = br_link_read(message, &answer->link);
	else if (!message && error)
		answer->error = error;
}

void br_link_add_question(struct br_netlink_batch *batch, uint32_t ifindex, const char *name)
{
	struct ifinfomsg *header;
	struct nlmsghdr *message =
		br_netlink_batch_add(batch, RTM_GETLINK, 0, sizeof(*header), (void **)&header);

	header->ifi_index = (int)ifindex;
	if (!ifindex)
		mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/*
 * By index first, so that a renamed interface is still ours; those that are gone by name,
 * in a second round. Names found in the kernel's other names (altname) do not count.
 */
int br_hops_links_read(struct br_next_hops *hops)
{
	for (int round = 0; round < 2; round++) {
		struct br_link_answer answers[BR_EGRESS_MAX] = {0};
		size_t slots[BR_EGRESS_MAX] = {0};
		struct br_netlink_batch batch;
		size_t count;
		int rc;

		br_netlink_batch_begin(&batch, &hops->requests);
		for (size_t i = 0; i < hops->link_count; i++) {
			bool lost = !hops->links[i].ifindex;

			if (lost != (round == 1))
				continue;
			slots[batch.count] = i;
			br_link_add_question(&batch, hops->links[i].ifindex, hops->links[i].name);
		}
		count = batch.count;
		rc = br_netlink_batch_send(&batch, br_link_answered, answers);
		if (rc)
			return rc;
		for (size_t i = 0; i < count; i++) {
			const struct br_link_answer *answer = &answers[i];

			if (!round && answer->error)
				br_hops_link_gone(hops, slots[i]);
			else if (!answer->error &&
				 (!round || !strcmp(answer->link.name, hops->links[slots[i]].name)))
				br_hops_link_apply(hops, slots[i], &answer->link);
		}
	}
	return 0;
}

void br_hops_link_name(struct br_next_hops *hops, uint32_t ifindex, char name[static 32])
{
	struct br_link_answer answer = {0};
	struct br_netlink_batch batch;

	snprintf(name, 32, "interface %u", ifindex);
	if (!ifindex)
		return;
	br_netlink_batch_begin(&batch, &hops->requests);
	br_link_add_question(&batch, ifindex, NULL);
	/* an interface without Ethernet addresses has a name all the same */
	if (!br_netlink_batch_send(&batch, br_link_answered, &answer) && answer.link.name[0])
		snprintf(name, 32, "%s", answer.link.name);
}
