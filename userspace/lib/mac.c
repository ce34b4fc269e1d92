// SPDX-License-Identifier: BSD-2-Clause
#include "lib/mac.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool br_mac_parse(const char *text, uint8_t mac[static 6])
{
	uint8_t out[6];

	if (strlen(text) != BR_MAC_TEXT - 1)
		return false;
	for (int i = 0; i < 6; i++) {
		const char *at = text + 3 * i;
		char byte[3] = {at[0], at[1], '\0'};

		if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1]) ||
		    at[2] != (i < 5 ? ':' : '\0'))
			return false;
		out[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
	memcpy(mac, out, sizeof(out));
	return true;
}

const char *br_mac_format(const uint8_t mac[static 6], char out[static BR_MAC_TEXT])
{
	snprintf(out, BR_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return out;
}

bool br_mac_is_unicast(const uint8_t mac[static 6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, sizeof(none)) != 0;
}
