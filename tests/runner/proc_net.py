# SPDX-License-Identifier: BSD-2-Clause
"""proc_net.py FILE - opens a few sockets and writes what /proc/net then holds to FILE, as JSON: run natively and under weir"""
import json
import socket
import subprocess
import sys

FILES = ("tcp", "udp", "udplite", "raw", "icmp", "packet", "netlink", "protocols", "ptype", "dev", "dev_mcast", "snmp", "netstat",
         "sockstat", "sockstat6", "arp", "route", "igmp", "mcfilter", "softnet_stat")
subprocess.run("ip link set lo up; ip route add 10.9.0.0/16 dev lo", shell=True, check=True)
keep = []


def opened(*args):
    keep.append(socket.socket(*args))
    return keep[-1]


server = opened(socket.AF_INET, socket.SOCK_STREAM)
server.bind(("127.0.0.1", 4000))
server.listen(5)
client = opened(socket.AF_INET, socket.SOCK_STREAM)
client.connect(("127.0.0.1", 4000))
client.send(b"x" * 1000)
keep.append(server.accept()[0])
opened(socket.AF_INET, socket.SOCK_DGRAM).bind(("127.0.0.1", 4001))
opened(socket.AF_INET, socket.SOCK_DGRAM, 136).bind(("127.0.0.1", 4002))
opened(socket.AF_INET, socket.SOCK_RAW, 1)
opened(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
opened(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
opened(socket.AF_NETLINK, socket.SOCK_RAW, 0).bind((0, 1))
group = opened(socket.AF_INET, socket.SOCK_DGRAM)
membership = socket.inet_aton("224.5.6.7") + socket.inet_aton("127.0.0.1")
group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
ADD_SOURCE = 39
group.setsockopt(socket.IPPROTO_IP, ADD_SOURCE, socket.inet_aton("224.5.6.8") + socket.inet_aton("127.0.0.1") + socket.inet_aton("10.9.0.1"))
texts = {}
for name in FILES:
    try:
        with open("/proc/net/" + name, encoding="ascii") as f:
            texts[name] = f.read()
    except OSError as e:
        texts[name] = f"{e.strerror}\n"
with open(sys.argv[1], "w", encoding="ascii") as out:
    json.dump(texts, out)
