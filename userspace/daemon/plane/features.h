/* SPDX-License-Identifier: BSD-2-Clause */
/* What drivers say of XDP: the generic netlink family "netdev" (kernel 6.3). */
#ifndef BR_FEATURES_H
#define BR_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/* linux/netdev.h, which Debian 12 does not have yet. */
#define BR_XDP_ACT_BASIC    1u
#define BR_XDP_ACT_REDIRECT 2u
#define BR_XDP_ACT_NDO_XMIT 4u /* takes frames that XDP sends */

struct br_features {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t seq;
};

/** br_features_open - false where the kernel has no such family; then there is nothing to close */
bool br_features_open(struct br_features *features);
/** br_features_close - one that is closed or zeroed is ignored */
void br_features_close(struct br_features *features);
/** br_features_read - @flags of an interface (BR_XDP_ACT_*); false when they cannot be had */
bool br_features_read(struct br_features *features, uint32_t ifindex, uint64_t *flags);

#endif
