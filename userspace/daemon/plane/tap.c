// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tap: a veth pair over which the daemon gets packets for the receivers that it serves
 * itself. Copiers send into one end; a packet socket listens at the other. A copy still
 * carries its ticket over its MAC addresses, so its sender is known, and which run of edges
 * names its receivers: the kernel served the edges before them, of the same version.
 *
 * veth takes frames that XDP transmits only when the other end has an XDP program or GRO on
 * (kernel 5.13): the latter is enough here. The stack sees the frames too, as addressed to
 * another machine (see br_state_mark), and drops them.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "lib/log.h"
#include "plane/pair.h"
#include "plane/tap_frame.h"

#define BR_TAP_BATCH  32
#define BR_TAP_FRAME  (BR_PAIR_MTU + ETH_HLEN)
#define BR_TAP_COPIES 2048u		/* per call, so that a flood cannot hold the daemon */
#define BR_TAP_BUFFER (4 * 1024 * 1024) /* bytes of the socket's buffer */
/* A run of edges is not used again for BR_GRACE_NS; a packet that has waited longer than this
 * may name a run that has another owner by now. */
#define BR_TAP_AGE_MAX ((int64_t)BR_GRACE_NS / 2)

struct br_tap_batch {
	struct mmsghdr messages[BR_TAP_BATCH];
	struct iovec pieces[BR_TAP_BATCH];
	char control[BR_TAP_BATCH][CMSG_SPACE(sizeof(struct timespec))];
	uint8_t frames[BR_TAP_BATCH][BR_TAP_FRAME];
};

static int br_tap_set_gro(const char *name)
{
	struct ethtool_value value = {.cmd = ETHTOOL_SGRO, .data = 1};
	struct ifreq request = {.ifr_data = (void *)&value};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCETHTOOL, &request))
		err = -errno;
	close(fd);
	return err;
}

static int br_tap_listen(struct br_plane_tap *tap)
{
	const int size = BR_TAP_BUFFER, on = 1;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(tap->peer),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		err = -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (err)
		close(fd);
	return err ? err : fd;
}

/* The pair of an earlier daemon, or a new one. */
static int br_tap_devices(struct br_plane *plane)
{
	struct br_plane_tap *tap = &plane->tap;
	bool there = if_nametoindex(tap->name) && if_nametoindex(tap->peer);
	int err = 0;

	if (!plane->adopting || !there) {
		if (plane->adopting)
			br_log_warn("the veth pair \"%s\" is gone; it is made anew", tap->name);
		err = br_pair_delete(tap->name);
		if (!err)
			err = br_pair_make(tap->name, tap->peer, (uint32_t)plane->cpus);
	}
	if (!err)
		err = br_tap_set_gro(tap->peer);
	tap->ifindex = if_nametoindex(tap->name);
	return err;
}

int br_plane_tap_open(struct br_plane *plane, struct br_error *error)
{
	struct br_plane_tap *tap = &plane->tap;
	int err;

	snprintf(tap->name, sizeof(tap->name), "br-tap-%u", plane->options.media_port);
	snprintf(tap->peer, sizeof(tap->peer), "br-user-%u", plane->options.media_port);
	err = br_tap_devices(plane);
	if (err)
		return br_error_set(error, err, NULL,
				    "cannot make the veth pair \"%s\" for the daemon's packets: %s",
				    tap->name, strerror(-err));
	tap->batch = calloc(1, sizeof(*tap->batch));
	if (!tap->batch)
		return br_error_set(error, -ENOMEM, NULL, "no memory");
	tap->socket = br_tap_listen(tap);
	if (tap->socket == -EPERM)
		return br_error_set(error, -EPERM, NULL,
				    "the kernel refuses a packet socket on \"%s\": run as root, or "
				    "with CAP_NET_RAW",
				    tap->peer);
	return tap->socket < 0
		       ? br_error_set(error, tap->socket, NULL, "cannot listen to \"%s\": %s",
				      tap->peer, strerror(-tap->socket))
		       : 0;
}

void br_plane_tap_close(struct br_plane *plane)
{
	struct br_plane_tap *tap = &plane->tap;

	if (tap->socket >= 0)
		close(tap->socket);
	free(tap->batch);
	if (tap->name[0] && !plane->keep)
		br_pair_delete(tap->name);
}

void br_plane_set_tapped(struct br_plane *plane, br_plane_tapped tapped, void *context)
{
	plane->tap.tapped = tapped;
	plane->tap.context = context;
}

/* Has it waited so long that its ticket may name what is another's by now? */
static bool br_tap_is_stale(struct msghdr *message, const struct timespec *now)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct timespec then;
	int64_t age;

	for (; c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
			break;
	if (!c)
		return true;
	memcpy(&then, CMSG_DATA(c), sizeof(then));
	age = (now->tv_sec - then.tv_sec) * 1000000000LL + now->tv_nsec - then.tv_nsec;
	return age > BR_TAP_AGE_MAX || age < -BR_TAP_AGE_MAX; /* the clock was set */
}

/* The receivers that a ticket names; false when it cannot be right. */
static bool br_tap_route(const struct br_plane *plane, const struct br_ticket *ticket,
			 struct br_slow_route *route)
{
	uint32_t at = ticket->first_nonce % BR_TICKET_INDEX_MAX + (ticket->count & BR_TICKET_COUNT);
	uint32_t leg = ticket->leg_nonce % BR_TICKET_INDEX_MAX;
	const struct br_edge *edge = &plane->edge_table[at];

	if (ticket->mark != plane->pins.settings.ticket_mark || !(ticket->count & BR_TICKET_TAP) ||
	    at >= plane->options.max_edges || leg >= plane->options.max_legs ||
	    edge->egress != BR_EGRESS_TAP || edge->run > plane->options.max_edges - at)
		return false;
	*route = (struct br_slow_route){.leg = leg, .edges = edge, .count = edge->run};
	return true;
}

static uint32_t br_tap_packet(struct br_plane *plane, struct mmsghdr *message,
			      const struct timespec *now)
{
	struct br_slow_totals *totals = plane->slow_totals;
	const uint8_t *frame = message->msg_hdr.msg_iov->iov_base;
	struct br_datagram datagram;
	struct br_slow_route route;
	struct br_ticket ticket;

	totals->tapped.packets++;
	totals->tapped.bytes += message->msg_len > ETH_HLEN ? message->msg_len - ETH_HLEN : 0;
	if (message->msg_len < ETH_HLEN || message->msg_hdr.msg_flags & MSG_TRUNC) {
		br_plane_slow_count(plane, BR_BAD_LENGTH, 0);
		return 0;
	}
	memcpy(&ticket, frame, sizeof(ticket));
	if (!br_tap_route(plane, &ticket, &route)) {
		br_plane_slow_count(plane, BR_NO_TICKET, 0);
		return 0;
	}
	if (br_tap_frame_parse(frame, message->msg_len, &datagram)) {
		br_plane_slow_count(plane, BR_BAD_LENGTH, 0);
		return 0;
	}
	if (br_tap_is_stale(&message->msg_hdr, now)) {
		br_plane_slow_count(plane, BR_OVERLOAD, 0);
		return 0;
	}
	return plane->tap.tapped ? plane->tap.tapped(plane->tap.context, &datagram, &route) : 0;
}

/* What the socket had no room for. */
static void br_tap_note_lost(struct br_plane *plane)
{
	struct tpacket_stats stats;
	socklen_t length = sizeof(stats);

	if (!getsockopt(plane->tap.socket, SOL_PACKET, PACKET_STATISTICS, &stats, &length))
		plane->slow_totals->tap_lost += stats.tp_drops;
}

void br_plane_tap_read(struct br_plane *plane)
{
	struct br_tap_batch *batch = plane->tap.batch;
	uint32_t copies = 0;
	struct timespec now;
	int count;

	do {
		for (int i = 0; i < BR_TAP_BATCH; i++) {
			batch->pieces[i] = (struct iovec){batch->frames[i], BR_TAP_FRAME};
			batch->messages[i].msg_hdr = (struct msghdr){
				.msg_iov = &batch->pieces[i],
				.msg_iovlen = 1,
				.msg_control = batch->control[i],
				.msg_controllen = sizeof(batch->control[i]),
			};
		}
		count = recvmmsg(plane->tap.socket, batch->messages, BR_TAP_BATCH, MSG_DONTWAIT,
				 NULL);
		clock_gettime(CLOCK_REALTIME, &now);
		for (int i = 0; i < count; i++)
			copies += 1 + br_tap_packet(plane, &batch->messages[i], &now);
	} while (count == BR_TAP_BATCH && copies < BR_TAP_COPIES);
	br_tap_note_lost(plane);
}
