/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - what happened in a lab: a table of links and TCP, and the walk of one data packet
 */
#ifndef WEIR_LAB_REPORT_H
#define WEIR_LAB_REPORT_H

#include "lab/lab.h"
#include "run/run.h"

struct lab_report;
struct recorder;

struct weir_net;

/* Remembers connections as they end. @nodes in the order of @desc; @media: their net, or NULL; all must outlive the report. NULL: out of memory. */
struct lab_report *lab_report_start(struct run *r, const struct lab_desc *desc,
				    struct run_node **nodes, struct weir_net *media);
/* @walk: also the walk of the last big data packet, if @rec is there. */
void lab_report_print(struct lab_report *rep, FILE *out, struct recorder *rec, bool walk);
void lab_report_free(struct lab_report *rep); /* NULL is fine */

#endif
