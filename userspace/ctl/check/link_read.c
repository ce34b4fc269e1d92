// SPDX-License-Identifier: BSD-2-Clause
/* Looking at an interface: rtnetlink, XDP features, addresses. */
#include "ctl/check/link.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <libmnl/libmnl.h>

#include "plane/features.h"
#include "plane/netlink.h"

/* Maps that no other program has: what makes an XDP program blindrelayd's. */
#define BR_OUR_PROGRAM "relay"
#define BR_OUR_MAP     "replicators"

static void br_read_kind(const struct nlattr *info, char kind[static 16])
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested (attribute, info)
		if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND &&
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
			snprintf(kind, 16, "%s", mnl_attr_get_str(attribute));
}

static void br_read_xdp(const struct nlattr *xdp, struct br_check_device *device)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested (attribute, xdp) {
		if (mnl_attr_get_type(attribute) == IFLA_XDP_ATTACHED &&
		    mnl_attr_validate(attribute, MNL_TYPE_U8) >= 0)
			device->xdp = mnl_attr_get_u8(attribute);
		if (mnl_attr_get_type(attribute) == IFLA_XDP_PROG_ID)
			device->xdp_id = br_netlink_u32(attribute, 0);
	}
}

struct br_read_answer {
	struct br_check_device *device;
	int error;
};

static void br_read_link(void *context, size_t index, const struct nlmsghdr *message, int error)
{
	struct br_read_answer *answer = context;
	struct br_check_device *device = answer->device;
	const struct nlattr *table[IFLA_XDP + 1];
	const struct ifinfomsg *header;
	uint32_t master;

	(void)index;
	if (!message) {
		answer->error = error;
		return;
	}
	if (message->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return;
	header = mnl_nlmsg_get_payload(message);
	br_netlink_attributes(message, sizeof(*header), table, IFLA_XDP);
	device->ifindex = (uint32_t)header->ifi_index;
	device->flags = header->ifi_flags;
	device->mtu = br_netlink_u32(table[IFLA_MTU], 0);
	if (table[IFLA_IFNAME] && mnl_attr_validate(table[IFLA_IFNAME], MNL_TYPE_NUL_STRING) >= 0)
		snprintf(device->name, sizeof(device->name), "%s",
			 mnl_attr_get_str(table[IFLA_IFNAME]));
	if (table[IFLA_LINKINFO])
		br_read_kind(table[IFLA_LINKINFO], device->kind);
	if (table[IFLA_XDP])
		br_read_xdp(table[IFLA_XDP], device);
	master = br_netlink_u32(table[IFLA_MASTER], 0);
	if (master && !if_indextoname(master, device->master))
		snprintf(device->master, sizeof(device->master), "interface %u", master % 1000);
	if (!strcmp(device->kind, "veth")) {
		device->peer = br_netlink_u32(table[IFLA_LINK], 0);
		device->peer_elsewhere = table[IFLA_LINK_NETNSID] != NULL;
	}
}

/* Does one of the program's maps have the name of ours? */
static bool br_read_has_our_map(const __u32 *ids, __u32 count)
{
	bool found = false;

	for (__u32 i = 0; i < count && !found; i++) {
		struct bpf_map_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			continue;
		found = !bpf_obj_get_info_by_fd(fd, &info, &size) && !strcmp(info.name, BR_OUR_MAP);
		close(fd);
	}
	return found;
}

/* Names need a capability; without it the program keeps its number only. */
static void br_read_program(struct br_check_device *device)
{
	__u32 ids[64] = {0};
	struct bpf_prog_info info = {.nr_map_ids = 64, .map_ids = (__u64)(unsigned long)ids};
	__u32 size = sizeof(info);
	int fd;

	if (!device->xdp_id)
		return;
	fd = bpf_prog_get_fd_by_id(device->xdp_id);
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size)) {
		snprintf(device->xdp_name, sizeof(device->xdp_name), "%.16s", info.name);
		device->xdp_ours =
			!strcmp(info.name, BR_OUR_PROGRAM) &&
			br_read_has_our_map(ids, info.nr_map_ids < 64 ? info.nr_map_ids : 64);
	}
	close(fd);
}

static int br_read_device(struct br_netlink *netlink, uint32_t ifindex,
			  struct br_check_device *device)
{
	struct br_read_answer answer = {.device = device, .error = -EIO};
	struct br_netlink_batch batch;
	struct ifinfomsg *header;
	struct nlmsghdr *message;
	void *space;
	int rc;

	memset(device, 0, sizeof(*device));
	br_netlink_batch_begin(&batch, netlink);
	message = br_netlink_batch_add(&batch, RTM_GETLINK, 0, sizeof(*header), &space);
	header = space;
	header->ifi_index = (int)ifindex;
	/* statistics would only fill the buffer */
	mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	rc = br_netlink_batch_send(&batch, br_read_link, &answer);
	if (!rc)
		rc = answer.error;
	if (rc)
		return rc;
	br_check_ethtool_read(device->name, &device->ethtool);
	br_read_program(device);
	return 0;
}

static bool br_read_features(uint32_t ifindex, uint64_t *flags)
{
	struct br_features features;
	bool ok;

	if (!br_features_open(&features))
		return false;
	ok = br_features_read(&features, ifindex, flags);
	br_features_close(&features);
	return ok;
}

static void br_read_addresses(struct br_check_link *link)
{
	struct ifaddrs *list;

	if (getifaddrs(&list))
		return;
	for (const struct ifaddrs *a = list; a; a = a->ifa_next) {
		if (!a->ifa_addr || strcmp(a->ifa_name, link->device.name) != 0)
			continue;
		if (a->ifa_addr->sa_family == AF_INET)
			link->ipv4 = true;
		if (a->ifa_addr->sa_family == AF_INET6)
			link->ipv6 |= !IN6_IS_ADDR_LINKLOCAL(
				&((const struct sockaddr_in6 *)(const void *)a->ifa_addr)
					 ->sin6_addr);
	}
	freeifaddrs(list);
}

int br_check_link_read(uint32_t ifindex, struct br_check_link *link)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct br_netlink netlink;
	int rc;

	memset(link, 0, sizeof(*link));
	link->cpus = cpus > 0 ? (unsigned int)cpus : 1;
	rc = br_netlink_open_requests(&netlink);
	if (rc)
		return rc;
	rc = br_read_device(&netlink, ifindex, &link->device);
	/* a peer that goes while we look is one we do not see */
	if (!rc && link->device.peer && !link->device.peer_elsewhere &&
	    br_read_device(&netlink, link->device.peer, &link->peer))
		memset(&link->peer, 0, sizeof(link->peer));
	br_netlink_close(&netlink);
	if (rc)
		return rc;
	link->features_known = br_read_features(ifindex, &link->features);
	br_read_addresses(link);
	return 0;
}
