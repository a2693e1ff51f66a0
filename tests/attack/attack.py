# SPDX-License-Identifier: BSD-2-Clause
"""What attack-packets-test and attack-tools-test share: the targets (a node of ours on a tap, the kernel behind a veth), frames in and out.

Everything happens in a network namespace of the test's. The attacker is an AF_PACKET socket on tap0 or k0:

    attacker 02:00:00:00:00:01, fd09::1, fe80::1, 10.9.0.1 ---- target fd09::2, 10.9.0.2; UDP port 5000 answers, TCP port 5001 listens
"""
import ctypes, fcntl, os, socket, struct, subprocess, sys, time

MAC = "02:00:00:00:00:01"
A6, T6, LL6, A4, T4 = "fd09::1", "fd09::2", "fe80::1", "10.9.0.1", "10.9.0.2"
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

SERVE = """
import select, socket, sys
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u.bind(("::", 5000))
t = socket.create_server(("::", 5001), family=socket.AF_INET6, dualstack_ipv6=True); print("ready", flush=True)
while True:
    for s in select.select([u, t, sys.stdin], [], [])[0]:
        if s is u:
            b, a = u.recvfrom(2000)
            try: u.sendto(b, a)
            except OSError: pass  # to port 0
        elif s is t: t.accept()[0].close()
        elif not sys.stdin.readline(): sys.exit()
"""


def skip(why):
    print("skipped:", why)
    sys.exit(77)


class Failed(Exception):
    pass


def check(cond, what):
    if not cond:
        raise Failed(what)


def run(*cmd, **kw):
    p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, **kw)
    check(p.returncode == 0, "%s: status %d: %s" % (" ".join(cmd), p.returncode, p.stdout))
    return p.stdout


def namespace():
    """The test's own, in which only what it makes is up."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        skip("needs root and /dev/net/tun")
    if libc.unshare(CLONE_NEWNET):
        skip("no network namespace: " + os.strerror(ctypes.get_errno()))
    run("ip", "link", "set", "lo", "up")


def octets_of(mac):
    return bytes.fromhex(mac.replace(":", ""))


def csum(data):
    data += b"\0" * (len(data) % 2)
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def pton(addr):
    return socket.inet_pton(socket.AF_INET6, addr)


def icmp6(src, dst, data, hop_limit=64):
    """An ICMPv6 packet; the checksum field of data is filled in."""
    pseudo = pton(src) + pton(dst) + struct.pack("!II", len(data), 58)
    data = data[:2] + struct.pack("!H", csum(pseudo + data[:2] + b"\0\0" + data[4:])) + data[4:]
    return struct.pack("!IHBB", 6 << 28, len(data), 58, hop_limit) + pton(src) + pton(dst) + data


class Target:
    """Somebody at the other end of dev."""

    def __init__(self, dev):
        self.dev, self.seq = dev, 0
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.wire.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        self.wire.bind((dev, 3))

    def send(self, frame):
        try:
            self.wire.send(bytes(frame))
        except OSError as e:
            raise Failed("a frame of %d octets cannot be sent: %s" % (len(bytes(frame)), e))

    def alive(self, seconds=5):
        """A barrier: all frames of the target's up to its answer to an echo of ours, which is not among them."""
        self.seq += 1
        mark = struct.pack("!HH", 0xbeef, self.seq)
        echo = icmp6(A6, T6, b"\x80\0\0\0" + mark + b"alive?")
        out, end = [], time.monotonic() + seconds
        self.send(octets_of(self.mac) + octets_of(MAC) + b"\x86\xdd" + echo)
        self.wire.settimeout(0.5)
        while time.monotonic() < end:
            try:
                frame = self.wire.recv(70000)
            except TimeoutError:
                # The echo, or its answer, may have been lost in a flood.
                self.send(octets_of(self.mac) + octets_of(MAC) + b"\x86\xdd" + echo)
                continue
            if frame[6:12] != octets_of(self.mac):
                continue
            if frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 129 and frame[58:60] == mark[:2]:
                if frame[58:62] == mark:
                    return out
                continue
            out.append(frame)
        raise Failed("the target does not answer a ping any more")


class Weir(Target):
    """A node of ours, which also says what it dropped."""
    name = "weir"

    def __init__(self, program):
        tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH22x", b"tap0", 0x1002))  # TUNSETIFF: IFF_TAP, IFF_NO_PI
        os.set_inheritable(tap, True)
        with open("/proc/sys/net/ipv6/conf/tap0/disable_ipv6", "w") as f:
            f.write("1")
        run("ip", "link", "set", "tap0", "address", MAC, "arp", "off", "txqueuelen", "20000", "up")
        self.p = subprocess.Popen([program, str(tap)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, close_fds=False)
        os.close(tap)
        with open(program, "rb") as f:
            self.sanitized = b"__asan_init" in f.read()  # and takes more memory
        check(self.p.stdout.readline() == "ready\n", "the node does not start")
        super().__init__("tap0")
        self.mac = self.ask("view /sys/class/net/eth0/address").rstrip("|")
        self.alive()
        self.drops()

    def ask(self, command):
        self.p.stdin.write(command + "\n")
        self.p.stdin.flush()
        answer = self.p.stdout.readline()
        check(answer, "the node has ended with status %s" % self.p.poll())
        return answer.strip()

    def drops(self):
        return {name: int(n) for name, n in (w.split("=") for w in self.ask("drops").split())}

    def memory(self):
        """(packets, octets for packets, sockets, KiB resident)"""
        return tuple(int(w) for w in self.ask("memory").split())

    def sysctl(self, name, value):
        check(self.ask("sysctl %s %s" % (name, value)) == "0", "sysctl " + name)

    def end(self):
        self.wire.close()
        self.p.stdin.close()
        check(self.p.wait(20) == 0, "the node ends with status %d" % self.p.returncode)


class Kernel(Target):
    """The kernel of this machine, which need not say why, but answers as we should."""
    name = "kernel"

    def __init__(self):
        self.p = subprocess.Popen(["unshare", "-n", sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        check(self.p.stdout.readline() == "ready\n", "no second namespace")
        run("ip", "link", "add", "k0", "address", MAC, "type", "veth", "peer", "name", "k1", "netns", str(self.p.pid))
        inside = ("nsenter", "-t", str(self.p.pid), "-n", "--")
        with open("/proc/sys/net/ipv6/conf/k0/disable_ipv6", "w") as f:
            f.write("1")
        run(*inside, "sysctl", "-q", "-w", "net.ipv6.conf.k1.accept_dad=0", "net.ipv6.conf.k1.router_solicitations=0",
            "net.ipv6.conf.k1.addr_gen_mode=0", "net.ipv6.icmp.ratelimit=0", "net.ipv4.icmp_ratelimit=0", "net.ipv6.conf.k1.dad_transmits=0")
        run("ip", "link", "set", "k0", "arp", "off", "up")
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "ip", "link", "set", "k1", "up")
        run(*inside, "ip", "addr", "add", T4 + "/24", "dev", "k1")
        run(*inside, "ip", "addr", "add", T6 + "/64", "dev", "k1", "nodad")
        for addr in (A4, A6, LL6):
            run(*inside, "ip", "neigh", "replace", addr, "lladdr", MAC, "dev", "k1", "nud", "permanent")
        super().__init__("k0")
        self.mac = self.ask_mac(inside)
        self.alive()

    def ask_mac(self, inside):
        words = run(*inside, "ip", "link", "show", "k1").split()
        return words[words.index("link/ether") + 1]

    def drops(self):
        return None

    def sysctl(self, name, value):
        run("nsenter", "-t", str(self.p.pid), "-n", "--", "sysctl", "-q", "-w", "%s=%s" % (name.replace("eth0", "k1"), value))

    def end(self):
        self.wire.close()
        self.p.stdin.close()
        self.p.wait(20)
