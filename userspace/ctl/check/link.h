/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface as the relay needs it: read it (link_read.c over netlink, link_ethtool.c over
 * ioctl), judge it (link.c).
 */
#ifndef BR_CHECK_LINK_H
#define BR_CHECK_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <net/if.h>

#include "ctl/check/report.h"
#include "plane/features.h"

/* Largest IP packet that veth and virtio_net take with a program for single buffers: a page less
 * headroom (256), Ethernet header (14) and struct skb_shared_info (320). */
#define BR_CHECK_XDP_MTU 3506u

/* Offloads that matter here, by the kernel's names for them. */
enum br_check_feature {
	BR_FEATURE_RX_VLAN,
	BR_FEATURE_RX_LRO,
	BR_FEATURE_RX_GRO_HW,
	BR_FEATURE_RX_GRO,
	BR_FEATURE_TX_CHECKSUM,
	BR_FEATURE_TX_VLAN,
	BR_FEATURE_COUNT
};

struct br_check_offload {
	bool on;    /* false as well when the driver does not know it */
	bool fixed; /* cannot be changed */
};

struct br_check_ethtool {
	char driver[32]; /* "" when there is none */
	struct br_check_offload offloads[BR_FEATURE_COUNT];
	/* frames; rx_ring_max 0: the driver does not tell */
	uint32_t rx_ring, rx_ring_max, tx_ring, tx_ring_max;
	/* queues; rx_queues_max 0: the driver does not tell */
	uint32_t rx_queues, rx_queues_max, tx_queues;
	bool combined; /* a queue is one for both directions */
};

/* One end of a link. */
struct br_check_device {
	char name[IFNAMSIZ];
	uint32_t ifindex;
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	char kind[16];	       /* "veth", "bridge", ... or "" */
	char master[IFNAMSIZ]; /* "" when it is no port of another interface */
	uint32_t peer;	       /* ifindex of the other end of a veth pair, 0: none */
	bool peer_elsewhere;   /* in another network namespace */
	uint8_t xdp;	       /* XDP_ATTACHED_*, linux/if_link.h */
	uint32_t xdp_id;       /* of the program; 0: none, or several */
	char xdp_name[17];     /* "" when it may not be seen */
	bool xdp_ours;	       /* blindrelayd's program */
	struct br_check_ethtool ethtool;
};

struct br_check_link {
	struct br_check_device device;
	struct br_check_device peer; /* of a veth in this namespace; else ifindex 0 */
	bool features_known;
	uint64_t features; /* BR_XDP_ACT_* */
	bool ipv4, ipv6;   /* has addresses other than link-local ones */
	unsigned int cpus; /* on line */
};

/**
 * br_check_link_read - look at an interface of this network namespace
 * @ifindex: index
 *
 * What cannot be seen stays zero.
 *
 * Return: 0, -ENODEV when there is none, or another negative errno of rtnetlink.
 */
int br_check_link_read(uint32_t ifindex, struct br_check_link *link);
/** br_check_ethtool_read - driver, offloads, rings and queues of an interface */
void br_check_ethtool_read(const char *name, struct br_check_ethtool *out);

/** br_check_link_candidate - could it carry media as it is: up, no loopback, nobody's port */
bool br_check_link_candidate(const struct br_check_link *link);
/** br_check_link_part - "interface NAME", the part of the report */
const char *br_check_link_part(const struct br_check_link *link, char out[static 32]);

enum br_check_mode {
	BR_CHECK_MODE_NATIVE,
	BR_CHECK_MODE_GENERIC,
	BR_CHECK_MODE_UNKNOWN, /* native if the driver takes it, else generic */
	BR_CHECK_MODE_NONE,    /* the relay cannot start here */
};

/**
 * br_check_link_mode - what media.xdp_mode "auto" would choose for this interface alone
 * @why: set to the reason against native mode; "" when there is none
 */
enum br_check_mode br_check_link_mode(const struct br_check_link *link,
				      char why[static BR_CHECK_TEXT]);
/** br_check_link_judge - add the lines of an interface */
void br_check_link_judge(const struct br_check_link *link, struct br_check_report *report);
/**
 * br_check_links_judge - what "auto" would choose for all interfaces together
 * @count: one or more; nothing is added for one
 *
 * Return: the mode.
 */
enum br_check_mode br_check_links_judge(const struct br_check_link *links, size_t count,
					struct br_check_report *report);

#endif
