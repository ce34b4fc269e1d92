/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and responses of the control API as its handlers see them: no sockets, no
 * HTTP library. Internal to control/.
 */
#ifndef BR_API_H
#define BR_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/buffer.h"
#include "control/json_out.h"
#include "control/stream.h"
#include "lib/error.h"
#include "media/port.h"
#include "plane/plane.h"
#include "room/room.h"

#define BR_API_BODY_MAX	 (64ul * 1024) /* bytes of a request's body */
#define BR_API_NAME_TEXT 512	       /* a name in a path, good or bad, with NUL */
#define BR_QUERY_MAX	 12	       /* query parameters of one request */
#define BR_QUERY_TEXT	 128	       /* name, '=' and value of one, decoded, with NUL */

enum br_method {
	BR_METHOD_GET,
	BR_METHOD_HEAD, /* runs the GET handler; the body is not sent */
	BR_METHOD_POST,
	BR_METHOD_PUT,
	BR_METHOD_PATCH,
	BR_METHOD_DELETE,
	BR_METHOD_OPTIONS,
	BR_METHOD_COUNT
};

struct br_request_counts;
struct br_top;
struct br_captures;

/* What handlers work on; lives as long as the control. */
struct br_api {
	struct br_plane *plane;
	struct br_rooms *rooms;
	char version[64];
	uint16_t media_port;
	const struct br_port *port; /* NULL: not shown */
	int64_t started_ms;	    /* Unix time */
	struct br_captures *captures;
	struct br_request_counts *counts;
	struct br_top *top;
};

/* The query of a request, decoded; see control/query.h. */
struct br_query {
	char params[BR_QUERY_MAX][BR_QUERY_TEXT]; /* "name=value" */
	size_t count;
};

struct br_request {
	enum br_method method;
	char room[BR_API_NAME_TEXT]; /* {room} of the path, decoded; "" when it has none */
	char leg[BR_API_NAME_TEXT];  /* {leg} */
	struct br_query query;
	const char *body; /* @body_length bytes, no NUL needed */
	size_t body_length;
};

struct br_response {
	int status;
	const char *content_type; /* NULL: no body */
	struct br_buffer body;
	struct br_stream *stream; /* the body instead; owned */
	bool streamed;		  /* there would be a stream; HEAD has none */
	char location[256];	  /* "": no Location */
	char link[384];		  /* "": no Link */
	char allow[64];		  /* "": no Allow */
	bool retry_later;	  /* full tables: say Retry-After */
};

/** br_response_json - begin a JSON body with @status; returns the writer for it */
struct br_json_out br_response_json(struct br_response *response, int status);

/** br_response_free - release the body */
void br_response_free(struct br_response *response);

typedef void (*br_api_handler)(struct br_api *api, const struct br_request *request,
			       struct br_response *response);

/* api_rooms.c */
void br_api_rooms_list(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_room_put(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_room_get(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_room_delete(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_room_stats(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_room_streams(struct br_api *api, const struct br_request *, struct br_response *);
/* api_legs.c */
void br_api_legs_list(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_room_legs_list(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_leg_post(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_leg_get(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_leg_patch(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_leg_delete(struct br_api *api, const struct br_request *, struct br_response *);
/* api_stats.c */
void br_api_stats(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_healthz(struct br_api *api, const struct br_request *, struct br_response *);
void br_api_readyz(struct br_api *api, const struct br_request *, struct br_response *);
/** br_api_ready - can media flow? every media interface is up */
bool br_api_ready(const struct br_api *api);
/** br_verdict_name - "pass", "drop" or "sent" */
const char *br_verdict_name(enum br_verdict verdict);
/** br_api_write_interfaces, br_api_write_tables - members of /v1/stats and /v1/top */
void br_api_write_interfaces(struct br_api *api, struct br_json_out *out);
void br_api_write_tables(struct br_api *api, struct br_json_out *out);
/** br_api_write_reason - members that tell of one reason; the object is the caller's */
void br_api_write_reason(struct br_json_out *out, enum br_reason reason,
			 const struct br_counter *counter);
/* api_top.c */
void br_api_top(struct br_api *api, const struct br_request *, struct br_response *);
extern const char *const br_top_query[];
/* api_capture.c */
void br_api_capture(struct br_api *api, const struct br_request *, struct br_response *);
/** br_capture_query - query parameters of br_api_capture */
extern const char *const br_capture_query[];
/* openapi.c */
void br_api_openapi(struct br_api *api, const struct br_request *, struct br_response *);
/* metrics.c */
void br_api_metrics(struct br_api *api, const struct br_request *, struct br_response *);

/**
 * br_api_check_name - is @name good for a room or a leg? false: @response is the problem
 * @field: input that it came in, for the problem
 */
bool br_api_check_name(const char *field, const char *name, struct br_response *response);
/**
 * br_api_find_room_named - a room that must be there
 *
 * Return: NULL when the name is malformed or there is none; @response is the problem then.
 */
struct br_room *br_api_find_room_named(struct br_api *api, const char *name,
				       struct br_response *response);
/** br_api_find_room - the room of the path, as br_api_find_room_named */
struct br_room *br_api_find_room(struct br_api *api, const struct br_request *request,
				 struct br_response *response);
/** br_api_find_leg - the leg of the path in @room; NULL as br_api_find_room */
struct br_room_leg *br_api_find_leg(struct br_room *room, const struct br_request *request,
				    struct br_response *response);
/** br_api_check_empty - body absent or {}; false: @response is the problem */
bool br_api_check_empty(const struct br_request *request, struct br_response *response);

/** br_role_name - "publisher", "subscriber" or "both" */
const char *br_role_name(enum br_role role);
/** br_api_ms_ago - milliseconds since a CLOCK_MONOTONIC time; true when that time is set */
bool br_api_ms_ago(uint64_t monotonic_ns, uint64_t *ms);

/** br_api_write_counters - member @key of a leg or a room, such as "counters" */
void br_api_write_counters(struct br_json_out *out, const char *key,
			   const struct br_leg_counters *counters);

/** br_api_write_leg - members that tell of one leg; the object is the caller's */
void br_api_write_leg(struct br_api *api, struct br_json_out *out, const struct br_room_leg *leg);

/* api_next_hop.c */
struct br_json_reader;
/** br_api_next_hop_read - "next_hop" of the body of a leg, if it is there; errors go to @leg */
void br_api_next_hop_read(struct br_json_reader *leg, struct br_named_hop *hop,
			  struct br_addr *source);
/** br_api_next_hop_write - the member "next_hop": an object, or null when none was named */
void br_api_next_hop_write(struct br_json_out *out, const struct br_named_hop *hop,
			   const struct br_addr *source);

/* api_leg_body.c */
/**
 * br_api_leg_read - the body of POST …/legs
 * @terms: of a leg that asks for nothing else
 * @leg: set on success
 *
 * Return: 0; -EBADMSG when it is no JSON, -EINVAL when a field is wrong.
 */
int br_api_leg_read(const char *text, size_t length, const struct br_leg_terms *terms,
		    struct br_static_leg *leg, struct br_error *error);
/** br_api_terms_read - the body of PATCH …/legs/{leg}: what it names changes in @terms; as above */
int br_api_terms_read(const char *text, size_t length, struct br_leg_terms *terms,
		      struct br_error *error);
/** br_feedback_name - "route" or "daemon" */
const char *br_feedback_name(bool feedback_up);

#endif
