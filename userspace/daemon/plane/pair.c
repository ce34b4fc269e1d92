// SPDX-License-Identifier: BSD-2-Clause
/* Making and removing the relay's own veth pairs over rtnetlink. */
#include "plane/pair.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include <libmnl/libmnl.h>

static int br_pair_request(struct nlmsghdr *message)
{
	char answer[1024];
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t length = -1;
	int err = 0;

	if (!socket)
		return -errno;
	message->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	message->nlmsg_seq = 1;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		err = -errno;
	if (!err)
		length = mnl_socket_recvfrom(socket, answer, sizeof(answer));
	if (!err && (length < 0 || mnl_cb_run(answer, (size_t)length, 1,
					      mnl_socket_get_portid(socket), NULL, NULL) < 0))
		err = -errno;
	mnl_socket_close(socket);
	return err;
}

static struct nlmsghdr *br_pair_message(void *buffer, uint16_t type, uint16_t flags, int ifindex,
					unsigned int interface_flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof(*link));

	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = ifindex;
	link->ifi_flags = interface_flags;
	link->ifi_change = interface_flags;
	return message;
}

/* What both ends have in common. */
static void br_pair_put_end(struct nlmsghdr *message, const char *name, uint32_t queues)
{
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_u32(message, IFLA_MTU, BR_PAIR_MTU);
	/* veth picks the queue by CPU: what a CPU sends into the pair comes out on it */
	mnl_attr_put_u32(message, IFLA_NUM_TX_QUEUES, queues);
	mnl_attr_put_u32(message, IFLA_NUM_RX_QUEUES, queues);
}

static int br_pair_create(const char *name, const char *peer_name, uint32_t queues)
{
	char buffer[1024] = {0};
	struct nlmsghdr *message =
		br_pair_message(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, IFF_NOARP);
	struct nlattr *info, *data, *peer;
	struct ifinfomsg *link;

	br_pair_put_end(message, name, queues);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
	link->ifi_flags = link->ifi_change = IFF_NOARP;
	br_pair_put_end(message, peer_name, queues);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return br_pair_request(message);
}

int br_pair_delete(const char *name)
{
	char buffer[256] = {0};
	int ifindex = (int)if_nametoindex(name);

	return ifindex ? br_pair_request(br_pair_message(buffer, RTM_DELLINK, 0, ifindex, 0)) : 0;
}

/*
 * No IPv6 address, so that no frame of the stack goes round. The kernel takes this only for a
 * device that exists, so not in br_pair_create; and in a request that also brings it up it
 * would do so first, and the device would solicit routers.
 */
static int br_pair_silence(const char *name)
{
	char buffer[256] = {0};
	struct nlmsghdr *message =
		br_pair_message(buffer, RTM_NEWLINK, 0, (int)if_nametoindex(name), 0);
	struct nlattr *spec, *inet6;

	spec = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(message, AF_INET6);
	mnl_attr_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(message, inet6);
	mnl_attr_nest_end(message, spec);
	return br_pair_request(message);
}

static int br_pair_up(const char *name)
{
	char buffer[256] = {0};
	int err = br_pair_silence(name);

	return err ? err
		   : br_pair_request(br_pair_message(buffer, RTM_NEWLINK, 0,
						     (int)if_nametoindex(name), IFF_UP));
}

int br_pair_make(const char *name, const char *peer, uint32_t queues)
{
	int err = br_pair_create(name, peer, queues);

	if (!err)
		err = br_pair_up(name);
	if (!err)
		err = br_pair_up(peer);
	return err;
}
