/* SPDX-License-Identifier: BSD-2-Clause */
/* An answer of GET /v1/top for tests of `blindrelay top`: every kind of leg, reason and state. */
#ifndef BR_TEST_TOP_DATA_H
#define BR_TEST_TOP_DATA_H

#define RATES(in, in_bits, out, out_bits, drops)                                                   \
	"\"rates\":{\"received_packets\":" #in ",\"received_bits\":" #in_bits                      \
	",\"sent_packets\":" #out ",\"sent_bits\":" #out_bits ",\"dropped\":" #drops "}"
#define COUNTERS(drops)                                                                            \
	"\"counters\":{\"received_packets\":1,\"received_bytes\":1,\"sent_packets\":1,"            \
	"\"sent_bytes\":1,\"dropped_received\":" #drops ",\"dropped_sent\":1}"
#define ROOM(name, legs, rates)                                                                    \
	"{\"name\":\"" name "\",\"legs\":" #legs "," COUNTERS(2) "," rates "}"
#define LEG(room, name, role, state, streams, expires, seen, rates)                                \
	"{\"name\":\"" name "\",\"room\":\"" room "\",\"role\":\"" role "\",\"state\":\"" state    \
	"\",\"streams\":" #streams ",\"expires_in_s\":" #expires ",\"last_seen_ms_ago\":" #seen    \
	"," COUNTERS(4) "," rates "}"
#define REASON(name, verdict, meaning, packets, rate)                                              \
	"{\"reason\":\"" name "\",\"verdict\":\"" verdict "\",\"meaning\":\"" meaning              \
	"\",\"packets\":" #packets ",\"bytes\":1,\"packets_per_s\":" #rate "}"

/* Of a daemon that is younger than the clock can tell, so that its age is always the same. */
static const char top_data[] =
	"{\"version\":\"0.1.0\",\"started\":\"2999-01-01T00:00:00.000Z\","
	"\"sampled\":\"2025-05-20T09:31:00.000Z\",\"interval_ms\":1000.2,"
	"\"interfaces\":[{\"name\":\"eth0\",\"ifindex\":2,\"mode\":"
	"\"native\",\"up\":true},"
	"{\"name\":\"eth1\",\"ifindex\":3,\"mode\":\"generic\",\"up\":false}"
	"],"
	"\"tables\":{\"legs\":{\"used\":60000,\"capacity\":65536},"
	"\"streams\":{\"used\":1,\"capacity\":65536},\"edges\":{\"used\":"
	"524288,"
	"\"capacity\":1048576}},"
	"\"relay\":{\"rooms\":1234,\"legs\":60000,\"received_packets\":900,"
	"\"sent_packets\":9000,"
	"\"dropped\":77,\"passed\":12,\"passed_per_s\":30.0,\"slow\":{\"copies_per_s\":1234.5}"
	"," RATES(2970.0, 28512000.0, 123456.7, 1185184320.0,
		  12.3) "}"
			","
			"\"reasons\":[" REASON(
				"forwarded", "sent", "packet admitted and handed to the copier",
				900,
				2970.0) "," REASON("not_media", "pass",
						   "not UDP to the media port of a leg's address",
						   55,
						   5.0) "," REASON("stun", "pass",
								   "STUN, for the daemon", 12,
								   30.0) "," REASON("bad_rtp",
										    "drop",
										    "RTP header "
										    "runs past the "
										    "packet",
										    0,
										    0.0) "," REASON("rate",
												    "drop",
												    "leg sends more than its rate",
												    70,
												    12.0) "," REASON("receiver_expired", "drop", "receiver's leg is no longer alive", 7, 0.3) "],"
																							      "\"rooms\":[" ROOM(
																								      "standup", 12, RATES(2500.0, 24000000.0, 120000.0, 1152000000.0, 0.0)) "," ROOM("a-name-as-long-as-they-may-be-which-is-sixty-four-characters-0001",
																																		      4097,
																																		      RATES(
																																			      470.0, 4512000.0, 3456.7, 33184320.0, 12.3)) "," ROOM("quiet",
																																										    0,
																																										    RATES(
																																											    0.0,
																																											    0.0,
																																											    0.0, 0.0, 0.0)) "],"
																																													    "\"legs\":[" LEG("standup",
																																															     "viewer",
																																															     "subscriber",
																																															     "ready", 0,
																																															     null, null, RATES(0.0, 0.0, 2500.0, 24000000.0, 0.0)) "," LEG("standup",
																																																							   "somebody-with-a-long-name",
																																																							   "both", "resolving",
																																																							   2, 29, 140, RATES(25.0, 240000.0, 2475.0, 23760000.0, 0.0)) "," LEG("standup",
																																																															       "camera", "publisher", "ready", 1, 3600, 3, RATES(2500.0, 24000000.0, 0.0, 0.0, 0.0)) "," LEG("quiet",
																																																																											     "mic",
																																																																											     "publisher", "unreachable", 0, null, 86400000, RATES(0.4, 512.0, 0.0, 0.0, 12.3)) "]}";

#endif
