/* SPDX-License-Identifier: BSD-2-Clause */
/* The blindrelay command: what its subcommands share. */
#ifndef BR_CTL_H
#define BR_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#define BR_CTL_DEFAULT_SOCKET "/run/blindrelay/control.sock"
#define BR_CTL_DEFAULT_STATE  "/run/blindrelay/bpf"
#define BR_CTL_SSRCS_MAX      64
#define BR_CTL_INTERFACES_MAX 8

/* Exit statuses. */
enum {
	BR_CTL_OK = 0,
	BR_CTL_FAILED = 1, /* the daemon refused, or cannot be reached */
	BR_CTL_USAGE = 2,  /* wrong flags or arguments */
};

enum br_ctl_flag {
	BR_FLAG_SOCKET,
	BR_FLAG_URL,
	BR_FLAG_JSON,
	BR_FLAG_HELP,
	BR_FLAG_VERSION,
	BR_FLAG_ADDRESS,
	BR_FLAG_PORT,
	BR_FLAG_ROLE,
	BR_FLAG_SSRC,
	BR_FLAG_RECEIVE,
	BR_FLAG_WAIT,
	BR_FLAG_INTERFACE,
	BR_FLAG_STATE,
	BR_FLAG_PACKETS,
	BR_FLAG_RATE,
	BR_FLAG_FEEDBACK,
	BR_FLAG_EXPIRES,
	BR_FLAG_INTERVAL,
	BR_FLAG_ONCE,
	BR_FLAG_TIMES,
	BR_FLAG_SORT,
	BR_FLAG_ROOM,
	BR_FLAG_MATCH,
	BR_FLAG_LIMIT,
	BR_FLAG_ASCII,
	BR_FLAG_LEG,
	BR_FLAG_OUTPUT,
	BR_FLAG_FORCE,
	BR_FLAG_DURATION,
	BR_FLAG_SNAPLEN,
	BR_FLAG_NEXT_HOP,
	BR_FLAG_COUNT
};
_Static_assert(BR_FLAG_COUNT <= 32, "a bit for each flag");
#define BR_FLAG_BIT(flag) (1u << (flag))
#define BR_FLAGS_GLOBAL                                                                            \
	(BR_FLAG_BIT(BR_FLAG_SOCKET) | BR_FLAG_BIT(BR_FLAG_URL) | BR_FLAG_BIT(BR_FLAG_JSON) |      \
	 BR_FLAG_BIT(BR_FLAG_HELP))

/* What was typed after the name of the subcommand, checked. */
struct br_ctl_args {
	const char *words[3]; /* arguments that are no flags */
	size_t word_count;
	unsigned int given; /* BR_FLAG_BIT of each flag seen */
	const char *socket; /* never NULL */
	const char *url;    /* NULL: use the socket */
	bool json;
	const char *address;
	const char *next_hop; /* NULL: the routing table */
	const char *role;
	uint32_t port;
	uint32_t ssrcs[BR_CTL_SSRCS_MAX];
	size_t ssrc_count;
	uint32_t receives[BR_CTL_SSRCS_MAX];
	size_t receive_count;
	uint32_t wait, expires; /* seconds */
	const char *interfaces[BR_CTL_INTERFACES_MAX];
	size_t interface_count;
	const char *state; /* NULL: the default */
	uint32_t packets;  /* per second */
	uint32_t rate;	   /* bits per second */
	const char *feedback;
	double interval; /* seconds; 0: the default */
	bool once, ascii;
	uint32_t count; /* of packets, or of tables; 0: no limit */
	const char *sort, *room, *match;
	uint32_t limit;	    /* entries of a list */
	uint32_t timeout;   /* seconds for an answer; 0: the default */
	const char *leg;    /* NULL: all */
	const char *output; /* file; NULL or "-": standard output */
	bool force;
	uint32_t duration; /* seconds; 0: no limit */
	uint32_t snaplen;  /* bytes; 0: all */
};

struct br_ctl_command {
	const char *name;
	const char *usage; /* arguments after the name */
	const char *summary;
	const char *help;	      /* more text and examples */
	unsigned int flags, required; /* BR_FLAG_BITs; the global ones are always allowed */
	size_t words_min, words_max;
	int (*run)(const struct br_ctl_args *args);
};

/** br_ctl_commands - the table; ends with an entry without a name */
extern const struct br_ctl_command br_ctl_commands[];

/* next_hop.c */
/**
 * br_ctl_next_hop - INTERFACE,MAC[,vlan=ID[:PRIORITY]]...[,source=ADDRESS][,source-mac=MAC][,mtu=N]
 *
 * Return: the object of the API, owned by the caller; NULL when the text is not of this form.
 */
cJSON *br_ctl_next_hop(const char *text);

/* args.c */
/**
 * br_ctl_parse - read flags and words
 * @command: NULL while its name is not known yet: global flags up to the first word
 * @next: set to the index of the first argument that was not read
 *
 * Return: BR_CTL_OK, or BR_CTL_USAGE after a message that names the flag and what was expected.
 */
int br_ctl_parse(const struct br_ctl_command *command, int argc, char **argv,
		 struct br_ctl_args *args, int *next);
/** br_ctl_flags_print - one line per flag of @flags on standard output */
void br_ctl_flags_print(unsigned int flags);

/* client.c */
struct br_reply {
	int status;  /* HTTP status */
	char *text;  /* body with NUL */
	cJSON *json; /* of the body; NULL when there is none */
};
/**
 * br_ctl_request - ask the daemon
 * @body: JSON, or NULL
 * @reply: set when the daemon answered with 2xx; freed by br_reply_free
 *
 * Return: BR_CTL_OK, or BR_CTL_FAILED after a message on standard error.
 */
int br_ctl_request(const struct br_ctl_args *args, const char *method, const char *path,
		   const char *body, struct br_reply *reply);
/**
 * br_ctl_list - ask for all pages of a list
 * @path: without a query
 * @key: member with the list
 * @reply: all entries in one; its text is NULL when they came in several pages
 *
 * Return: as br_ctl_request.
 */
int br_ctl_list(const struct br_ctl_args *args, const char *path, const char *key,
		struct br_reply *reply);
/** br_reply_print - the JSON, as it came if it can be */
void br_reply_print(const struct br_reply *reply);
/**
 * br_ctl_try - the same without a message
 *
 * Return: the HTTP status with @reply set, or a negative errno when the daemon did not answer.
 */
int br_ctl_try(const struct br_ctl_args *args, const char *method, const char *path,
	       const char *body, struct br_reply *reply);
/* What comes of a body that is made while it is sent. */
struct br_ctl_sink {
	/* more of it; false: no more is wanted */
	bool (*take)(void *context, const void *bytes, size_t length);
	/* between two of these, and a few times a second; false: no more is wanted */
	bool (*go_on)(void *context);
	void *context;
};
/**
 * br_ctl_stream - GET a body as it comes, for as long as it comes
 *
 * Return: BR_CTL_OK when it has ended or is no longer wanted; BR_CTL_FAILED after a message
 * when the daemon refused, cannot be reached, or broke off.
 */
int br_ctl_stream(const struct br_ctl_args *args, const char *path, const struct br_ctl_sink *sink);
/** br_ctl_unreachable - say what could not be reached, and what to do; returns BR_CTL_FAILED */
int br_ctl_unreachable(const struct br_ctl_args *args, int err);
void br_reply_free(struct br_reply *reply);
/** br_ctl_path - "/v1/rooms/" and names, percent-encoded, into @out; @leg may be NULL; @tail "" */
void br_ctl_path(char *out, size_t size, const char *room, const char *tail, const char *leg);

/* table.c */
#define BR_TABLE_COLUMNS 12
struct br_table {
	size_t columns;
	size_t rows;
	char ***cells;		      /* rows of columns, heads first */
	bool right[BR_TABLE_COLUMNS]; /* numbers stand to the right */
};
/** br_table_begin - heads separated by '|'; a head that begins with '>' is of a number column */
void br_table_begin(struct br_table *table, const char *heads);
/** br_table_row - @columns strings; copied */
void br_table_row(struct br_table *table, const char *const *cells);
/** br_table_end - print with columns aligned, and free */
void br_table_end(struct br_table *table);

/* units.c: into @out of BR_UNIT_TEXT bytes, returned */
#define BR_UNIT_TEXT 32
const char *br_unit_scaled(double value, char out[static BR_UNIT_TEXT]); /* 4e6 -> "4.0 M" */
const char *br_unit_count(double value, char out[static BR_UNIT_TEXT]);	 /* 12345 -> "12.3 k" */
const char *br_unit_bytes(double value, char out[static BR_UNIT_TEXT]);	 /* 1536 -> "1.5 KiB" */
const char *br_unit_rate(double value, char out[static BR_UNIT_TEXT]);	 /* 0.25 -> "0.2" */
const char *br_unit_ms(double ms, char out[static BR_UNIT_TEXT]);	 /* 90000 -> "90 s" */
/** br_unit_age - how long ago an RFC 3339 time was */
const char *br_unit_age(const char *time, char out[static BR_UNIT_TEXT]);

/* members of a JSON object; "" and 0 when they are absent */
const char *br_member_text(const cJSON *object, const char *key);
double br_member_number(const cJSON *object, const char *key);

/* subcommands */
int br_ctl_rooms(const struct br_ctl_args *args);
int br_ctl_room(const struct br_ctl_args *args);
int br_ctl_create(const struct br_ctl_args *args);
int br_ctl_legs(const struct br_ctl_args *args);
int br_ctl_add(const struct br_ctl_args *args);
int br_ctl_change(const struct br_ctl_args *args);
int br_ctl_remove(const struct br_ctl_args *args);
int br_ctl_streams(const struct br_ctl_args *args);
int br_ctl_stats(const struct br_ctl_args *args);
int br_ctl_health(const struct br_ctl_args *args);
int br_ctl_check(const struct br_ctl_args *args); /* check/check.c */
int br_ctl_doctor(const struct br_ctl_args *args);
int br_ctl_top(const struct br_ctl_args *args); /* top/main.c */
int br_ctl_capture(const struct br_ctl_args *args);
/** br_ctl_legs_print - table of legs; @room: show the column */
void br_ctl_legs_print(const cJSON *legs, bool room);

#endif
