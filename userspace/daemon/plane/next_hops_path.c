/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths: what the routing table says about an address, asked with RTM_GETROUTE so that
 * rules, metrics, multipath and nexthop objects are the kernel's business.
 */
#include "plane/next_hops_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>

/*
 * A link-local address means nothing without its link, and a struct br_addr carries no
 * scope. With a single media interface there is no doubt; with several it is refused.
 */
static int br_path_scope(const struct br_next_hops *hops, const struct br_addr *remote,
			 uint32_t *ifindex)
{
	*ifindex = 0;
	if (!br_addr_is_link_local6(remote))
		return 0;
	if (hops->link_count != 1 || !hops->links[0].ifindex)
		return -EINVAL;
	*ifindex = hops->links[0].ifindex;
	return 0;
}

static bool br_path_read_addr(const struct nlattr *attribute, uint8_t family, struct br_addr *addr)
{
	if (!attribute || mnl_attr_get_payload_len(attribute) != (family == 4 ? 4 : 16))
		return false;
	*addr = br_addr_from_bytes(family, mnl_attr_get_payload(attribute));
	return true;
}

/* RTA_GATEWAY, or RTA_VIA when the gateway is of the other family (RFC 8950 style routes). */
static void br_path_read_neighbour(struct br_path *path, const struct nlattr **table,
				   uint8_t family)
{
	const struct nlattr *via = table[RTA_VIA];
	struct rtvia head;

	if (br_path_read_addr(table[RTA_GATEWAY], family, &path->neighbour) || !via ||
	    mnl_attr_get_payload_len(via) < sizeof(head))
		return;
	memcpy(&head, mnl_attr_get_payload(via), sizeof(head));
	family = head.rtvia_family == AF_INET ? 4 : 6;
	if (mnl_attr_get_payload_len(via) == sizeof(head) + (family == 4 ? 4 : 16))
		path->neighbour = br_addr_from_bytes(
			family, (const uint8_t *)mnl_attr_get_payload(via) + sizeof(head));
}

/*
 * MTU the route is configured with. One learned from ICMP is not taken: whoever can
 * forge ICMP would set it, and nothing announces when it expires.
 */
static uint16_t br_path_read_mtu(const struct rtmsg *header, const struct nlattr **table)
{
	const struct nlattr *attribute;
	uint32_t mtu = 0;

	if (header->rtm_family == AF_INET6 && header->rtm_flags & RTM_F_CLONED)
		return 0;
	/* an IPv4 answer is always a clone; a learned MTU shows by its expiry */
	if (header->rtm_family == AF_INET && table[RTA_CACHEINFO] &&
	    mnl_attr_get_payload_len(table[RTA_CACHEINFO]) >= sizeof(struct rta_cacheinfo)) {
		struct rta_cacheinfo info;

		memcpy(&info, mnl_attr_get_payload(table[RTA_CACHEINFO]), sizeof(info));
		if (info.rta_expires)
			return 0;
	}
	if (!table[RTA_METRICS])
		return 0;
	mnl_attr_for_each_nested (attribute, table[RTA_METRICS]) {
		if (mnl_attr_get_type(attribute) == RTAX_MTU)
			mtu = br_netlink_u32(attribute, 0);
	}
	return mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
}

static int br_path_loopback_slot(const struct br_next_hops *hops)
{
	for (size_t i = 0; i < hops->link_count; i++) {
		if (hops->links[i].ifindex && hops->links[i].flags & IFF_LOOPBACK)
			return (int)i;
	}
	return -1;
}

static enum br_path_fault br_path_find_slot(const struct br_next_hops *hops, struct br_path *path,
					    uint8_t type)
{
	int slot;

	switch (type) {
	case RTN_UNICAST:
		slot = br_hops_link_slot(hops, path->ifindex);
		break;
	case RTN_LOCAL: /* some kernels name the interface that has the address, not lo */
		slot = br_path_loopback_slot(hops);
		break;
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		return BR_PATH_NOT_UNICAST;
	default:
		return BR_PATH_NO_ROUTE;
	}
	if (slot < 0)
		return type == RTN_LOCAL ? BR_PATH_HOST : BR_PATH_FOREIGN;
	path->slot = (size_t)slot;
	path->ifindex = hops->links[slot].ifindex;
	return BR_PATH_OK;
}

static void br_path_read(const struct br_next_hops *hops, const struct br_addr *remote,
			 const struct nlmsghdr *message, struct br_path *path)
{
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *table[RTA_ENCAP + 1];

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return;
	br_netlink_attributes(message, sizeof(*header), table, RTA_ENCAP);
	path->ifindex = br_netlink_u32(table[RTA_OIF], 0);
	path->neighbour = *remote;
	br_path_read_neighbour(path, table, remote->family);
	path->mtu = br_path_read_mtu(header, table);
	path->tunnel = table[RTA_ENCAP] != NULL;
	path->fault = br_path_find_slot(hops, path, header->rtm_type);
	/* a link-local source for a global address: ours is still tentative (RFC 4862) */
	if (!br_path_read_addr(table[RTA_PREFSRC], remote->family, &path->local) ||
	    (br_addr_is_link_local6(&path->local) && !br_addr_is_link_local6(remote)))
		memset(&path->local, 0, sizeof(path->local));
}

static void br_path_add_question(struct br_netlink_batch *batch, const struct br_addr *remote,
				 uint32_t ifindex)
{
	bool v4 = remote->family == 4;
	struct nlmsghdr *message;
	struct rtmsg *header;

	message = br_netlink_batch_add(batch, RTM_GETROUTE, 0, sizeof(*header), (void **)&header);
	header->rtm_family = v4 ? AF_INET : AF_INET6;
	header->rtm_dst_len = v4 ? 32 : 128;
	mnl_attr_put(message, RTA_DST, v4 ? 4 : 16, v4 ? &remote->words[3] : remote->words);
	if (ifindex)
		mnl_attr_put_u32(message, RTA_OIF, ifindex);
}

static void br_path_answered(void *context, size_t index, const struct nlmsghdr *message, int error)
{
	struct br_path_batch *paths = context;
	size_t i = paths->of_request[index];

	if (message) {
		br_path_read(paths->hops, &paths->remotes[i]->addr, message, &paths->paths[i]);
		return;
	}
	paths->closed[i] = true;
	if (error) {
		paths->paths[i].fault = BR_PATH_NO_ROUTE;
		paths->paths[i].error = error;
	}
}

/* What the answer alone does not say: a device that is none of ours may stand on one. */
static void br_path_finish(struct br_next_hops *hops, struct br_path *path)
{
	struct br_via via;
	int rc;

	if (path->fault == BR_PATH_FOREIGN) {
		rc = br_hops_find_via(hops, path->ifindex, &via);
		if (rc == -EPROTONOSUPPORT)
			path->fault = BR_PATH_TAGS;
		if (!rc) {
			path->fault = BR_PATH_OK;
			path->slot = via.slot;
		}
	}
	if (path->fault == BR_PATH_OK && path->tunnel)
		path->fault = BR_PATH_TUNNEL;
}

int br_path_ask(struct br_next_hops *hops, struct br_path_batch *paths)
{
	struct br_netlink_batch batch;
	int rc;

	paths->hops = hops;
	br_netlink_batch_begin(&batch, &hops->requests);
	for (size_t i = 0; i < paths->count; i++) {
		const struct br_addr *remote = &paths->remotes[i]->addr;
		struct br_path *path = &paths->paths[i];
		uint32_t ifindex;

		memset(path, 0, sizeof(*path));
		path->fault = BR_PATH_NO_ROUTE;
		paths->closed[i] = true;
		if (!br_addr_is_unicast(remote)) {
			path->fault = BR_PATH_NOT_UNICAST;
		} else if (br_path_scope(hops, remote, &ifindex)) {
			path->fault = BR_PATH_NO_SCOPE;
		} else {
			paths->closed[i] = false;
			paths->of_request[batch.count] = i;
			br_path_add_question(&batch, remote, ifindex);
		}
	}
	rc = br_netlink_batch_send(&batch, br_path_answered, paths);
	for (size_t i = 0; i < paths->count; i++)
		if (paths->closed[i])
			br_path_finish(hops, &paths->paths[i]);
	return rc;
}

const char *br_hops_list_links(const struct br_next_hops *hops, char out[static BR_HOPS_LIST_TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < hops->link_count && used < BR_HOPS_LIST_TEXT; i++)
		used += (size_t)snprintf(out + used, BR_HOPS_LIST_TEXT - used, "%s%s",
					 i ? ", " : "", hops->links[i].name);
	return out;
}

int br_path_refuse(struct br_next_hops *hops, const struct br_addr *remote,
		   const struct br_path *path, struct br_error *error)
{
	char text[BR_ADDR_TEXT], list[BR_HOPS_LIST_TEXT], name[32];
	const char *ours = br_hops_list_links(hops, list);

	br_addr_format(remote, text);
	br_hops_link_name(hops, path->ifindex, name);
	switch (path->fault) {
	case BR_PATH_NOT_UNICAST:
		return br_error_set(error, -EHOSTUNREACH, "address",
				    "%s is not the address of one host; expected a unicast address",
				    text);
	case BR_PATH_NO_SCOPE:
		return br_error_set(error, -EHOSTUNREACH, "address",
				    "%s is link-local and does not say on which of the media "
				    "interfaces (%s); expected a global or unique local address",
				    text, ours);
	case BR_PATH_FOREIGN:
		return br_error_set(error, -EHOSTUNREACH, "address",
				    "the route to %s uses %s, which is none of the media "
				    "interfaces (%s)",
				    text, name, ours);
	case BR_PATH_HOST:
		return br_error_set(error, -EHOSTUNREACH, "address",
				    "%s is an address of this host, reached over lo, which is none "
				    "of the media interfaces (%s)",
				    text, ours);
	case BR_PATH_TAGS:
		return br_error_set(error, -EHOSTUNREACH, "address",
				    "the route to %s over %s takes VLAN tags that the relay cannot "
				    "push; expected one 802.1Q tag, or one inside of an 802.1ad "
				    "tag",
				    text, name);
	case BR_PATH_TUNNEL:
		return br_error_set(error, -EHOSTUNREACH, "address",
				    "the route to %s over %s encapsulates packets, which the relay "
				    "cannot do; expected a plain route",
				    text, name);
	case BR_PATH_NO_SOURCE:
		return br_error_set(error, -EHOSTUNREACH, "address",
				    "%s has no usable source address for %s (none, or IPv6 "
				    "duplicate address detection is not over yet)",
				    name, text);
	default:
		return br_error_set(error, -EHOSTUNREACH, "address",
				    "no route leads to %s%s%s (media interfaces: %s)", text,
				    path->error ? ": " : "",
				    path->error ? strerror(-path->error) : "", ours);
	}
}
