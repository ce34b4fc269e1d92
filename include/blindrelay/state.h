/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one daemon leaves pinned for the next one, beside the maps of abi.h: the settings
 * under which everything was made, and the store, in which upper layers keep records.
 * Kernel memory, root only, never on disk.
 *
 * A later version reads the first three members of br_settings before anything else, so
 * these keep their places for ever.
 */
#ifndef BLINDRELAY_STATE_H
#define BLINDRELAY_STATE_H

#include <linux/types.h>

#include <blindrelay/abi.h>

/* In br_settings: where XDP runs. */
enum br_settings_mode {
	BR_SETTINGS_GENERIC = 0,
	BR_SETTINGS_NATIVE = 1,
	BR_SETTINGS_NONE = 2, /* nowhere: the daemon forwards everything */
};

#define BR_SETTINGS_MAGIC 0x74737262u /* "brst" in memory */

struct br_settings {
	__u32 magic;
	__u32 abi_version; /* BR_ABI_VERSION of the daemon that wrote it */
	__u32 size;	   /* of this struct */
	__u32 max_legs;
	__u32 max_streams;
	__u32 max_edges;
	__u32 chunk;
	__u16 media_port; /* host byte order */
	__u16 ticket_mark;
	__u8 mode;    /* enum br_settings_mode */
	__u8 mounted; /* the daemon mounted the bpffs, so a clean stop unmounts it */
	__u8 interface_count;
	__u8 clones_shared; /* in generic mode copies have no bytes of their own: none are made */
	__u8 reserved[4];
	__u64 netns;	/* inode of the network namespace that the interfaces belong to */
	__s64 since_ms; /* Unix time: when this state was made */
	char interfaces[BR_EGRESS_MAX][16];
	char version[32]; /* of the daemon that wrote it, for people */
};
_Static_assert(sizeof(struct br_settings) == 56 + 16 * BR_EGRESS_MAX + 32, "br_settings");

/* What a record of the store is about. */
enum br_store_kind {
	BR_STORE_ROOM = 1,
	BR_STORE_LEG = 2,
};

/*
 * A record is cut into parts. A change writes the whole new record under the other
 * generation before the old one goes, so one of the two is complete at any time.
 */
struct br_store_key {
	__u32 kind; /* enum br_store_kind */
	__u32 id;
	__u32 part; /* index, plus BR_STORE_ODD for an odd generation */
};
_Static_assert(sizeof(struct br_store_key) == 12, "br_store_key is a hash key without padding");

#define BR_STORE_ODD	   (1u << 31)
#define BR_STORE_PAYLOAD   100u
#define BR_STORE_PARTS_MAX 64u

struct br_store_part {
	__u32 checksum; /* CRC-32 of the whole record, then key, generation and length */
	__u32 generation;
	__u16 length; /* of the whole record, bytes */
	__u16 parts;
	__u8 payload[BR_STORE_PAYLOAD];
};
_Static_assert(sizeof(struct br_store_part) == 112, "br_store_part");

#endif
