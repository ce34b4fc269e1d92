// SPDX-License-Identifier: BSD-2-Clause
/* A leg's named next hop: read from the body of a request, written into answers. */
#include <string.h>

#include "control/api.h"
#include "lib/addr.h"
#include "lib/json.h"
#include "lib/mac.h"
#include "lib/text.h"

/* Tags of a packet with one, and with two (IEEE 802.1Q, 802.1ad), outermost first. */
static const char *const protocols[BR_VLAN_MAX][BR_VLAN_MAX] = {
	{"802.1Q"},
	{"802.1ad", "802.1Q"},
};

static void br_hop_read_mac(struct br_json_reader *reader, const char *key, enum br_json_need need,
			    uint8_t mac[static 6])
{
	char text[64], quoted[BR_QUOTE_TEXT];

	if (!br_json_string(reader, key, need, text, sizeof(text)))
		return;
	if (!br_mac_parse(text, mac) || !br_mac_is_unicast(mac))
		br_json_fail(reader, key,
			     "expected the MAC address of one device, such as "
			     "\"02:00:00:00:00:01\", got %s",
			     br_text_quote(text, strlen(text), quoted));
}

static void br_hop_read_source(struct br_json_reader *reader, struct br_addr *source)
{
	char text[128], quoted[BR_QUOTE_TEXT];

	if (!br_json_string(reader, "source_address", BR_JSON_OPTIONAL, text, sizeof(text)))
		return;
	if (!br_addr_parse(text, source) || !br_addr_is_unicast(source))
		br_json_fail(reader, "source_address",
			     "expected a unicast IPv4 or IPv6 address, got %s",
			     br_text_quote(text, strlen(text), quoted));
}

static void br_hop_read_tag(struct br_json_reader *reader, struct br_named_hop *hop,
			    unsigned int index)
{
	const char *wanted = protocols[hop->vlans - 1][index];
	uint32_t id = 0, priority = 0;
	char protocol[16];

	br_json_uint(reader, "id", BR_JSON_REQUIRED, BR_VLAN_ID_MIN, BR_VLAN_ID_MAX, &id);
	br_json_uint(reader, "priority", BR_JSON_OPTIONAL, 0, BR_VLAN_PRIORITY_MAX, &priority);
	hop->vlan[index] = (uint16_t)(priority << 13 | id);
	if (br_json_string(reader, "protocol", BR_JSON_OPTIONAL, protocol, sizeof(protocol)) &&
	    strcmp(protocol, wanted) != 0)
		br_json_fail(reader, "protocol", "expected \"%s\" for tag %u of %u", wanted,
			     index + 1, hop->vlans);
}

static void br_hop_read_tags(struct br_json_reader *reader, struct br_named_hop *hop)
{
	const cJSON *array, *item;
	unsigned int index = 0;

	if (!br_json_array(reader, "vlans", BR_JSON_OPTIONAL, 0, BR_VLAN_MAX, &array))
		return;
	hop->vlans = (uint16_t)cJSON_GetArraySize(array);
	cJSON_ArrayForEach (item, array) {
		struct br_json_reader tag;

		if (!br_json_item_object(reader, "vlans", index, item, &tag))
			return;
		br_hop_read_tag(&tag, hop, index++);
		br_json_end(&tag);
	}
}

void br_api_next_hop_read(struct br_json_reader *leg, struct br_named_hop *hop,
			  struct br_addr *source)
{
	struct br_json_reader reader;
	char name[sizeof(hop->interface)];
	uint32_t mtu = 0;

	if (!br_json_object(leg, "next_hop", BR_JSON_OPTIONAL, &reader))
		return;
	if (br_json_string(&reader, "interface", BR_JSON_REQUIRED, name, sizeof(name)))
		strncpy(hop->interface, name, sizeof(hop->interface)); /* fills up with zeros */
	br_hop_read_mac(&reader, "mac", BR_JSON_REQUIRED, hop->mac);
	br_hop_read_mac(&reader, "source_mac", BR_JSON_OPTIONAL, hop->source_mac);
	br_hop_read_source(&reader, source);
	br_hop_read_tags(&reader, hop);
	br_json_uint(&reader, "mtu", BR_JSON_OPTIONAL, BR_NAMED_HOP_MTU_MIN, UINT16_MAX, &mtu);
	hop->mtu = (uint16_t)mtu;
	br_json_end(&reader);
}

static void br_hop_write_tags(struct br_json_out *out, const struct br_named_hop *hop)
{
	br_json_out_array(out, "vlans");
	for (unsigned int i = 0; i < hop->vlans; i++) {
		br_json_out_object(out, NULL);
		br_json_out_uint(out, "id", BR_VLAN_ID(hop->vlan[i]));
		br_json_out_uint(out, "priority", BR_VLAN_PRIORITY(hop->vlan[i]));
		br_json_out_string(out, "protocol", protocols[hop->vlans - 1][i]);
		br_json_out_object_end(out);
	}
	br_json_out_array_end(out);
}

void br_api_next_hop_write(struct br_json_out *out, const struct br_named_hop *hop,
			   const struct br_addr *source)
{
	static const uint8_t none[6];
	char mac[BR_MAC_TEXT], text[BR_ADDR_TEXT];

	if (!hop->interface[0]) {
		br_json_out_null(out, "next_hop");
		return;
	}
	br_json_out_object(out, "next_hop");
	br_json_out_string(out, "interface", hop->interface);
	br_json_out_string(out, "mac", br_mac_format(hop->mac, mac));
	if (memcmp(hop->source_mac, none, sizeof(none)) != 0)
		br_json_out_string(out, "source_mac", br_mac_format(hop->source_mac, mac));
	else
		br_json_out_null(out, "source_mac");
	if (source->family)
		br_json_out_string(out, "source_address", br_addr_format(source, text));
	else
		br_json_out_null(out, "source_address");
	br_hop_write_tags(out, hop);
	if (hop->mtu)
		br_json_out_uint(out, "mtu", hop->mtu);
	else
		br_json_out_null(out, "mtu");
	br_json_out_object_end(out);
}
