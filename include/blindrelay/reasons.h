/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every fate a packet can have, in one list: the enum, the names in the API and the
 * metrics, and what a reader is told all come from here.
 *
 * X(NAME, VERDICT, "name", "meaning")
 *   VERDICT  PASS   the packet goes up the stack, untouched
 *            DROP   the packet (or one copy of it) ends here
 *            SENT   the packet (or one copy of it) went on its way
 *
 * FORWARDED is 0, so a helper returns 0 to go on, or the reason why not.
 */
#ifndef BLINDRELAY_REASONS_H
#define BLINDRELAY_REASONS_H

/* clang-format off */
#define BR_REASONS(X)                                                                              \
	X(FORWARDED,        SENT, "forwarded",        "packet admitted and handed to the copier")      \
	X(LOOPED,           SENT, "looped",           "packet came back for its next segment")         \
	X(PARKED,           SENT, "parked",           "packet waited on the loop for its turn")        \
	X(COPIED,           SENT, "copied",           "copy stamped and sent")                         \
	X(NOT_MEDIA,        PASS, "not_media",        "not UDP to the media port of a leg's address")  \
	X(FRAGMENT,         PASS, "fragment",         "UDP in IP fragments")                           \
	X(IP_OPTIONS,       PASS, "ip_options",       "UDP behind IPv4 options or extension headers")  \
	X(STUN,             PASS, "stun",             "STUN, for the daemon")                          \
	X(DTLS,             PASS, "dtls",             "DTLS, for the daemon")                          \
	X(FEEDBACK,         PASS, "feedback",         "RTCP that the daemon asked for")                \
	X(BAD_LENGTH,       DROP, "bad_length",       "IP or UDP length disagrees with the frame")     \
	X(BAD_CLASS,        DROP, "bad_class",        "first byte is no class of RFC 7983")            \
	X(BAD_RTP,          DROP, "bad_rtp",          "RTP header runs past the packet")               \
	X(BAD_RTCP,         DROP, "bad_rtcp",         "RTCP header runs past the packet")              \
	X(NO_CHECKSUM,      DROP, "no_checksum",      "UDP over IPv6 needs a checksum and has none")   \
	X(TTL,              DROP, "ttl",              "TTL or hop limit used up")                      \
	X(STRANGER_RATE,    DROP, "stranger_rate",    "more STUN or DTLS than a stranger may send")    \
	X(UNKNOWN_LEG,      DROP, "unknown_leg",      "RTP or RTCP from a five-tuple that is no leg")  \
	X(LEG_EXPIRED,      DROP, "leg_expired",      "sender's leg is no longer alive")               \
	X(NOT_PUBLISHER,    DROP, "not_publisher",    "RTP from a leg that may not publish")           \
	X(SSRC_REFUSED,     DROP, "ssrc_refused",     "SSRC is not on the leg's list")                 \
	X(SSRC_LIMIT,       DROP, "ssrc_limit",       "leg uses more SSRCs than it may")               \
	X(RATE,             DROP, "rate",             "leg sends more than its rate")                  \
	X(OVERLOAD,         DROP, "overload",         "too many packets of long routes on their way")  \
	X(NO_RECEIVER,      DROP, "no_receiver",      "nobody receives this stream now")               \
	X(NO_COPIER,        DROP, "no_copier",        "no copier for this interface and size")         \
	X(NO_HEADROOM,      DROP, "no_headroom",      "no room in front of the packet for headers")    \
	X(NO_TICKET,        DROP, "no_ticket",        "frame to be stamped or looped has no ticket")   \
	X(TICKET_SPENT,     DROP, "ticket_spent",     "more copies than the ticket allows")            \
	X(OWN_PACKET,       DROP, "own_packet",       "copy would return to its sender")               \
	X(RECEIVER_EXPIRED, DROP, "receiver_expired", "receiver's leg is no longer alive")             \
	X(NO_NEXT_HOP,      DROP, "no_next_hop",      "receiver's next hop is not resolved")           \
	X(WRONG_EGRESS,     DROP, "wrong_egress",     "receiver has moved to another interface")       \
	X(TOO_BIG,          DROP, "too_big",          "copy is larger than the next hop's MTU")
/* clang-format on */

enum br_reason {
#define BR_REASON_ENUM(NAME, verdict, name, meaning) BR_##NAME,
	BR_REASONS(BR_REASON_ENUM)
#undef BR_REASON_ENUM
		BR_REASON_COUNT
};

enum br_verdict {
	BR_VERDICT_PASS,
	BR_VERDICT_DROP,
	BR_VERDICT_SENT,
};

#endif
