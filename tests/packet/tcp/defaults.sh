#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What scripts here rely on, so that they say the same to any stack: buffers of fixed sizes (a window scale of 8), and the options
# that a script is not about switched off. Reno is the one congestion control that every namespace may use. A sysctl that a stack does
# not have is passed over (-e). One command, as it runs before every script.
exec sysctl -e -q -w net.ipv4.tcp_rmem="4096 540000 15728640" net.ipv4.tcp_wmem="4096 262144 4194304" \
	net.ipv4.tcp_timestamps=0 net.ipv4.tcp_ecn=0 net.ipv4.tcp_fastopen=0 net.ipv4.tcp_no_metrics_save=1 \
	net.ipv4.tcp_syn_linear_timeouts=0 net.ipv4.tcp_congestion_control=reno
