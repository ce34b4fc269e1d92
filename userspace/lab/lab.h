/* SPDX-License-Identifier: BSD-2-Clause */
/* Subcommands of blindrelay-lab. Each takes the words after its name and returns the exit status.
 */
#ifndef BR_LAB_H
#define BR_LAB_H

/** br_lab_genkey - make an SRTP key file */
int br_lab_genkey(int argc, char **argv);
/** br_lab_source - send sealed RTP */
int br_lab_source(int argc, char **argv);
/** br_lab_sink - receive, authenticate, compare, count */
int br_lab_sink(int argc, char **argv);
/** br_lab_junk - send frames that are wrong */
int br_lab_junk(int argc, char **argv);
/** br_lab_report - exact loss from what sources sent and sinks received */
int br_lab_report(int argc, char **argv);
/** br_lab_compare - captures of a sender and of receivers, packet by packet */
int br_lab_compare(int argc, char **argv);

#endif
