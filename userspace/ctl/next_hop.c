// SPDX-License-Identifier: BSD-2-Clause
/* The value of --next-hop as the API wants it. What the values mean, the daemon checks. */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/text.h"

/* ID or ID:PRIORITY. */
static bool br_hop_add_tag(cJSON *tags, char *value)
{
	char *priority = strchr(value, ':');
	uint32_t id, level = 0;
	cJSON *tag;

	if (priority)
		*priority++ = '\0';
	if (!br_text_to_u32(value, 1, 4094, &id) ||
	    (priority && !br_text_to_u32(priority, 0, 7, &level)))
		return false;
	tag = cJSON_CreateObject();
	cJSON_AddNumberToObject(tag, "id", id);
	cJSON_AddNumberToObject(tag, "priority", level);
	return cJSON_AddItemToArray(tags, tag);
}

/* One of what stands behind interface and MAC address: KEY=VALUE. */
static bool br_hop_add(cJSON *hop, cJSON *tags, char *word)
{
	char *value = strchr(word, '=');
	uint32_t mtu;

	if (!value || !value[1])
		return false;
	*value++ = '\0';
	if (!strcmp(word, "vlan"))
		return br_hop_add_tag(tags, value);
	if (!strcmp(word, "mtu"))
		return br_text_to_u32(value, 1, 65535, &mtu) &&
		       cJSON_AddNumberToObject(hop, "mtu", mtu);
	if (!strcmp(word, "source"))
		return cJSON_AddStringToObject(hop, "source_address", value);
	return !strcmp(word, "source-mac") && cJSON_AddStringToObject(hop, "source_mac", value);
}

cJSON *br_ctl_next_hop(const char *text)
{
	cJSON *hop = cJSON_CreateObject(), *tags = cJSON_AddArrayToObject(hop, "vlans");
	char *copy = strdup(text), *rest = copy;
	const char *interface = copy ? strsep(&rest, ",") : NULL;
	const char *mac = rest ? strsep(&rest, ",") : NULL;
	bool good = mac && *interface && *mac;

	if (good) {
		cJSON_AddStringToObject(hop, "interface", interface);
		cJSON_AddStringToObject(hop, "mac", mac);
	}
	while (good && rest)
		good = br_hop_add(hop, tags, strsep(&rest, ","));
	free(copy);
	if (good)
		return hop;
	cJSON_Delete(hop);
	return NULL;
}
