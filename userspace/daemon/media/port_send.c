// SPDX-License-Identifier: BSD-2-Clause
/* Sending from the media port: one payload to many, each from the address it expects. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "media/port_private.h"

#define BR_CONTROL (CMSG_SPACE(sizeof(struct in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int)))

struct br_send {
	struct mmsghdr messages[BR_PORT_COPIES];
	struct sockaddr_storage names[BR_PORT_COPIES];
	_Alignas(struct cmsghdr) char control[BR_PORT_COPIES][BR_CONTROL];
	struct br_port_copy *copies[BR_PORT_COPIES];
	struct iovec payload;
	unsigned int count;
};

/* May IP cut what this socket sends? A setting of the socket, so changed only when needed. */
static void br_send_set_fragment(struct br_port_socket *socket, bool dont_fragment)
{
	int v4 = dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;
	int v6 = dont_fragment ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT;

	if (socket->dont_fragment == dont_fragment)
		return;
	if (socket->family == AF_INET)
		setsockopt(socket->fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4));
	else
		setsockopt(socket->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6));
	socket->dont_fragment = dont_fragment;
}

static struct cmsghdr *br_send_put(struct msghdr *message, struct cmsghdr *after, int level,
				   int type, const void *data, size_t size)
{
	struct cmsghdr *c = after ? CMSG_NXTHDR(message, after) : CMSG_FIRSTHDR(message);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	return c;
}

/* Source address, TTL and TOS; control's memory is zeroed, for CMSG_NXTHDR. */
static void br_send_control(struct msghdr *message, const struct br_datagram *datagram,
			    const struct br_port_copy *copy)
{
	int ttl = datagram->ttl - 1, tos = datagram->tos;
	struct cmsghdr *c;

	if (copy->remote.addr.family == 4) {
		struct in_pktinfo info = {.ipi_spec_dst.s_addr = copy->local.words[3]};

		c = br_send_put(message, NULL, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
		c = br_send_put(message, c, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
		c = br_send_put(message, c, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = copy->ifindex};

		memcpy(&info.ipi6_addr, copy->local.words, sizeof(info.ipi6_addr));
		c = br_send_put(message, NULL, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
		c = br_send_put(message, c, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
		c = br_send_put(message, c, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	}
	message->msg_controllen =
		(size_t)((char *)c - (char *)message->msg_control) + CMSG_SPACE(sizeof(int));
}

static void br_send_add(struct br_send *send, const struct br_datagram *datagram,
			struct br_port_copy *copy)
{
	unsigned int i = send->count++;
	struct msghdr *message = &send->messages[i].msg_hdr;

	memset(send->control[i], 0, sizeof(send->control[i]));
	*message = (struct msghdr){
		.msg_name = &send->names[i],
		.msg_namelen = br_endpoint_to_sockaddr(&copy->remote, &send->names[i]),
		.msg_iov = &send->payload,
		.msg_iovlen = 1,
		.msg_control = send->control[i],
		.msg_controllen = sizeof(send->control[i]),
	};
	if (copy->remote.addr.family == 6)
		((struct sockaddr_in6 *)&send->names[i])->sin6_scope_id = copy->ifindex;
	br_send_control(message, datagram, copy);
	send->copies[i] = copy;
}

/* sendmmsg stops at the first copy that fails: note why, go on behind it. */
static void br_send_all(struct br_send *send, int fd)
{
	unsigned int at = 0;

	while (at < send->count) {
		int sent = sendmmsg(fd, send->messages + at, send->count - at, MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		for (int i = 0; i < sent; i++)
			send->copies[at++]->error = 0;
		if (sent < 0)
			send->copies[at++]->error = -errno;
	}
}

void br_port_send(struct br_port *port, const struct br_datagram *datagram,
		  struct br_port_copy *copies, size_t count)
{
	struct br_send send;

	send.payload = (struct iovec){(void *)datagram->payload, datagram->length};
	for (size_t s = 0; s < 2; s++) {
		struct br_port_socket *socket = &port->sockets[s];
		uint8_t family = socket->family == AF_INET ? 4 : 6;

		send.count = 0;
		for (size_t i = 0; i < count; i++)
			if (copies[i].remote.addr.family == family) {
				copies[i].error = -EAFNOSUPPORT;
				br_send_add(&send, datagram, &copies[i]);
			}
		if (!send.count || socket->fd < 0)
			continue;
		br_send_set_fragment(socket, datagram->dont_fragment);
		br_send_all(&send, socket->fd);
	}
}
