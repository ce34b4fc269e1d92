/* SPDX-License-Identifier: BSD-2-Clause */
/* The SRTP key of a run: from a file or descriptor, never from argv; and libsrtp sessions. */
#ifndef BR_LAB_SEAL_H
#define BR_LAB_SEAL_H

#include <stdbool.h>
#include <srtp2/srtp.h>

#include "lib/error.h"
#include "lib/srtp_key.h"

#define BR_SEAL_NO_FD UINT64_MAX /* --key-fd not given */

/* What --suite, --key-file and --key-fd said. */
struct br_seal_flags {
	const char *suite; /* NULL: by the length of the key; "none": plain RTP */
	const char *key_file;
	uint64_t key_fd;
};

struct br_seal {
	const struct br_srtp_suite *suite; /* NULL: plain RTP */
	enum br_srtp_suite_id id;
	uint8_t key[BR_SRTP_KEY_MAX];
};

/**
 * br_seal_load - read and check the key
 * @seal: on success holds the key: wipe with br_seal_wipe()
 * @error: names the flag at fault
 *
 * The key file must not be readable by group or others. Return: 0 or negative errno.
 */
int br_seal_load(struct br_seal *seal, const struct br_seal_flags *flags, struct br_error *error);
/** br_seal_wipe - overwrite the key */
void br_seal_wipe(struct br_seal *seal);
/** br_seal_name - name of the suite, "none" without one */
const char *br_seal_name(const struct br_seal *seal);

/**
 * br_seal_open - a libsrtp session for any number of SSRCs with the key
 * @outbound: to seal, else to open
 * @window: replay window, packets, 64..32767
 * @out: NULL with plain RTP; freed by srtp_dealloc()
 *
 * srtp_init() must have been called. Return: 0 or negative errno.
 */
int br_seal_open(const struct br_seal *seal, bool outbound, unsigned int window, srtp_t *out);

#endif
