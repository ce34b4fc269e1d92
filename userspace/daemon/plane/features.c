/* SPDX-License-Identifier: BSD-2-Clause */
#include "plane/features.h"

#include <string.h>
#include <sys/socket.h>
#include <linux/genetlink.h>

/* linux/netdev.h (kernel 6.3), which Debian 12 does not have yet. */
#define BR_NETDEV_FAMILY	     "netdev"
#define BR_NETDEV_VERSION	     1
#define BR_NETDEV_CMD_DEV_GET	     1
#define BR_NETDEV_A_DEV_IFINDEX	     1
#define BR_NETDEV_A_DEV_XDP_FEATURES 3

struct br_genl_want {
	uint16_t type; /* of the attribute */
	bool found;
	uint64_t value;
};

static int br_genl_attribute(const struct nlmsghdr *message, void *context)
{
	struct br_genl_want *want = context;
	const struct nlattr *attribute;

	mnl_attr_for_each (attribute, message, sizeof(struct genlmsghdr)) {
		size_t length = mnl_attr_get_payload_len(attribute);

		if (mnl_attr_get_type(attribute) != want->type)
			continue;
		want->found = true;
		if (length == sizeof(uint16_t))
			want->value = mnl_attr_get_u16(attribute);
		else if (length == sizeof(uint64_t))
			want->value = mnl_attr_get_u64(attribute);
		else
			want->found = false;
	}
	return MNL_CB_OK;
}

/* One request with its attributes already in; false without an answer that has the attribute. */
static bool br_genl_ask(struct mnl_socket *socket, struct nlmsghdr *message,
			struct br_genl_want *want)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[16384];
	unsigned int port = mnl_socket_get_portid(socket);
	uint32_t seq = message->nlmsg_seq;
	ssize_t length;
	int rc;

	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return false;
	do {
		length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (length < 0)
			return false;
		rc = mnl_cb_run(buffer, (size_t)length, seq, port, br_genl_attribute, want);
	} while (rc > MNL_CB_STOP);
	return rc == MNL_CB_STOP && want->found;
}

static struct nlmsghdr *br_genl_message(void *buffer, uint16_t family, uint8_t command,
					uint8_t version, uint32_t seq)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = family;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->nlmsg_seq = seq;
	header->cmd = command;
	header->version = version;
	return message;
}

bool br_features_open(struct br_features *features)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[256] = {0};
	struct br_genl_want family = {.type = CTRL_ATTR_FAMILY_ID};
	struct nlmsghdr *message;

	memset(features, 0, sizeof(*features));
	features->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!features->socket)
		return false;
	message = br_genl_message(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, ++features->seq);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, BR_NETDEV_FAMILY);
	if (mnl_socket_bind(features->socket, 0, MNL_SOCKET_AUTOPID) >= 0 &&
	    br_genl_ask(features->socket, message, &family)) {
		features->family = (uint16_t)family.value;
		return true;
	}
	br_features_close(features);
	return false;
}

void br_features_close(struct br_features *features)
{
	if (features->socket)
		mnl_socket_close(features->socket);
	features->socket = NULL;
}

bool br_features_read(struct br_features *features, uint32_t ifindex, uint64_t *flags)
{
	_Alignas(NLMSG_ALIGNTO) char buffer[256] = {0};
	struct br_genl_want want = {.type = BR_NETDEV_A_DEV_XDP_FEATURES};
	struct nlmsghdr *message;

	if (!features->socket)
		return false;
	message = br_genl_message(buffer, features->family, BR_NETDEV_CMD_DEV_GET,
				  BR_NETDEV_VERSION, ++features->seq);
	mnl_attr_put_u32(message, BR_NETDEV_A_DEV_IFINDEX, ifindex);
	if (!br_genl_ask(features->socket, message, &want))
		return false;
	*flags = want.value;
	return true;
}
