/* SPDX-License-Identifier: BSD-2-Clause */
/* Is this leg allowed, and does it make sense in this room? No side effects. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/mac.h"
#include "room/state.h"

static int check_name(const struct br_room *room, const char *name, struct br_error *error)
{
	/* the array of the spec may come without its end */
	if (!memchr(name, '\0', BR_NAME_MAX + 1) || !br_name_valid(name))
		return br_error_set(error, -EINVAL, "name",
				    "a leg name is 1 to %d characters of A-Z a-z 0-9 _ . - and "
				    "neither \".\" nor \"..\"",
				    BR_NAME_MAX);
	if (br_room_leg_find(room, name))
		return br_error_set(error, -EEXIST, "name", "room %s has a leg %s already",
				    room->name, name);
	return 0;
}

/* The networks in text, as many as fit. */
static void list_networks(const struct br_rooms *rooms, char *out, size_t size)
{
	size_t count = rooms->options.static_allow_count, used = 0;
	char text[BR_NETWORK_TEXT];

	out[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		br_network_format(&rooms->static_allow[i], text);
		if (used + strlen(text) + sizeof(", and 4294967295 more") > size) {
			snprintf(out + used, size - used, ", and %zu more", count - i);
			return;
		}
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", text);
	}
}

static int check_address(const struct br_rooms *rooms, const struct br_endpoint *remote,
			 struct br_error *error)
{
	char text[BR_ADDR_TEXT], allowed[200];

	if (remote->addr.family != 4 && remote->addr.family != 6)
		return br_error_set(error, -EINVAL, "address",
				    "an IPv4 or IPv6 address was expected");
	br_addr_format(&remote->addr, text);
	if (!br_addr_is_unicast(&remote->addr))
		return br_error_set(error, -EINVAL, "address",
				    "%s is no unicast address; the address of one host was "
				    "expected",
				    text);
	if (remote->port == 0)
		return br_error_set(error, -EINVAL, "port",
				    "a UDP port of 1 to 65535 was expected");
	if (rooms->options.static_allow_count == 0)
		return br_error_set(error, -EACCES, "address",
				    "legs with a given address are switched off; list the networks "
				    "they may use in the configuration, e.g. \"static_allow\": "
				    "[\"192.0.2.0/24\"]");
	for (size_t i = 0; i < rooms->options.static_allow_count; i++)
		if (br_network_contains(&rooms->static_allow[i], &remote->addr))
			return 0;
	list_networks(rooms, allowed, sizeof(allowed));
	return br_error_set(error, -EACCES, "address",
			    "%s is outside of static_allow, which has %s", text, allowed);
}

static int check_list(const char *field, const uint32_t *ssrcs, size_t count, bool allowed,
		      const char *roles, struct br_error *error)
{
	if (count && !allowed)
		return br_error_set(error, -EINVAL, field, "only roles %s may have this list",
				    roles);
	if (count > BR_LEG_SSRCS_MAX)
		return br_error_set(error, -EINVAL, field,
				    "%zu SSRCs are too many; at most %d were expected", count,
				    BR_LEG_SSRCS_MAX);
	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (ssrcs[i] == ssrcs[j])
				return br_error_set(error, -EINVAL, field,
						    "SSRC %u is listed twice", ssrcs[i]);
	return 0;
}

/* RFC 3550 section 8: an SSRC names one source of the session. */
static int check_declared(const struct br_room *room, const struct br_static_leg *spec,
			  struct br_error *error)
{
	for (size_t i = 0; i < spec->ssrc_count; i++) {
		const struct br_source *source = br_sources_find(&room->sources, spec->ssrcs[i]);
		const struct br_room_stream *stream = source ? source->streams : NULL;

		for (; stream; stream = stream->next_of_source)
			if (stream->declared)
				return br_error_set(error, -EEXIST, "ssrcs",
						    "SSRC %u belongs to leg %s of this room",
						    spec->ssrcs[i], stream->leg->spec.name);
	}
	return 0;
}

static int check_vlans(const struct br_named_hop *hop, struct br_error *error)
{
	if (hop->vlans > BR_VLAN_MAX)
		return br_error_set(error, -EINVAL, "next_hop.vlans",
				    "expected at most %u tags, got %u", BR_VLAN_MAX, hop->vlans);
	for (unsigned int i = 0; i < hop->vlans; i++)
		if (BR_VLAN_ID(hop->vlan[i]) < BR_VLAN_ID_MIN ||
		    BR_VLAN_ID(hop->vlan[i]) > BR_VLAN_ID_MAX)
			return br_error_set(error, -EINVAL, "next_hop.vlans",
					    "expected ids from %u to %u, got %u", BR_VLAN_ID_MIN,
					    BR_VLAN_ID_MAX, BR_VLAN_ID(hop->vlan[i]));
	return 0;
}

/* Whether the interface is one of ours is the plane's to say. */
static int check_hop(const struct br_static_leg *spec, struct br_error *error)
{
	const struct br_named_hop *hop = &spec->hop;
	static const uint8_t none[6];

	if (!hop->interface[0])
		return 0;
	if (!br_mac_is_unicast(hop->mac))
		return br_error_set(error, -EINVAL, "next_hop.mac",
				    "expected the MAC address of one device, not of a group");
	if (memcmp(hop->source_mac, none, sizeof(none)) != 0 && !br_mac_is_unicast(hop->source_mac))
		return br_error_set(error, -EINVAL, "next_hop.source_mac",
				    "expected the MAC address of one device, not of a group");
	if (hop->mtu && hop->mtu < BR_NAMED_HOP_MTU_MIN)
		return br_error_set(error, -EINVAL, "next_hop.mtu",
				    "expected an integer from %u to 65535, got %u",
				    BR_NAMED_HOP_MTU_MIN, hop->mtu);
	if (spec->source.family &&
	    (spec->source.family != spec->remote.addr.family || !br_addr_is_unicast(&spec->source)))
		return br_error_set(error, -EINVAL, "next_hop.source_address",
				    "expected a unicast IPv%u address, as that of the leg",
				    spec->remote.addr.family);
	return check_vlans(hop, error);
}

int br_room_validate_terms(const struct br_leg_terms *terms, struct br_error *error)
{
	if (terms->max_packets_per_s > BR_PACKETS_PER_S_MAX)
		return br_error_set(error, -EINVAL, "max_packets_per_s",
				    "expected an integer from 0 (no limit) to %u, got %u",
				    BR_PACKETS_PER_S_MAX, terms->max_packets_per_s);
	if (terms->max_bits_per_s && (terms->max_bits_per_s < BR_BITS_PER_S_MIN ||
				      terms->max_bits_per_s > BR_BITS_PER_S_MAX))
		return br_error_set(error, -EINVAL, "max_bits_per_s",
				    "expected 0 (no limit) or an integer from %u to %u, got %u",
				    BR_BITS_PER_S_MIN, BR_BITS_PER_S_MAX, terms->max_bits_per_s);
	return 0;
}

int br_room_validate_leg(const struct br_rooms *rooms, const struct br_room *room,
			 const struct br_static_leg *spec, struct br_error *error)
{
	int err = check_name(room, spec->name, error);

	if (!err && (spec->role < BR_ROLE_PUBLISHER || spec->role > BR_ROLE_BOTH))
		err = br_error_set(error, -EINVAL, "role",
				   "\"publisher\", \"subscriber\" or \"both\" was expected");
	if (!err)
		err = check_address(rooms, &spec->remote, error);
	if (!err)
		err = check_list("ssrcs", spec->ssrcs, spec->ssrc_count,
				 spec->role & BR_ROLE_PUBLISHER, "publisher and both", error);
	if (!err)
		err = check_list("receive_ssrcs", spec->receive_ssrcs, spec->receive_ssrc_count,
				 spec->role & BR_ROLE_SUBSCRIBER, "subscriber and both", error);
	if (!err)
		err = check_hop(spec, error);
	if (!err)
		err = br_room_validate_terms(&spec->terms, error);
	if (!err)
		err = check_declared(room, spec, error);
	if (!err && room->leg_count >= rooms->options.max_legs_per_room)
		err = br_error_set(error, -ENOSPC, NULL,
				   "room %s has %zu legs, as many as max_legs_per_room allows",
				   room->name, room->leg_count);
	return err;
}
