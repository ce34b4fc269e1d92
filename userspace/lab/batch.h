/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of one socket, sent by one sendmmsg. */
#ifndef BR_LAB_BATCH_H
#define BR_LAB_BATCH_H

#include "lab/sender.h"

/** br_batch_new - an empty batch; freed by free() */
struct br_batch *br_batch_new(void);
/** br_batch_rtp - build and seal the next RTP packet of a publisher and put it in the batch */
int br_batch_rtp(struct br_sender *sender, struct br_publisher *publisher, uint64_t now_ns,
		 struct br_error *error);
/** br_batch_rtcp - the same for a sender report */
int br_batch_rtcp(struct br_sender *sender, struct br_publisher *publisher, uint64_t now_ns,
		  struct br_error *error);
/** br_batch_flush - send what is in the batch; 0 or negative errno */
int br_batch_flush(struct br_sender *sender, struct br_error *error);

#endif
