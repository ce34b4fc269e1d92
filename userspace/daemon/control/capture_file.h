/* SPDX-License-Identifier: BSD-2-Clause */
/* What one capture writes: blocks of pcapng into a queue of fixed size. Internal to capture*.c. */
#ifndef BR_CAPTURE_FILE_H
#define BR_CAPTURE_FILE_H

#include "control/queue.h"
#include "plane/plane.h"
#include "room/room.h"

/* A leg that is being shown. */
struct br_capture_leg {
	uint32_t slot;
	uint32_t interface; /* in the file; 0: not described there yet */
	uint64_t delivered, dropped;
	uint64_t lost; /* packets since the last one delivered */
	char name[BR_NAME_MAX + 1];
	char description[2 * BR_ENDPOINT_TEXT + 32];
};

struct br_capture_file {
	struct br_queue queue;
	uint32_t snaplen;    /* 0: all */
	uint64_t begin_ns;   /* Unix time */
	uint64_t unix_ns;    /* of CLOCK_MONOTONIC 0, so that a clock that is set tears no gap */
	uint64_t delivered;  /* packets in the file */
	uint64_t dropped;    /* packets that the queue had no room for */
	uint64_t os_dropped; /* packets that the kernel's rings had no room for */
	uint64_t told;	     /* sum of these when last written */
	uint64_t lost;	     /* os_dropped since the last packet delivered */
	uint32_t interfaces; /* described so far */
};

/** br_capture_file_open - a section and interface 0; -ENOMEM; freed by br_capture_file_close */
int br_capture_file_open(struct br_capture_file *file, const char *room, uint32_t snaplen);
void br_capture_file_close(struct br_capture_file *file);
/** br_capture_file_packet - add a packet of @leg, or count it as dropped */
void br_capture_file_packet(struct br_capture_file *file, struct br_capture_leg *leg,
			    const struct br_capture_packet *packet, const char *comment);
/** br_capture_file_lost - the kernel had no room for so many packets, of this capture or not */
void br_capture_file_lost(struct br_capture_file *file, uint64_t packets);
/** br_capture_file_tell - statistics so far, when they have changed; @always: in any case */
void br_capture_file_tell(struct br_capture_file *file, bool always);
/** br_capture_file_leave - statistics of a leg that is shown no longer */
void br_capture_file_leave(struct br_capture_file *file, struct br_capture_leg *leg);

/* capture_comment.c */
#define BR_CAPTURE_COMMENT 320 /* bytes of a comment, with NUL */
/**
 * br_capture_comment - what became of a packet, and whose it was
 * @rooms: know the names of legs
 *
 * Return: @out; NULL for packets that went their way: they need no words.
 */
const char *br_capture_comment(const struct br_rooms *rooms, const struct br_capture_packet *packet,
			       char out[static BR_CAPTURE_COMMENT]);

#endif
