// SPDX-License-Identifier: BSD-2-Clause
#include "lib/pattern.h"

#include <endian.h>
#include <string.h>

/* splitmix64: one multiplication chain per 8 bytes, good enough that no two packets look alike. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static uint64_t stream_start(const struct br_pattern *pattern)
{
	return mix(mix(pattern->seed ^ ((uint64_t)pattern->ssrc << 32)) + pattern->sequence);
}

static uint64_t word_at(uint64_t start, size_t word)
{
	/* Big endian on the wire, so that captures of two machines can be compared by eye. */
	return htobe64(mix(start + 0x9e3779b97f4a7c15ULL * (word + 1)));
}

static uint32_t head_check(const struct br_pattern *pattern, size_t length)
{
	return (uint32_t)mix(stream_start(pattern) ^ mix(pattern->sent_ns) ^ length);
}

void br_pattern_write(const struct br_pattern *pattern, uint8_t *out, size_t length)
{
	uint64_t start = stream_start(pattern);
	uint64_t sent = htobe64(pattern->sent_ns);
	uint64_t sequence = htobe64(pattern->sequence << 16 | (length & 0xffff));
	uint32_t check = htobe32(head_check(pattern, length));

	memcpy(out, &sent, 8);
	memcpy(out + 8, &sequence, 8);
	memcpy(out + 16, &check, 4);
	for (size_t at = BR_PATTERN_MIN, word = 0; at < length; at += 8, word++) {
		uint64_t value = word_at(start, word);

		memcpy(out + at, &value, length - at < 8 ? length - at : 8);
	}
}

static size_t count_differences(const uint8_t *a, const uint8_t *b, size_t length)
{
	size_t different = 0;

	for (size_t i = 0; i < length; i++)
		different += a[i] != b[i];
	return different;
}

size_t br_pattern_check(struct br_pattern *pattern, const uint8_t *data, size_t length, bool *known)
{
	struct br_pattern read = *pattern;
	size_t altered = 0, claimed, compared;
	uint64_t sent, sequence, start;
	uint32_t check;

	*known = false;
	if (length < BR_PATTERN_MIN)
		return length ? length : 1;
	memcpy(&sent, data, 8);
	memcpy(&sequence, data + 8, 8);
	memcpy(&check, data + 16, 4);
	read.sent_ns = be64toh(sent);
	read.sequence = be64toh(sequence) >> 16;
	claimed = be64toh(sequence) & 0xffff;
	if (be32toh(check) != head_check(&read, claimed))
		return length;
	*pattern = read;
	*known = true;

	start = stream_start(pattern);
	compared = claimed < length ? claimed : length;
	for (size_t at = BR_PATTERN_MIN, word = 0; at < compared; at += 8, word++) {
		uint64_t value = word_at(start, word);
		size_t part = compared - at < 8 ? compared - at : 8;

		if (memcmp(data + at, &value, part) != 0)
			altered += count_differences(data + at, (uint8_t *)&value, part);
	}
	return altered + (claimed > length ? claimed - length : length - claimed);
}
