// SPDX-License-Identifier: BSD-2-Clause
/*
 * Has every copy that generic XDP makes bytes of its own? The kernel clones socket buffers
 * there, and where clones share their bytes, each stamp writes over the one before it: all
 * copies would go to the last receiver. No version of the kernel promises either, so one
 * packet is sent to two receivers of ours at start, before there are others: into the loop,
 * through relay_loop, a copier and the stamp, and out over the tap.
 *
 * Where bytes are shared, the copier is not used and the daemon serves all receivers.
 */
#include "plane/plane_private.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>

#include "lib/log.h"
#include "plane/tap_frame.h"
#include "relay.skel.h"

#define BR_CLONES_COPIES  2u
#define BR_CLONES_SENDER  BR_CLONES_COPIES /* a leg that is neither */
#define BR_CLONES_HOP	  1u
#define BR_CLONES_EGRESS  (BR_EGRESS_MAX - 1)
#define BR_CLONES_WAIT_MS 1000
#define BR_CLONES_PAYLOAD 12u

/* Neither a group address nor the tap's own. */
static const uint8_t br_clones_mac[6] = {0x00, 0x00, 0x5e, 0x00, 0x53, 0x01};

/* Two receivers at entries that nobody has yet; they differ in their ports. */
static void br_clones_write(struct br_plane *plane)
{
	struct br_next_hop *hop = &plane->hop_table[BR_CLONES_HOP];

	*hop = (struct br_next_hop){
		.mtu = 1500,
		.state = BR_NEXT_HOP_READY,
		.egress = BR_CLONES_EGRESS,
	};
	memcpy(hop->destination, br_clones_mac, sizeof(hop->destination));
	for (uint32_t i = 0; i < BR_CLONES_COPIES; i++) {
		plane->leg_table[i] = (struct br_leg){
			.tuple = {.remote_port = htons((uint16_t)(i + 1))},
			.family = 4,
			.next_hop = BR_CLONES_HOP,
			.expires_ns = BR_NEVER,
		};
		plane->edge_table[i] = (struct br_edge){
			.leg = i,
			.run = i ? 0 : BR_CLONES_COPIES,
			.egress = BR_CLONES_EGRESS,
		};
	}
}

/* As if nothing had been; also the counters, for the packet was nobody's. */
static void br_clones_erase(struct br_plane *plane)
{
	struct br_cpu *zero = calloc((size_t)plane->cpus, sizeof(*zero));
	__u32 key = 0;

	memset(&plane->hop_table[BR_CLONES_HOP], 0, sizeof(*plane->hop_table));
	memset(plane->leg_table, 0, BR_CLONES_COPIES * sizeof(*plane->leg_table));
	memset(plane->edge_table, 0, BR_CLONES_COPIES * sizeof(*plane->edge_table));
	if (zero)
		bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.cpus), &key, zero, BPF_ANY);
	free(zero);
}

/* A copier of two entries, both the tap. */
static int br_clones_copier(struct br_plane *plane)
{
	struct bpf_devmap_val value = {
		.ifindex = plane->tap.ifindex,
		.bpf_prog.fd = bpf_program__fd(plane->bpf->progs.stamp),
	};
	__u32 key = BR_REPLICATOR(BR_CLONES_EGRESS, BR_CLONES_COPIES, false, false);
	int map, err = 0;

	map = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "br_clones", sizeof(__u32), sizeof(value),
			     BR_CLONES_COPIES, NULL);
	if (map < 0)
		return -errno;
	for (__u32 i = 0; i < BR_CLONES_COPIES && !err; i++)
		err = bpf_map_update_elem(map, &i, &value, BPF_ANY) ? -errno : 0;
	if (!err &&
	    bpf_map_update_elem(bpf_map__fd(plane->bpf->maps.replicators), &key, &map, BPF_ANY))
		err = -errno;
	close(map);
	return err;
}

static void br_clones_copier_remove(struct br_plane *plane)
{
	__u32 key = BR_REPLICATOR(BR_CLONES_EGRESS, BR_CLONES_COPIES, false, false);

	bpf_map_delete_elem(bpf_map__fd(plane->bpf->maps.replicators), &key);
}

/* A packet that has waited on the loop and now gets its turn. */
static int br_clones_send(const struct br_plane *plane)
{
	struct {
		struct br_ticket ticket;
		__be16 type;
		uint8_t ip[20];
		uint8_t udp[8 + BR_CLONES_PAYLOAD];
	} __attribute__((packed)) frame = {
		.ticket =
			{
				.mark = plane->pins.settings.ticket_mark,
				.count = BR_CLONES_COPIES | BR_TICKET_PARKED,
				.leg_nonce = BR_CLONES_SENDER,
			},
		.type = htons(0x0800),
		.ip = {0x45, 0, 0, sizeof(frame.ip) + sizeof(frame.udp), 0, 0, 0, 0, 64, 17},
		.udp = {0, 9, 0, 9, 0, sizeof(frame.udp)},
	};
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)plane->loop.ends[BR_LOOP_QUEUE].ifindex,
	};
	ssize_t sent = sendto(plane->tap.socket, &frame, sizeof(frame), 0, (struct sockaddr *)&to,
			      sizeof(to));

	return sent < 0 ? -errno : 0;
}

/* Ports of the copies that come out, one bit each, until all are there or time is up. */
static unsigned int br_clones_receive(const struct br_plane *plane)
{
	uint64_t end = br_now_ns() + BR_CLONES_WAIT_MS * 1000000ULL, now;
	struct pollfd tap = {.fd = plane->tap.socket, .events = POLLIN};
	unsigned int got = 0, ports = 0;

	while (got < BR_CLONES_COPIES && (now = br_now_ns()) < end) {
		struct br_datagram datagram;
		uint8_t frame[256];
		ssize_t length;

		if (poll(&tap, 1, (int)((end - now) / 1000000) + 1) <= 0)
			continue;
		length = recv(tap.fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (length < (ssize_t)sizeof(br_clones_mac) ||
		    memcmp(frame, br_clones_mac, sizeof(br_clones_mac)) != 0 ||
		    br_tap_frame_parse(frame, (size_t)length, &datagram))
			continue;
		ports |= 1u << (ntohs(datagram.local.port) & 31);
		got++;
	}
	return ports;
}

/* Have copies bytes of their own? Only while the tables are empty. */
bool br_plane_clones_private(struct br_plane *plane)
{
	const unsigned int all = ((1u << BR_CLONES_COPIES) - 1) << 1; /* ports count from 1 */
	unsigned int ports = 0;
	int err;

	br_clones_write(plane);
	err = br_clones_copier(plane);
	if (!err)
		err = br_clones_send(plane);
	if (!err)
		ports = br_clones_receive(plane);
	br_clones_copier_remove(plane);
	br_clones_erase(plane);
	if (err)
		br_log_warn("whether copies in generic mode have their own bytes could not be "
			    "tested: %s",
			    strerror(-err));
	if (ports == all)
		return true;
	br_log_warn("in generic mode this kernel does not give each copy its own bytes; the "
		    "daemon sends the copies, which is slower");
	return false;
}
