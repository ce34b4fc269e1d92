// SPDX-License-Identifier: BSD-2-Clause
/*
 * The self-test's network: a veth pair. One end is the relay's, with addresses; behind the
 * other end are publisher and receivers that exist as neighbour entries only, and a packet
 * socket that sends and receives for all of them.
 */
#include "ctl/check/self_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/addr.h"
#include "plane/netlink.h"

/* Host 0 is the relay, host 1 publishes, the others receive. */
static const char *const ipv4_addresses[] = {
	"192.0.2.1", "192.0.2.10", "192.0.2.21", "192.0.2.22", "192.0.2.23",
};
static const char *const ipv6_addresses[] = {
	"2001:db8::1", "2001:db8::10", "2001:db8::21", "2001:db8::22", "2001:db8::23",
};
#define BR_HOSTS (2 + BR_SELF_TEST_RECEIVERS)
_Static_assert(sizeof(ipv4_addresses) / sizeof(*ipv4_addresses) == BR_HOSTS, "one per host");
_Static_assert(sizeof(ipv6_addresses) / sizeof(*ipv6_addresses) == BR_HOSTS, "one per host");

void br_self_test_host_mac(unsigned int number, uint8_t mac[static 6])
{
	/* locally administered; the last bytes are those of RFC 7042's for documentation */
	const uint8_t base[6] = {0x02, 0x00, 0x5e, 0x00, 0x53, (uint8_t)(0x10 + number)};

	memcpy(mac, base, sizeof(base));
}

const char *br_self_test_host_address(unsigned int number, int family)
{
	return family == 4 ? ipv4_addresses[number] : ipv6_addresses[number];
}

/* The first error of a batch. */
static void br_net_answer(void *context, size_t index, const struct nlmsghdr *message, int error)
{
	int *first = context;

	(void)index;
	if (!message && error && !*first)
		*first = error;
}

static int br_net_send(struct br_netlink_batch *batch)
{
	int error = 0;
	int rc = br_netlink_batch_send(batch, br_net_answer, &error);

	return rc ? rc : error;
}

static int br_net_create_pair(struct br_netlink *netlink)
{
	struct br_netlink_batch batch;
	struct nlattr *info, *data, *peer;
	struct nlmsghdr *message;
	void *header;

	br_netlink_batch_begin(&batch, netlink);
	message = br_netlink_batch_add(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
				       sizeof(struct ifinfomsg), &header);
	mnl_attr_put_strz(message, IFLA_IFNAME, BR_SELF_TEST_RELAY);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, BR_SELF_TEST_HOSTS);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return br_net_send(&batch);
}

static void br_net_add_up(struct br_netlink_batch *batch, const char *name)
{
	struct ifinfomsg *link;
	void *header;

	br_netlink_batch_add(batch, RTM_NEWLINK, 0, sizeof(*link), &header);
	link = header;
	link->ifi_index = (int)if_nametoindex(name);
	link->ifi_flags = link->ifi_change = IFF_UP;
}

static int br_net_up(struct br_netlink *netlink)
{
	struct br_netlink_batch batch;

	br_netlink_batch_begin(&batch, netlink);
	br_net_add_up(&batch, BR_SELF_TEST_RELAY);
	br_net_add_up(&batch, BR_SELF_TEST_HOSTS);
	return br_net_send(&batch);
}

/* The relay's address, without the second that duplicate address detection takes. */
static int br_net_address(struct br_netlink *netlink, int family)
{
	struct br_netlink_batch batch;
	struct ifaddrmsg *address;
	struct nlmsghdr *message;
	uint8_t bytes[16] = {0};
	size_t length = family == 4 ? 4 : 16;
	void *header;

	inet_pton(family == 4 ? AF_INET : AF_INET6, br_self_test_host_address(0, family), bytes);
	br_netlink_batch_begin(&batch, netlink);
	message = br_netlink_batch_add(&batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
				       sizeof(*address), &header);
	address = header;
	address->ifa_family = family == 4 ? AF_INET : AF_INET6;
	address->ifa_prefixlen = family == 4 ? 24 : 64;
	address->ifa_flags = IFA_F_NODAD;
	address->ifa_index = if_nametoindex(BR_SELF_TEST_RELAY);
	mnl_attr_put(message, IFA_LOCAL, length, bytes);
	mnl_attr_put(message, IFA_ADDRESS, length, bytes);
	return br_net_send(&batch);
}

static int br_net_neighbours(struct br_netlink *netlink, int family)
{
	struct br_netlink_batch batch;

	br_netlink_batch_begin(&batch, netlink);
	for (unsigned int host = 1; host < BR_HOSTS; host++) {
		uint8_t bytes[16] = {0}, mac[6];
		struct nlmsghdr *message;
		struct ndmsg *neighbour;
		void *header;

		inet_pton(family == 4 ? AF_INET : AF_INET6, br_self_test_host_address(host, family),
			  bytes);
		br_self_test_host_mac(host, mac);
		message = br_netlink_batch_add(&batch, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
					       sizeof(*neighbour), &header);
		neighbour = header;
		neighbour->ndm_family = family == 4 ? AF_INET : AF_INET6;
		neighbour->ndm_ifindex = (int)if_nametoindex(BR_SELF_TEST_RELAY);
		neighbour->ndm_state = NUD_PERMANENT;
		mnl_attr_put(message, NDA_DST, family == 4 ? 4 : 16, bytes);
		mnl_attr_put(message, NDA_LLADDR, sizeof(mac), mac);
	}
	return br_net_send(&batch);
}

/* veth hands frames from XDP to an end only if that has GRO on, or a program. */
static int br_net_gro(struct br_self_test_net *net)
{
	struct ethtool_value value = {.cmd = ETHTOOL_SGRO, .data = 1};
	struct ifreq request = {.ifr_name = BR_SELF_TEST_HOSTS};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = 0;

	if (fd < 0)
		return -errno;
	request.ifr_data = (void *)&value;
	if (ioctl(fd, SIOCETHTOOL, &request))
		rc = -errno;
	memset(&request, 0, sizeof(request));
	strcpy(request.ifr_name, BR_SELF_TEST_RELAY);
	if (!rc && ioctl(fd, SIOCGIFHWADDR, &request))
		rc = -errno;
	memcpy(net->relay_mac, request.ifr_hwaddr.sa_data, sizeof(net->relay_mac));
	close(fd);
	return rc;
}

static int br_net_wire(struct br_self_test_net *net)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(BR_SELF_TEST_HOSTS),
	};
	int on = 1;

	net->wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (net->wire < 0)
		return -errno;
	/* what we send ourselves is not what we want to see */
	if (setsockopt(net->wire, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    bind(net->wire, (const struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return 0;
}

static int br_net_fail(char detail[static BR_CHECK_TEXT], const char *what, int rc)
{
	snprintf(detail, BR_CHECK_TEXT, "%s: %s", what, strerror(-rc));
	return rc;
}

/* A kernel without IPv6, or with it switched off, is tested with IPv4 alone. */
static bool br_net_no_ipv6(int rc)
{
	return rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP || rc == -EACCES || rc == -EPERM;
}

int br_self_test_net_open(struct br_self_test_net *net, char detail[static BR_CHECK_TEXT])
{
	struct br_netlink netlink;
	const char *what = "cannot ask rtnetlink";
	int rc;

	memset(net, 0, sizeof(*net));
	net->wire = -1;
	rc = br_netlink_open_requests(&netlink);
	if (rc)
		return br_net_fail(detail, what, rc);
	what = "cannot make a veth pair (is the module veth there?)";
	rc = br_net_create_pair(&netlink);
	if (rc)
		goto out;
	what = "cannot bring the veth pair up";
	rc = br_net_gro(net);
	if (!rc)
		rc = br_net_up(&netlink);
	if (rc)
		goto out;
	what = "cannot add addresses and neighbours";
	rc = br_net_address(&netlink, 4);
	if (!rc)
		rc = br_net_neighbours(&netlink, 4);
	if (rc)
		goto out;
	rc = br_net_address(&netlink, 6);
	net->ipv6 = !br_net_no_ipv6(rc);
	if (!net->ipv6)
		rc = 0;
	else if (!rc)
		rc = br_net_neighbours(&netlink, 6);
	if (rc)
		goto out;
	what = "cannot open a packet socket";
	rc = br_net_wire(net);
out:
	br_netlink_close(&netlink);
	if (rc) {
		br_self_test_net_close(net);
		br_net_fail(detail, what, rc);
	}
	return rc;
}

void br_self_test_net_close(struct br_self_test_net *net)
{
	if (net->wire >= 0)
		close(net->wire);
	net->wire = -1;
}
