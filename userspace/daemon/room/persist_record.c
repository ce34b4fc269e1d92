// SPDX-License-Identifier: BSD-2-Clause
/* Records of rooms and legs as bytes: host byte order, they never leave this machine. */
#include <errno.h>
#include <string.h>

#include "room/persist.h"

#define BR_RECORD_FORMAT 3u /* changes when a record looks different */

/* Begins a record of a room; the name follows. */
struct room_head {
	uint8_t format;
	uint8_t name_length;
	uint8_t reserved[6];
	int64_t created_ms;
	uint64_t order;
};
_Static_assert(sizeof(struct room_head) == 24, "no hidden padding");
_Static_assert(sizeof(struct room_head) + BR_NAME_MAX <= BR_ROOM_RECORD_MAX, "room record");

/* Begins a record of a leg; name, ssrcs, receive_ssrcs and maybe a leg_hop follow. */
struct leg_head {
	uint8_t format;
	uint8_t name_length;
	uint8_t role;
	uint8_t family;
	uint8_t ssrc_count;
	uint8_t receive_ssrc_count;
	__be16 port;
	uint32_t room;
	__be32 address[4];
	uint32_t max_packets_per_s;
	int64_t created_ms;
	uint64_t order;
	uint64_t expires_ns;
	uint32_t max_bits_per_s;
	uint8_t feedback_up;
	uint8_t named_hop;
	uint8_t reserved[2];
};
_Static_assert(sizeof(struct leg_head) == 64, "no hidden padding");

/* Of a leg with a named next hop. */
struct leg_hop {
	struct br_named_hop hop;
	uint32_t source_family; /* 0: none was given */
	__be32 source[4];
};
_Static_assert(sizeof(struct leg_hop) == 56, "no hidden padding");
_Static_assert(sizeof(struct leg_head) + BR_NAME_MAX + 2 * BR_LEG_SSRCS_MAX * sizeof(uint32_t) +
			       sizeof(struct leg_hop) <=
		       BR_LEG_RECORD_MAX,
	       "leg record");

size_t br_record_write_room(const struct br_room_record *room,
			    uint8_t out[static BR_ROOM_RECORD_MAX])
{
	struct room_head head = {
		.format = BR_RECORD_FORMAT,
		.name_length = (uint8_t)strlen(room->name),
		.created_ms = room->created_ms,
		.order = room->order,
	};

	memcpy(out, &head, sizeof(head));
	memcpy(out + sizeof(head), room->name, head.name_length);
	return sizeof(head) + head.name_length;
}

static size_t write_hop(const struct br_static_leg *spec, uint8_t *out)
{
	struct leg_hop hop = {.hop = spec->hop, .source_family = spec->source.family};

	if (!spec->hop.interface[0])
		return 0;
	memcpy(hop.source, spec->source.words, sizeof(hop.source));
	memcpy(out, &hop, sizeof(hop));
	return sizeof(hop);
}

static int read_hop(const uint8_t *data, struct br_static_leg *spec)
{
	struct leg_hop hop;

	memcpy(&hop, data, sizeof(hop));
	if (!hop.hop.interface[0] || hop.hop.interface[sizeof(hop.hop.interface) - 1] ||
	    hop.hop.vlans > BR_VLAN_MAX)
		return -EBADMSG;
	spec->hop = hop.hop;
	spec->source.family = (uint8_t)hop.source_family;
	memcpy(spec->source.words, hop.source, sizeof(hop.source));
	return 0;
}

size_t br_record_write_leg(const struct br_leg_record *leg, uint8_t out[static BR_LEG_RECORD_MAX])
{
	const struct br_static_leg *spec = &leg->spec;
	struct leg_head head = {
		.format = BR_RECORD_FORMAT,
		.name_length = (uint8_t)strlen(spec->name),
		.role = (uint8_t)spec->role,
		.family = spec->remote.addr.family,
		.ssrc_count = (uint8_t)spec->ssrc_count,
		.receive_ssrc_count = (uint8_t)spec->receive_ssrc_count,
		.port = spec->remote.port,
		.room = leg->room,
		.created_ms = leg->created_ms,
		.order = leg->order,
		.max_packets_per_s = spec->terms.max_packets_per_s,
		.max_bits_per_s = spec->terms.max_bits_per_s,
		.expires_ns = spec->terms.expires_ns,
		.feedback_up = spec->terms.feedback_up,
		.named_hop = spec->hop.interface[0] != '\0',
	};
	size_t used = sizeof(head);

	memcpy(head.address, spec->remote.addr.words, sizeof(head.address));
	memcpy(out, &head, sizeof(head));
	memcpy(out + used, spec->name, head.name_length);
	used += head.name_length;
	memcpy(out + used, spec->ssrcs, spec->ssrc_count * sizeof(uint32_t));
	used += spec->ssrc_count * sizeof(uint32_t);
	memcpy(out + used, spec->receive_ssrcs, spec->receive_ssrc_count * sizeof(uint32_t));
	used += spec->receive_ssrc_count * sizeof(uint32_t);
	return used + write_hop(spec, out + used);
}

static int read_name(const uint8_t *data, size_t length, char name[static BR_NAME_MAX + 1])
{
	memcpy(name, data, length);
	name[length] = '\0';
	return strlen(name) == length && br_name_valid(name) ? 0 : -EBADMSG;
}

int br_record_read_room(const uint8_t *data, size_t size, struct br_room_record *room)
{
	struct room_head head;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	if (head.format != BR_RECORD_FORMAT)
		return -EPROTO;
	if (head.name_length > BR_NAME_MAX || size != sizeof(head) + head.name_length)
		return -EBADMSG;
	room->created_ms = head.created_ms;
	room->order = head.order;
	return read_name(data + sizeof(head), head.name_length, room->name);
}

int br_record_read_leg(const uint8_t *data, size_t size, struct br_leg_record *leg)
{
	struct br_static_leg *spec = &leg->spec;
	struct leg_head head;
	size_t used = sizeof(head);

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	if (head.format != BR_RECORD_FORMAT)
		return -EPROTO;
	if (head.name_length > BR_NAME_MAX || head.ssrc_count > BR_LEG_SSRCS_MAX ||
	    head.receive_ssrc_count > BR_LEG_SSRCS_MAX ||
	    size != sizeof(head) + head.name_length +
			    (head.ssrc_count + head.receive_ssrc_count) * sizeof(uint32_t) +
			    (head.named_hop ? sizeof(struct leg_hop) : 0))
		return -EBADMSG;
	memset(leg, 0, sizeof(*leg));
	leg->room = head.room;
	leg->created_ms = head.created_ms;
	leg->order = head.order;
	spec->role = (enum br_role)head.role;
	spec->remote.port = head.port;
	spec->remote.addr.family = head.family;
	memcpy(spec->remote.addr.words, head.address, sizeof(head.address));
	spec->terms = (struct br_leg_terms){
		.max_packets_per_s = head.max_packets_per_s,
		.max_bits_per_s = head.max_bits_per_s,
		.expires_ns = head.expires_ns,
		.feedback_up = head.feedback_up,
	};
	spec->ssrc_count = head.ssrc_count;
	spec->receive_ssrc_count = head.receive_ssrc_count;
	if (read_name(data + used, head.name_length, spec->name))
		return -EBADMSG;
	used += head.name_length;
	memcpy(spec->ssrcs, data + used, head.ssrc_count * sizeof(uint32_t));
	used += head.ssrc_count * sizeof(uint32_t);
	memcpy(spec->receive_ssrcs, data + used, head.receive_ssrc_count * sizeof(uint32_t));
	used += head.receive_ssrc_count * sizeof(uint32_t);
	return head.named_hop ? read_hop(data + used, spec) : 0;
}
