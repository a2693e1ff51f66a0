# SPDX-License-Identifier: BSD-2-Clause
"""What tap-test and tap6-test share: namespaces, programs of both sides, scenarios of both families."""
import ctypes, hashlib, os, shutil, signal, subprocess, sys, tempfile, time

WEIR, LAB = sys.argv[1], sys.argv[2]
FAR = []  # words before a command that is to run in the far namespace
OCTETS = int(os.environ.get("INTEROP_OCTETS", 64 << 20))
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    pass


class Absent(Exception):
    """A program that one scenario needs is not installed."""


def check(cond, what):
    if not cond:
        raise Failed(what)


def unshare_net():
    if libc.unshare(CLONE_NEWNET):
        print("skipped: no network namespace:", os.strerror(ctypes.get_errno()))
        sys.exit(77)


def run(*cmd, timeout=60, ok=True, node=None, **kw):
    """Output of a command on the kernel, or on a node; fails unless it ends with 0 (ok=None: any status)."""
    if node:
        cmd = (WEIR, "exec", node, "--") + cmd
    p = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, text=True, **kw)
    check(ok is None or (p.returncode == 0) == ok, "%s: status %d: %s" % (" ".join(cmd), p.returncode, p.stdout))
    return p.stdout


class Background:
    """A command beside the test, on the kernel or a node; ready when it has printed a line."""

    def __init__(self, *cmd, node=None, wait=True, **kw):
        if node:
            cmd = (WEIR, "exec", node, "--") + cmd
        self.p = subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  start_new_session=True, **kw)
        self.first = self.p.stdout.readline() if wait else ""

    def __enter__(self):
        return self

    def result(self, timeout=60):
        out, _ = self.p.communicate(timeout=timeout)
        return self.first + out

    def __exit__(self, *exc):
        if self.p.poll() is None:
            os.killpg(self.p.pid, signal.SIGTERM)
            try:
                self.p.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self.p.pid, signal.SIGKILL)
                self.p.wait()
        self.p.stdout.close()


def eventually(what, fn, seconds=10):
    end = time.monotonic() + seconds
    while not fn():
        check(time.monotonic() < end, what)
        time.sleep(0.1)


def python(code, *args):
    return ("python3", "-u", "-c", code) + args


# ---- programs of both sides

SINK = """
import hashlib, socket, sys
s = socket.create_server((sys.argv[1], 9000), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET); print("ready")
c, _ = s.accept(); h = hashlib.sha256(); n = 0
while True:
    b = c.recv(1 << 20)
    if not b: break
    h.update(b); n += len(b)
print(n, h.hexdigest())
"""
SOURCE = """
import hashlib, random, socket, sys
c = socket.create_connection((sys.argv[1], 9000)); h = hashlib.sha256()
left, block = int(sys.argv[2]), random.Random(1).randbytes(1 << 20)
while left:
    b = block[:left]; c.sendall(b); h.update(b); left -= len(b)
c.shutdown(socket.SHUT_WR); c.recv(1); print(h.hexdigest())
"""
REFUSED = """
import errno, socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM); s.connect((sys.argv[1], 7777)); s.send(b"x")
for i in range(100):
    err = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if err: break
    time.sleep(0.05)
print("refused" if err == errno.ECONNREFUSED else err)
try: socket.create_connection((sys.argv[1], 7777), 10); print("connected")
except ConnectionRefusedError: print("refused")
"""


def transfer(sink_args, source_args, octets):
    """SINK and SOURCE as (node, address the sink listens on); digests must match."""
    with Background(*python(SINK, sink_args[1]), node=sink_args[0]) as sink:
        sent = run(*python(SOURCE, sink_args[1], str(octets)), node=source_args, timeout=600).split()[-1]
        got = sink.result().split()
    check(got[-2:] == [str(octets), sent], "sent %s, got %s" % (sent, got))


# ---- scenarios of both families

def curl(kernel, d):
    """A file by HTTP between the kernel and node d, at these addresses, both ways."""
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/file", "wb") as f:
            f.write(os.urandom(3000000))
        want = hashlib.sha256(open(folder + "/file", "rb").read()).hexdigest()
        for server, addr, client in ((None, kernel, "d"), ("d", d, None)):
            serve = python("import functools, http.server as h, sys; h.ThreadingHTTPServer.address_family = 10 if ':' in sys.argv[1] else 2; "
                           "s = h.ThreadingHTTPServer((sys.argv[1], 8000), functools.partial("
                           "h.SimpleHTTPRequestHandler, directory=sys.argv[2])); print('ready'); s.serve_forever()", addr, folder)
            with Background(*serve, node=server):
                run("curl", "-sS", "--max-time", "30", "-o", folder + "/copy", "http://%s:8000/file" % ("[%s]" % addr if ":" in addr else addr), node=client)
            check(hashlib.sha256(open(folder + "/copy", "rb").read()).hexdigest() == want, "the file differs")


def iperf3(kernel, d):
    """TCP and UDP between the kernel and node d, at these addresses, both ways."""
    for server, addr, client in ((None, kernel, "d"), ("d", d, None)):
        for args in (("-n", "100M"), ("-n", "100M", "-R"), ("-u", "-b", "50M", "-n", "5M")):
            # A server for each test: one that goes on listens anew between two, and who connects in between is reset.
            with Background("iperf3", "-s", "-1", "--forceflush", node=server):
                for attempt in range(100):  # until it listens
                    out = run("iperf3", "-c", addr, *args, node=client, ok=None)
                    if "refused" not in out:
                        break
                    time.sleep(0.1)
                check("iperf Done" in out, out)


# ---- the setting

def main(tests, programs, lab_name, configure):
    """Runs the tests, in namespaces of their own: the kernel's, with the lab's taps, and a far one behind FAR; configure(far's pid) sets up."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for program in ("ip", "nsenter") + programs:
        if not shutil.which(program):
            print("skipped: %s is not installed" % program)
            sys.exit(77)
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        print("skipped: needs root and /dev/net/tun")
        sys.exit(77)
    unshare_net()
    state = tempfile.mkdtemp()
    os.environ["XDG_RUNTIME_DIR"] = state
    failed = 0
    far = subprocess.Popen(["unshare", "-n", "sleep", "3600"])
    FAR.extend(("nsenter", "-t", str(far.pid), "-n", "--"))
    try:
        run("ip", "link", "set", "lo", "up")
        # The lab's own processes stay behind and must not hold our pipe.
        subprocess.run([WEIR, "lab", "up", LAB], check=True, timeout=30)
        eventually("no second namespace", lambda: os.readlink("/proc/%d/ns/net" % far.pid) != os.readlink("/proc/self/ns/net"))
        run("ip", "link", "add", "v0", "mtu", "1300", "type", "veth", "peer", "name", "v1", "netns", str(far.pid))
        run(*FAR, "ip", "link", "set", "v1", "mtu", "1500", "up")
        run("ip", "link", "set", "v0", "up")
        configure()
        for test in tests:
            if len(sys.argv) > 3 and test.__name__ not in sys.argv[3:]:
                continue
            start = time.monotonic()
            try:
                test()
                print("ok     %s (%.1f s)" % (test.__name__, time.monotonic() - start), flush=True)
            except Absent as e:
                print("absent %s: %s" % (test.__name__, e), flush=True)
            except (Failed, subprocess.TimeoutExpired, AttributeError) as e:
                failed += 1
                print("FAILED %s: %s" % (test.__name__, e), flush=True)
    finally:
        far.terminate()
        far.wait()
        subprocess.run([WEIR, "lab", "down", lab_name], timeout=30)
        shutil.rmtree(state, ignore_errors=True)
    sys.exit(failed != 0)
