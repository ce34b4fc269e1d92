/* SPDX-License-Identifier: BSD-2-Clause */
/* SRTP crypto suites by their registered names, and master keys as text. No I/O. */
#ifndef BR_SRTP_KEY_H
#define BR_SRTP_KEY_H

#include <stddef.h>
#include <stdint.h>

#define BR_SRTP_KEY_MAX	 46 /* master key and salt, bytes, of the largest registered suite */
#define BR_SRTP_KEY_TEXT 65 /* the same in base64, with NUL */

enum br_srtp_suite_id {
	BR_SRTP_AES_CM_128_HMAC_SHA1_80, /* RFC 3711, named by RFC 4568 section 6.2 */
	BR_SRTP_AEAD_AES_128_GCM,	 /* RFC 7714 */
	BR_SRTP_SUITES,
};

struct br_srtp_suite {
	const char *name;   /* as registered with IANA for SDP security descriptions */
	uint8_t key;	    /* bytes of the master key */
	uint8_t salt;	    /* bytes of the master salt */
	uint8_t rtp_tag;    /* bytes that sealing adds to an RTP packet */
	uint8_t rtcp_added; /* bytes that sealing adds to an RTCP packet, index included */
	uint8_t rtcp_after; /* of these, behind the index */
};

/** br_srtp_suite_get - properties of a suite; @id below BR_SRTP_SUITES */
const struct br_srtp_suite *br_srtp_suite_get(enum br_srtp_suite_id id);
/** br_srtp_suite_find - suite by its registered name; -1 when unknown */
int br_srtp_suite_find(const char *name);

/**
 * br_srtp_key_parse - master key followed by master salt, in base64 (RFC 4648 section 4)
 * @text: base64; "inline:" in front (RFC 4568) and white space at the end are allowed
 * @out: key bytes on success; the caller wipes them
 *
 * Return: number of bytes, or -EBADMSG (not base64) or -EMSGSIZE (longer than any suite needs).
 */
int br_srtp_key_parse(const char *text, uint8_t out[static BR_SRTP_KEY_MAX]);

/** br_srtp_key_format - base64 of up to BR_SRTP_KEY_MAX bytes; the caller wipes @out */
void br_srtp_key_format(const uint8_t *key, size_t length, char out[static BR_SRTP_KEY_TEXT]);

#endif
