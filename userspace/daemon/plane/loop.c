// SPDX-License-Identifier: BSD-2-Clause
/*
 * The loop: a veth pair on which a packet of a long route comes back for its next segment,
 * so that the egress ring can drain in between and several interfaces can serve one room.
 * Copiers send into one end; relay_loop listens at the other.
 *
 * Frames of the stack would be noise there (relay_loop drops what has no ticket): no ARP,
 * no IPv6, no address.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <libmnl/libmnl.h>

#include "lib/log.h"
#include "relay.skel.h"

/* XDP on veth wants a packet to fit into one page; this leaves room for its headroom. */
#define BR_LOOP_MTU 3000u

static int br_loop_request(struct nlmsghdr *message)
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

static struct nlmsghdr *br_loop_message(void *buffer, uint16_t type, uint16_t flags, int ifindex,
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
static void br_loop_put_end(struct nlmsghdr *message, const char *name, uint32_t queues)
{
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	mnl_attr_put_u32(message, IFLA_MTU, BR_LOOP_MTU);
	/* veth picks the queue by CPU: what a CPU sends into the loop comes back to it */
	mnl_attr_put_u32(message, IFLA_NUM_TX_QUEUES, queues);
	mnl_attr_put_u32(message, IFLA_NUM_RX_QUEUES, queues);
}

static int br_loop_create(const char *name, const char *peer_name, uint32_t queues)
{
	char buffer[1024] = {0};
	struct nlmsghdr *message =
		br_loop_message(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, IFF_NOARP);
	struct nlattr *info, *data, *peer;
	struct ifinfomsg *link;

	br_loop_put_end(message, name, queues);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
	link->ifi_flags = link->ifi_change = IFF_NOARP;
	br_loop_put_end(message, peer_name, queues);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return br_loop_request(message);
}

static int br_loop_delete(const char *name)
{
	char buffer[256] = {0};
	int ifindex = (int)if_nametoindex(name);

	return ifindex ? br_loop_request(br_loop_message(buffer, RTM_DELLINK, 0, ifindex, 0)) : 0;
}

/* The kernel takes the IPv6 mode only for a device that exists, so not in br_loop_create. */
static int br_loop_up(const char *name)
{
	char buffer[256] = {0};
	struct nlmsghdr *message =
		br_loop_message(buffer, RTM_NEWLINK, 0, (int)if_nametoindex(name), IFF_UP);
	struct nlattr *spec, *inet6;

	spec = mnl_attr_nest_start(message, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(message, AF_INET6);
	mnl_attr_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(message, inet6);
	mnl_attr_nest_end(message, spec);
	return br_loop_request(message);
}

/* A pair of this name may be left from a daemon that was killed: then nothing is attached. */
static int br_loop_remove_stale(const struct br_plane_loop *loop, struct br_error *error)
{
	int ifindex = (int)if_nametoindex(loop->peer);
	__u32 program = 0;

	if (ifindex && !bpf_xdp_query_id(ifindex, 0, &program) && program)
		return br_error_set(error, -EBUSY, "media.port",
				    "another blindrelayd serves this port here: interface \"%s\" "
				    "is in use",
				    loop->peer);
	return br_loop_delete(loop->name);
}

/* The pair of an earlier daemon, if it is whole and its link is pinned. */
static bool br_loop_adopt(struct br_plane *plane)
{
	struct br_plane_loop *loop = &plane->loop;

	loop->ifindex = if_nametoindex(loop->name);
	if (!loop->ifindex)
		return false;
	loop->link = br_plane_attach_adopt(plane, plane->bpf->progs.relay_loop,
					   if_nametoindex(loop->peer), BR_PIN_LOOP);
	return loop->link >= 0;
}

int br_plane_loop_open(struct br_plane *plane, struct br_error *error)
{
	struct br_plane_loop *loop = &plane->loop;
	int err;

	snprintf(loop->name, sizeof(loop->name), "br-loop-%u", plane->options.media_port);
	snprintf(loop->peer, sizeof(loop->peer), "br-back-%u", plane->options.media_port);
	if (plane->adopting && br_loop_adopt(plane))
		return 0;
	if (plane->adopting)
		br_log_warn("the veth pair \"%s\" is gone; it is made anew", loop->name);
	err = br_loop_remove_stale(loop, error);
	if (!err) {
		err = br_loop_create(loop->name, loop->peer, (uint32_t)plane->cpus);
		if (!err)
			err = br_loop_up(loop->name);
		if (!err)
			err = br_loop_up(loop->peer);
		if (err)
			br_error_set(error, err, NULL,
				     "cannot make the veth pair \"%s\" for long routes: %s",
				     loop->name, strerror(-err));
	} else if (err != -EBUSY) {
		br_error_set(error, err, NULL, "cannot remove the old veth pair \"%s\": %s",
			     loop->name, strerror(-err));
	}
	if (err) {
		if (err == -EBUSY)
			loop->name[0] = '\0'; /* somebody else's */
		return err;
	}
	loop->ifindex = if_nametoindex(loop->name);
	loop->link = br_plane_attach_program(plane, plane->bpf->progs.relay_loop,
					     if_nametoindex(loop->peer), loop->peer, error);
	if (loop->link < 0)
		return loop->link;
	err = br_pins_put(&plane->pins, loop->link, BR_PIN_LOOP);
	return err ? br_error_set(error, err, "state.path", "cannot pin the link of \"%s\": %s",
				  loop->peer, strerror(-err))
		   : 0;
}

void br_plane_loop_close(struct br_plane *plane)
{
	if (plane->loop.link >= 0)
		close(plane->loop.link);
	if (plane->loop.name[0] && !plane->keep)
		br_loop_delete(plane->loop.name);
}
