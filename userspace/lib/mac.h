/* SPDX-License-Identifier: BSD-2-Clause */
/* MAC addresses as text. No I/O, no globals. */
#ifndef BR_MAC_H
#define BR_MAC_H

#include <stdbool.h>
#include <stdint.h>

#define BR_MAC_TEXT sizeof("02:00:00:00:00:01")

/** br_mac_parse - six pairs of hexadecimal digits with colons between; @mac is set on success */
bool br_mac_parse(const char *text, uint8_t mac[static 6]);
/** br_mac_format - lower case, with colons; returns @out */
const char *br_mac_format(const uint8_t mac[static 6], char out[static BR_MAC_TEXT]);
/** br_mac_is_unicast - the address of one device: no group bit, and not all zero */
bool br_mac_is_unicast(const uint8_t mac[static 6]);

#endif
