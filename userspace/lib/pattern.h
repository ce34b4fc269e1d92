/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The payload that the lab tool sends: reproducible from (seed, SSRC, extended sequence
 * number), so that a receiver can tell which bytes changed on the way. Network byte order:
 *
 *   0  send time, CLOCK_MONOTONIC, nanoseconds (64 bits)
 *   8  extended sequence number (48 bits)
 *  14  length of the payload (16 bits)
 *  16  check over the above, the seed and the SSRC (32 bits)
 *  20  pattern
 */
#ifndef BR_PATTERN_H
#define BR_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BR_PATTERN_MIN 20u    /* smallest payload, bytes */
#define BR_PATTERN_MAX 65535u /* largest */

struct br_pattern {
	uint64_t seed;	   /* agreed on by sender and receiver */
	uint64_t sequence; /* extended sequence number, 48 bits */
	uint64_t sent_ns;  /* CLOCK_MONOTONIC */
	uint32_t ssrc;
};

/**
 * br_pattern_write - fill a payload
 * @pattern: what goes in
 * @out: payload
 * @length: BR_PATTERN_MIN to BR_PATTERN_MAX bytes
 */
void br_pattern_write(const struct br_pattern *pattern, uint8_t *out, size_t length);

/**
 * br_pattern_check - read a payload and compare every byte with what was sent
 * @pattern: seed and ssrc are given; sequence and sent_ns are filled when they can be trusted
 * @data: payload without padding
 * @length: bytes of @data
 * @known: true when sequence and sent_ns were filled
 *
 * Return: number of altered, missing and added bytes; all bytes (at least 1) when the head of
 * the payload is not ours.
 */
size_t br_pattern_check(struct br_pattern *pattern, const uint8_t *data, size_t length,
			bool *known);

#endif
