/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing pcapng (draft-ietf-opsawg-pcapng): blocks into memory, little-endian on every
 * machine, times in nanoseconds. Each call writes one whole block or nothing. No I/O.
 */
#ifndef BR_PCAPNG_H
#define BR_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#define BR_PCAPNG_HEAD	     8u	   /* of every block: type and length */
#define BR_PCAPNG_TEXT	     1024u /* longest text of an option; what is longer is cut */
#define BR_PCAPNG_MAX	     (16u * 1024 * 1024) /* bytes of a block that readers must expect */
#define BR_PCAPNG_SECTION    0x0a0d0d0au	 /* block types */
#define BR_PCAPNG_INTERFACE  1u
#define BR_PCAPNG_STATISTICS 5u
#define BR_PCAPNG_PACKET     6u

/* A file begins with it. */
struct br_pcapng_section {
	const char *application; /* shb_userappl; texts may be NULL: left out */
	const char *comment;
};

/* The first is number 0, and so on; it comes before its packets. Link type Ethernet. */
struct br_pcapng_interface {
	const char *name;	 /* if_name */
	const char *description; /* if_description */
	uint32_t snaplen;	 /* bytes kept of a packet; 0: all */
};

enum br_pcapng_direction {
	BR_PCAPNG_INBOUND = 1,
	BR_PCAPNG_OUTBOUND = 2,
};

struct br_pcapng_packet {
	uint32_t interface;
	uint64_t time_ns; /* Unix time */
	enum br_pcapng_direction direction;
	const void *link; /* @link_length bytes before those of @data; NULL with 0 */
	size_t link_length;
	const void *data; /* @data_length bytes */
	size_t data_length;
	size_t original; /* bytes on the wire; at least @link_length + @data_length */
	uint64_t lost;	 /* packets since the last one of this interface; 0: left out */
	int verdict;	 /* what the XDP program returned: enum xdp_action */
	const char *comment;
};

/* Counted from the begin of the capture; the last of an interface counts. */
struct br_pcapng_statistics {
	uint32_t interface;
	uint64_t time_ns;    /* of these figures, Unix time */
	uint64_t begin_ns;   /* of the capture */
	uint64_t received;   /* isb_ifrecv: packets, the lost ones included */
	uint64_t dropped;    /* isb_ifdrop: had no room in the capture's own buffer */
	uint64_t os_dropped; /* isb_osdrop: had no room in the kernel's */
	uint64_t delivered;  /* isb_usrdeliv: are in the file */
};

/*
 * Each returns the bytes written to @out, a multiple of 4; 0 when @room is too small, and
 * nothing is written then.
 */
size_t br_pcapng_section(uint8_t *out, size_t room, const struct br_pcapng_section *section);
size_t br_pcapng_interface(uint8_t *out, size_t room, const struct br_pcapng_interface *interface);
size_t br_pcapng_packet(uint8_t *out, size_t room, const struct br_pcapng_packet *packet);
size_t br_pcapng_statistics(uint8_t *out, size_t room,
			    const struct br_pcapng_statistics *statistics);

/**
 * br_pcapng_block - look at the block that @data begins with
 * @length: bytes there
 * @type: set when the head is there
 *
 * Return: the bytes of the whole block, which may be more than @length; 0 when the head is
 * not all there yet; -EBADMSG when this is no little-endian block.
 */
long br_pcapng_block(const uint8_t *data, size_t length, uint32_t *type);

/** br_pcapng_read_statistics - the figures of a block of type BR_PCAPNG_STATISTICS; -EBADMSG */
int br_pcapng_read_statistics(const uint8_t *block, size_t length,
			      struct br_pcapng_statistics *statistics);

#endif
