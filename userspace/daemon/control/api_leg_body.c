// SPDX-License-Identifier: BSD-2-Clause
/* The bodies of POST and PATCH of legs: strict, every error names the key. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "lib/addr.h"
#include "lib/json.h"
#include "lib/text.h"

static const char *const roles[] = {"publisher", "subscriber", "both"};
static const char *const feedbacks[] = {"route", "daemon"};
static const enum br_role role_values[] = {BR_ROLE_PUBLISHER, BR_ROLE_SUBSCRIBER, BR_ROLE_BOTH};

/* "0x" and 1 to 8 hexadecimal digits. */
static bool br_ssrc_from_hex(const char *text, uint32_t *out)
{
	size_t digits;

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
		return false;
	text += 2;
	digits = strspn(text, "0123456789abcdefABCDEF");
	if (!digits || digits > 8 || text[digits])
		return false;
	*out = (uint32_t)strtoul(text, NULL, 16);
	return true;
}

static bool br_ssrc_from_item(const cJSON *item, uint32_t *out)
{
	if (cJSON_IsString(item))
		return br_ssrc_from_hex(item->valuestring, out);
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > UINT32_MAX ||
	    item->valuedouble != (double)(uint32_t)item->valuedouble)
		return false;
	*out = (uint32_t)item->valuedouble;
	return true;
}

static void br_leg_read_ssrcs(struct br_json_reader *reader, const char *key, uint32_t *ssrcs,
			      size_t *count)
{
	const cJSON *array, *item;
	size_t index = 0;

	*count = 0;
	if (!br_json_array(reader, key, BR_JSON_OPTIONAL, 0, BR_LEG_SSRCS_MAX, &array))
		return;
	cJSON_ArrayForEach (item, array) {
		if (!br_ssrc_from_item(item, &ssrcs[index])) {
			br_json_fail(reader, key,
				     "expected SSRCs as integers from 0 to 4294967295 or strings "
				     "like \"0x1a2b3c4d\"; element %zu is neither",
				     index);
			return;
		}
		index++;
	}
	*count = index;
}

#define BR_EXPIRES_MAX_S 31536000u /* a year */

static void br_terms_read_fields(struct br_json_reader *reader, struct br_leg_terms *terms)
{
	uint32_t seconds;
	int feedback;

	br_json_uint(reader, "max_packets_per_s", BR_JSON_OPTIONAL, 0, BR_PACKETS_PER_S_MAX,
		     &terms->max_packets_per_s);
	br_json_uint(reader, "max_bits_per_s", BR_JSON_OPTIONAL, 0, BR_BITS_PER_S_MAX,
		     &terms->max_bits_per_s);
	if (br_json_uint(reader, "expires_in_s", BR_JSON_OPTIONAL, 0, BR_EXPIRES_MAX_S, &seconds))
		terms->expires_ns = seconds ? br_now_monotonic_ns() + seconds * 1000000000ull : 0;
	if (br_json_choice(reader, "feedback", BR_JSON_OPTIONAL, feedbacks,
			   sizeof(feedbacks) / sizeof(feedbacks[0]), &feedback))
		terms->feedback_up = feedback;
}

static void br_leg_read_fields(struct br_json_reader *reader, struct br_static_leg *leg)
{
	char address[128], quoted[BR_QUOTE_TEXT];
	uint32_t port = 0;
	int role = 0;

	if (br_json_string(reader, "name", BR_JSON_REQUIRED, leg->name, sizeof(leg->name)) &&
	    !br_name_valid(leg->name))
		br_json_fail(reader, "name",
			     "expected 1 to %d characters of A-Z a-z 0-9 _ . -, got %s",
			     BR_NAME_MAX, br_text_quote(leg->name, strlen(leg->name), quoted));
	if (br_json_string(reader, "address", BR_JSON_REQUIRED, address, sizeof(address))) {
		br_text_quote(address, strlen(address), quoted);
		if (!br_addr_parse(address, &leg->remote.addr))
			br_json_fail(reader, "address",
				     "expected an IPv4 or IPv6 address such as \"192.0.2.7\" or "
				     "\"2001:db8::7\", got %s",
				     quoted);
		else if (!br_addr_is_unicast(&leg->remote.addr))
			br_json_fail(reader, "address", "expected a unicast address, got %s",
				     quoted);
	}
	if (br_json_uint(reader, "port", BR_JSON_REQUIRED, 1, 65535, &port))
		leg->remote.port = htons((uint16_t)port);
	if (br_json_choice(reader, "role", BR_JSON_REQUIRED, roles,
			   sizeof(roles) / sizeof(roles[0]), &role))
		leg->role = role_values[role];
	br_api_next_hop_read(reader, &leg->hop, &leg->source);
	br_leg_read_ssrcs(reader, "ssrcs", leg->ssrcs, &leg->ssrc_count);
	br_leg_read_ssrcs(reader, "receive_ssrcs", leg->receive_ssrcs, &leg->receive_ssrc_count);
}

/* Parse; what is no JSON is not the same as JSON with a wrong field. */
static int br_leg_parse(const char *text, size_t length, cJSON **root, struct br_error *error)
{
	int err = br_json_parse(text, length, root, error);

	if (err == -EINVAL)
		error->code = err = -EBADMSG;
	return err;
}

int br_api_leg_read(const char *text, size_t length, const struct br_leg_terms *terms,
		    struct br_static_leg *leg, struct br_error *error)
{
	struct br_json_reader reader;
	cJSON *root = NULL;
	int err = br_leg_parse(text, length, &root, error);

	if (err)
		return err;
	memset(leg, 0, sizeof(*leg));
	leg->terms = *terms;
	br_json_begin(&reader, root, "", error);
	br_leg_read_fields(&reader, leg);
	br_terms_read_fields(&reader, &leg->terms);
	err = br_json_end(&reader);
	cJSON_Delete(root);
	return err;
}

int br_api_terms_read(const char *text, size_t length, struct br_leg_terms *terms,
		      struct br_error *error)
{
	struct br_json_reader reader;
	cJSON *root = NULL;
	int err = br_leg_parse(text, length, &root, error);

	if (err)
		return err;
	br_json_begin(&reader, root, "", error);
	br_terms_read_fields(&reader, terms);
	err = br_json_end(&reader);
	cJSON_Delete(root);
	return err;
}

const char *br_feedback_name(bool feedback_up)
{
	return feedbacks[feedback_up];
}

const char *br_role_name(enum br_role role)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (role_values[i] == role)
			return roles[i];
	return "none";
}
