// SPDX-License-Identifier: BSD-2-Clause
#include "lib/srtp_key.h"

#include <errno.h>
#include <string.h>

static const struct br_srtp_suite suites[BR_SRTP_SUITES] = {
	[BR_SRTP_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 14, 10},
	[BR_SRTP_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16, 20, 0},
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const struct br_srtp_suite *br_srtp_suite_get(enum br_srtp_suite_id id)
{
	return &suites[id];
}

int br_srtp_suite_find(const char *name)
{
	for (int i = 0; i < BR_SRTP_SUITES; i++)
		if (!strcmp(name, suites[i].name))
			return i;
	return -1;
}

static int digit(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

int br_srtp_key_parse(const char *text, uint8_t out[static BR_SRTP_KEY_MAX])
{
	size_t length, digits, used = 0;
	uint32_t bits = 0;

	if (!strncmp(text, "inline:", 7))
		text += 7;
	length = strcspn(text, " \t\r\n");
	if (text[length + strspn(text + length, " \t\r\n")] || !length || length % 4)
		return -EBADMSG;
	if (length / 4 * 3 > BR_SRTP_KEY_MAX + 2)
		return -EMSGSIZE;
	digits = length;
	while (digits > length - 2 && text[digits - 1] == '=')
		digits--;
	for (size_t i = 0; i < digits; i++) {
		int value = digit(text[i]);

		if (value < 0)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)value;
		/* After digits 2, 3 and 4 of a group one more byte is complete. */
		if (i % 4) {
			if (used == BR_SRTP_KEY_MAX)
				return -EMSGSIZE;
			out[used++] = (uint8_t)(bits >> (6 - i % 4 * 2));
		}
	}
	/* Bits that belong to no byte are zero (RFC 4648 section 3.5). */
	if (digits % 4 && (bits & (digits % 4 == 2 ? 0x0f : 0x03)))
		return -EBADMSG;
	return (int)used;
}

void br_srtp_key_format(const uint8_t *key, size_t length, char out[static BR_SRTP_KEY_TEXT])
{
	size_t at = 0;

	for (size_t i = 0; i < length && at + 4 < BR_SRTP_KEY_TEXT; i += 3) {
		uint32_t bits = (uint32_t)key[i] << 16;

		if (i + 1 < length)
			bits |= (uint32_t)key[i + 1] << 8;
		if (i + 2 < length)
			bits |= key[i + 2];
		out[at++] = alphabet[bits >> 18];
		out[at++] = alphabet[bits >> 12 & 63];
		out[at++] = i + 1 < length ? alphabet[bits >> 6 & 63] : '=';
		out[at++] = i + 2 < length ? alphabet[bits & 63] : '=';
	}
	out[at] = '\0';
}
