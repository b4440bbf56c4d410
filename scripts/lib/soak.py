"""What scripts/soak plays, in a network and PID namespace that it has to itself.

spiral-server asks a real memcached through a proxy that passes replies on in slices and late. Each cycle is an
incident, with rude clients beside a heavy and a small caller, and a calm, with the small caller alone and the proxy
passing everything on at once. After each calm the server is looked at.
"""

import asyncio
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

PROGRAMS, MINUTES = sys.argv[1], int(sys.argv[2])
CYCLES = 10
CYCLE = MINUTES * 60 / CYCLES
INCIDENT = CYCLE * 0.4
CALM = CYCLE - INCIDENT
# Seconds for which a closed connection holds its port; none are left if a calm is longer.
TIME_WAIT = 60
SERVER, ADMIN, MEMCACHED, PROXY = 8080, 8081, 11211, 11311
POSTS = 20000
# The admin listener and those that look at it must have ports while the incident has none: they bind addresses of
# their own.
PROBE = "127.9.9.9"

OUT = {
    "limit": "none", "max-idle": 2, "dialer": "bind:127.32.0.1", "log-mode": "blocking", "fanout": "per-uri",
    "lookup-timeout": "500ms",
}
WORKAROUND = dict(OUT, dialer="rotate")
# Ports that bind() left in TIME_WAIT are in the way of dials that bind nothing: so it binds, to another address. The
# timeout is one that a proxy on a busy machine can keep.
CURED = {
    "limit": "request:64", "max-idle": 64, "dialer": "bind:127.33.0.1", "log-mode": "sampled", "fanout": "per-uri",
    "lookup-timeout": "20s",
}
VARIANTS = [
    ("incident", OUT),
    ("workaround", WORKAROUND),
    ("multiget", dict(CURED, fanout="multiget:500")),
    ("adaptive limit", dict(CURED, limit="aimd")),
    ("fair limit", dict(CURED, limit="fair:32")),
]

rng = random.Random(20260403)
failures = []


def check(holds, text):
    if not holds:
        failures.append(text)
        print(f"  FAIL {text}", flush=True)


# What is looked at.


def ask(path, change=None, timeout=30):
    """Asks the admin listener; returns what it said and how long that took."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", ADMIN), timeout, (PROBE, 0)) as connection:
        body = json.dumps(change).encode() if change is not None else b""
        method = "PATCH" if change is not None else "GET"
        connection.sendall(
            f"{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{ADMIN}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        answer = b""
        while piece := connection.recv(1 << 16):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(f"{path}: {answer[:300]!r}")
    return body.decode(), time.monotonic() - begun


def counters():
    return json.loads(ask("/admin/counters")[0])


def metrics():
    figures = {}
    for line in ask("/metrics")[0].splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            figures[name] = float(value)
    return figures


def stats():
    with socket.create_connection(("127.0.0.1", MEMCACHED), 10, (PROBE, 0)) as connection:
        connection.sendall(b"stats\r\n")
        answer = b""
        while not answer.endswith(b"END\r\n"):
            answer += connection.recv(1 << 16)
    return {words[1]: words[2] for line in answer.decode().splitlines() if len(words := line.split()) == 3}


def settled(lookups):
    return lookups["hits"] + lookups["misses"] + lookups["unreadable"] + sum(lookups["errors"].values())


def look(pid):
    """The server's memory in KiB, descriptors and threads, and the ports of the namespace in TIME_WAIT."""
    with open(f"/proc/{pid}/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    with open("/proc/net/tcp") as file:
        waiting = sum(1 for line in file if line.split()[3] == "06")
    return {
        "KiB": int(status["VmRSS"].split()[0]),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": int(status["Threads"]),
        "TIME_WAIT": waiting,
    }


# The proxy: threads of Python would be too slow, so it looks at whole chunks, and slices some connections only.


class Proxy:
    def __init__(self):
        self.is_rude = False
        # Nobody else holds them.
        self.tasks = set()

    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection(
                "127.0.0.1", MEMCACHED, local_addr=(f"127.6.{rng.randrange(256)}.{rng.randrange(1, 255)}", 0)
            )
        except OSError:
            writer.transport.abort()
            return
        chance = rng.random() if self.is_rude else 1
        try:
            await asyncio.gather(
                self.copy(reader, upstream_writer, 1), self.copy(upstream_reader, writer, chance), return_exceptions=True
            )
        except asyncio.CancelledError:
            pass
        for one in (writer, upstream_writer):
            one.close()

    async def copy(self, source, target, chance):
        try:
            while chunk := await source.read(1 << 16):
                if chance < 0.05:
                    await self.slice(chunk, target)
                elif chance < 0.055:
                    # Cut within the reply.
                    target.write(chunk[: len(chunk) // 2])
                    await target.drain()
                    target.transport.abort()
                    return
                elif chance < 0.06:
                    target.write(rng.randbytes(200))
                else:
                    target.write(chunk)
                await target.drain()
        finally:
            try:
                if not target.is_closing():
                    target.write_eof()
            except OSError:
                pass

    async def slice(self, chunk, target):
        start = 0
        while start < len(chunk):
            end = start + rng.randint(1, 64) if start < 256 else len(chunk)
            target.write(chunk[start:end])
            await target.drain()
            await asyncio.sleep(rng.choice([0, 0, 0.001, 0.02]))
            start = end


# Rude clients, each of which does one thing once.


def request(uris, fields=""):
    body = json.dumps({"uris": uris}).encode()
    return (
        f"POST /bsky.Service/GetPostRecords HTTP/1.1\r\nHost: a\r\nx-atlantis-caller: rude\r\n"
        f"Content-Type: application/json\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def some_uris(count):
    return [f"at://did:plc:{'a' * 24}/app.bsky.feed.post/{rng.randrange(10**12):013d}" for _ in range(count)]


async def connect():
    # From an address of its own: that of the incident has no ports.
    return await asyncio.open_connection("127.0.0.1", SERVER, local_addr=(f"127.8.{rng.randrange(256)}.1", 0))


def reset(writer):
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def slow_reader():
    reader, writer = await connect()
    writer.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    writer.write(request(some_uris(300)))
    for _ in range(20):
        await reader.read(100)
        await asyncio.sleep(0.2)
    reset(writer)


async def leaver():
    _, writer = await connect()
    writer.write(request(some_uris(300)))
    await writer.drain()
    await asyncio.sleep(rng.random() * 0.05)
    reset(writer)


async def cutter():
    _, writer = await connect()
    whole = request(some_uris(50))
    writer.write(whole[: rng.randrange(len(whole))])
    await writer.drain()
    await asyncio.sleep(rng.random())
    reset(writer) if rng.random() < 0.5 else writer.close()


async def garbage():
    reader, writer = await connect()
    writer.write(
        rng.choice(
            [
                rng.randbytes(500),
                bytes.fromhex("16030100a5010000a10303") + rng.randbytes(160),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 100000,
                b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n",
                request(["\u0000"], "Content-Encoding: gzip\r\n"),
            ]
        )
    )
    await reader.read()
    writer.close()


async def idler():
    reader, writer = await connect()
    await asyncio.sleep(rng.random() * 8)
    writer.close()


async def impatient():
    reader, writer = await connect()
    writer.write(request(some_uris(100), "Connect-Timeout-Ms: 1\r\n"))
    await reader.readline()
    writer.close()


RUDE = [slow_reader, leaver, cutter, garbage, idler, impatient]


async def be_rude(until):
    """Keeps up to thirty rude clients going."""
    going = set()

    async def one():
        try:
            await asyncio.wait_for(rng.choice(RUDE)(), 10)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
            pass

    while time.monotonic() < until:
        while len(going) < 30:
            going.add(asyncio.create_task(one()))
        _, going = await asyncio.wait(going, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
    if going:
        await asyncio.wait(going)


# The play.


class Play:
    def __init__(self, folder):
        self.folder = folder
        self.slowest = 0.0
        self.rows = []

    def start_memcached(self):
        self.memcached = subprocess.Popen(
            ["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(MEMCACHED), "-c", "15000", "-b", "4096", "-m", "256"]
        )
        self.wait_for(MEMCACHED)

    def wait_for(self, port):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 5, (PROBE, 0)).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"nobody listens on port {port}")

    def load(self, *arguments):
        return subprocess.Popen(
            [f"{PROGRAMS}/spiral-load", "--posts", str(POSTS), "--source", "127.7.0.0/16", *arguments],
            stdout=subprocess.DEVNULL,
            # That the generator was late on a busy machine does not matter here.
            stderr=subprocess.DEVNULL,
        )

    def preload(self):
        one = subprocess.run(
            [f"{PROGRAMS}/spiral-load", "--posts", str(POSTS), "--preload", "--memcached", f"127.0.0.1:{MEMCACHED}",
             "--client", "a:uris=1,rate=1/s", "--duration", "1s", "--source", "127.7.0.0/16"],
            capture_output=True,
        )
        check(one.returncode in (0, 3), f"the posts were stored: {one.stderr.decode()[-300:]}")

    async def probe(self, until):
        while time.monotonic() < until:
            try:
                text, seconds = await asyncio.to_thread(ask, "/healthz")
                check(text == "ok\n", "/healthz says ok")
                self.slowest = max(self.slowest, seconds)
            except OSError as error:
                check(False, f"/healthz answers: {error}")
            await asyncio.sleep(0.5)

    async def harm_memcached(self, cycle, length):
        """Stops it for two seconds, and in every other cycle kills and starts it again."""
        await asyncio.sleep(length * 0.4)
        self.memcached.send_signal(signal.SIGSTOP)
        await asyncio.sleep(2)
        self.memcached.send_signal(signal.SIGCONT)
        if cycle % 2:
            await asyncio.sleep(length * 0.2)
            self.memcached.kill()
            self.memcached.wait()
            await asyncio.sleep(1)
            await asyncio.to_thread(self.start_memcached)

    async def incident(self, cycle, proxy):
        name, settings = VARIANTS[cycle % len(VARIANTS)]
        ask("/admin/settings", settings)
        proxy.is_rude = True
        end = time.monotonic() + INCIDENT
        result = f"{self.folder}/load.json"
        load = self.load(
            "--client", "heavy:uris=300..600,rate=0.2/s", "--client", "small:uris=1..20,rate=3/s",
            "--duration", f"{max(1, int(INCIDENT - 2))}s", "--timeout", "10s", "--json", result,
        )
        await asyncio.gather(self.probe(end), be_rude(end), self.harm_memcached(cycle, INCIDENT))
        await asyncio.to_thread(load.wait)
        with open(result) as file:
            clients = json.load(file)["clients"]
        for client in clients:
            ends = client["answered"] + client["failed"] + client["unanswered"] + client["unsent"]
            check(client["due"] == ends, f"every batch of {client['name']} ended once: {client['due']} and {ends}")
        return name, sum(client["answered"] for client in clients), sum(client["failed"] for client in clients)

    async def quiet(self, latest):
        """Waits until memcached has been asked all that is under way in the proxy, of connections that are gone."""
        asked = None
        while time.monotonic() < latest and (now := stats()["cmd_get"]) != asked:
            asked = now
            await asyncio.sleep(4)

    async def calm(self, proxy):
        proxy.is_rude = False
        ask("/admin/settings", CURED)
        for _ in range(100):
            if counters()["inFlight"] == 0:
                break
            await asyncio.sleep(0.3)
        begun = time.monotonic()
        end = begun + CALM
        await self.quiet(begun + CALM / 3)
        before, before_stats = counters(), stats()
        length = max(2, int(min(CALM / 4, 20)))
        load = self.load(
            "--client", "small:uris=1..20,rate=3/s", "--duration", f"{length}s", "--json", f"{self.folder}/calm.json"
        )
        await self.probe(time.monotonic() + length + 2)
        await asyncio.to_thread(load.wait)
        after, after_stats = counters(), stats()
        with open(f"{self.folder}/calm.json") as file:
            client = json.load(file)["clients"][0]
        check(client["failed"] == 0, f"in the calm nothing fails: {client['errors']}")
        for ours, theirs in (("hits", "get_hits"), ("misses", "get_misses")):
            mine = after["lookups"][ours] - before["lookups"][ours]
            its = int(after_stats[theirs]) - int(before_stats[theirs])
            check(mine == its, f"{ours} are memcached's {theirs}: {mine} and {its}")
        mine = settled(after["lookups"]) - settled(before["lookups"])
        check(mine == client["uris"], f"every URI ended once: {mine} and {client['uris']}")
        await asyncio.sleep(max(0, end - time.monotonic()))

    def judge(self, cycle, name, answered, failed):
        figures, counted, level = look(self.server.pid), counters(), metrics()
        # Idle connections to memcached are kept for the next batch, as many as max-idle says.
        figures["descriptors"] -= counted["idleConnections"]
        self.rows.append(figures)
        check(counted["inFlight"] == 0, "no lookup is in flight")
        for gauge in ("spiral_held_bytes", "spiral_held_batches", "spiral_http_connections"):
            check(level[gauge] == 0, f"{gauge} is 0: {level[gauge]:.0f}")
        clients = json.loads(ask("/debug/clients")[0])["clients"]
        ended = sum(one["ok"] + one["failed"] + one["unreadable"] for one in clients)
        asked = sum(one["uris"] for one in clients)
        check(ended == asked, f"every URI of every caller ended once: {asked} and {ended}")
        # Each kind of incident comes twice: the first time it fills what a process keeps, pools, stacks and arenas of
        # memory, and the second time there must be no more, but for the 32 MiB that are not worth a trim.
        if cycle >= len(VARIANTS):
            for name_of, most in (("KiB", lambda kept: kept * 1.1 + 32768), ("descriptors", lambda kept: kept + 8),
                                  ("threads", lambda kept: kept + 4)):
                kept = max(row[name_of] for row in self.rows[: len(VARIANTS)])
                check(figures[name_of] <= most(kept), f"{name_of} are given back: {kept}, and now {figures[name_of]}")
        if CALM > TIME_WAIT + 20:
            check(figures["TIME_WAIT"] <= 200, f"ports are given back: {figures['TIME_WAIT']} in TIME_WAIT")
        print(
            f"{cycle + 1:5} {name:15} {answered:8} {failed:6} {figures['KiB'] / 1024:7.1f} {figures['descriptors']:11} "
            f"{figures['threads']:7} {figures['TIME_WAIT']:9} {self.slowest * 1000:10.1f}",
            flush=True,
        )
        self.slowest = 0.0

    async def run(self):
        proxy = Proxy()
        listener = await asyncio.start_server(proxy.serve, "127.0.0.1", PROXY, backlog=4096)
        self.start_memcached()
        self.server = subprocess.Popen(
            [f"{PROGRAMS}/spiral-server", "--memcached", f"127.0.0.1:{PROXY}", "--head-timeout", "5s",
             "--body-timeout", "5s", "--write-timeout", "5s", "--idle-timeout", "10s", "--trim-after", "5s",
             "--log-sink", f"file:{self.folder}/errors.log"],
            stdout=subprocess.DEVNULL,
        )
        self.wait_for(SERVER)
        await asyncio.to_thread(self.preload)
        print(f"    0 {'start':15} {'':8} {'':6} {look(self.server.pid)['KiB'] / 1024:7.1f}", flush=True)
        for cycle in range(CYCLES):
            name, answered, failed = await self.incident(cycle, proxy)
            await asyncio.to_thread(os.truncate, f"{self.folder}/errors.log", 0)
            await self.calm(proxy)
            check(self.server.poll() is None, "the server lives")
            if self.server.poll() is not None:
                break
            self.judge(cycle, name, answered, failed)
        if self.server.poll() is None:
            self.server.terminate()
            check(self.server.wait(30) == 0, "the server ends with 0")
        self.memcached.kill()
        listener.close()
        left = list(proxy.tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def main():
    # The first process of a namespace is ended by no signal that it does not handle; all others end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write("32768 33791")
    print("cycle incident        answered failed  memory descriptors threads TIME_WAIT healthz ms")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(Play(folder).run())
    if failures:
        print(f"{len(failures)} checks failed")
        sys.exit(1)
    print("all held")


main()
