"""What it costs to feed others: live readers beside what comes in, questions about a school, webhooks."""

import json
import re
import select
import socket
import statistics
import subprocess
import time
from contextlib import contextmanager

import loads
from floors import Bare
from measure import Figures, say
from table import Row, Target
from tools import binary, clone, fresh, pathway, send, tool

READERS = {"smoke": 20}  # else:
MANY = 1000
SCHOOLS = 100  # that are asked about in turn
QUESTIONS = {"smoke": 2000}
ENOUGH = 30000
CHANGES = {"smoke": 20}
SOME = 300


class Readers:
    """So many live readers of a daemon's feed, from its head on; the i-th with the i-th of `queries` in turn."""

    def __init__(self, context, daemon, count, queries=()):
        self.head = daemon.request("GET", "/v1/changes?after=0&limit=1").json()["seq"]
        command = [binary("bench-readers"), "--port", str(daemon.port), "--count", str(count), "--after", str(self.head)]
        if queries:
            path = context.folder / "queries"
            path.write_text("".join(f"{query}\n" for query in queries))
            command += ["--queries", str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        opened = self.told()["open"]
        if opened != count:
            raise RuntimeError(f"{opened} of {count} readers could read:\n{daemon.log()}")

    def told(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("bench-readers ended")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def fields(load, name, count):
    """The first so many different values of a field of the registrations."""
    found = {}
    with open(load, "rb") as file:
        for line in file:
            if b'"school.registered"' in line:
                event = json.loads(line)
                found[event["data"].get(name) or event[name]] = None
            if len(found) == count:
                break
    return list(found)


def rate_beside(context, begin, count, queries):
    """Events a second while so many readers follow; and entries that came, how many of them a reader had gone through by
    then, and how many readers were cut off. Nobody waits for them to catch up: of the whole feed that is gigabytes."""
    with clone(context.prepared(context.load, begin), context.new_folder("readers")) as daemon:
        if count == 0:
            said = send(daemon, context.load, skip=begin)
            return said["events"] / said["judged_seconds"], None
        with Readers(context, daemon, count, queries) as readers:
            said = send(daemon, context.load, skip=begin)
            seq = daemon.request("GET", "/v1/changes?after=0&limit=1").json()["seq"]
            text = daemon.request("GET", "/metrics").text()
    shown = float(re.search(r"(?m)^pathwayd_http_streamed_total (\S+)", text)[1])
    cut = float(re.search(r'(?m)^pathwayd_http_cut_total\{reason="slow"\} (\S+)', text)[1])
    return said["events"] / said["judged_seconds"], (seq - readers.head, shown / count, cut)


def beside_readers(context):
    """One who reads everything is as much as the daemon can be asked for; a page of the web reads its hub's."""
    count, begin = READERS.get(context.profile, MANY), context.last_part
    kinds = {"all of the feed": (), "a hub's": [f"&hub={hub}" for hub in fields(context.load, "hub", 100)]}
    found = {kind: (Figures(), Figures()) for kind in kinds}
    for turn in range(context.times):
        for kind, queries in kinds.items():
            alone, _ = rate_beside(context, begin, 0, ())
            ours, (entries, shown, cut) = rate_beside(context, begin, count, queries)
            found[kind][0].add(ours)
            found[kind][1].add(alone)
            say(f"{count} readers of {kind}: {ours:,.0f} events/s, without {alone:,.0f}; of {entries:,} entries each had gone"
                f" through {shown:,.0f} when the last event was judged; {cut:.0f} cut off")
    return [Row(f"in order, beside {count:,} live readers of {kind}", "events/s", *figures, "without them",
                context.bound(Target("≥ 0.8 of without", 0.8, at_least=True))) for kind, figures in found.items()]


def asking(context):
    schools = fields(context.load, "subject", SCHOOLS)
    paths = context.folder / "paths"
    paths.write_text("".join(f"/v1/schools/{subject.split('/')[1]}\n" for subject in schools))
    options = ["--paths", paths, "--count", QUESTIONS.get(context.profile, ENOUGH), "--clients", 16]
    ours, floor = Figures(), Figures()
    with clone(context.prepared(context.load), context.new_folder("asking")) as daemon:
        for turn in range(context.times):
            said = tool("get", "--port", daemon.port, *options)
            ours.add(said["requests"] / said["seconds"])
            with Bare() as bare:
                said = tool("get", "--port", bare.port, *options)
            floor.add(said["requests"] / said["seconds"])
            say(f"GET /v1/schools/URN: {ours.values[-1]:,.0f} requests/s, floor {floor.values[-1]:,.0f}")
    return [Row(f"GET /v1/schools/URN, {len(schools)} schools, 16 clients", "requests/s", ours, floor, "bare HTTP",
                context.bound(Target("≥ 0.5 of the floor", 0.5, at_least=True)))]


class Peer:
    """One connection, from either side, that reads HTTP messages with a length."""

    def __init__(self, connection):
        self.connection = connection
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def message(self):
        """The next one's body."""
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(self.rest) < length:
            self.more()
        body, self.rest = self.rest[:length], self.rest[length:]
        return body

    def more(self):
        piece = self.connection.recv(65536)
        if not piece:
            raise RuntimeError("a connection was closed")
        self.rest += piece


class Hook:
    """A webhook's receiver on connections that stay open, and the sender of the changes that it is told of."""

    def __init__(self, daemon, name):
        self.listener = socket.create_server(("127.0.0.1", 0))
        pathway("webhook", "add", name, f"http://127.0.0.1:{self.listener.getsockname()[1]}/", "--decisions", "committed",
                "--url", f"unix:{daemon.socket}")
        self.peers = []
        self.sender = Peer(socket.create_connection(("127.0.0.1", daemon.port)))

    def close(self):
        for peer in (*self.peers, self.sender):
            peer.connection.close()
        self.listener.close()

    def receive(self):
        """When the next delivery came; it is answered."""
        while True:
            ready, _, _ = select.select([self.listener, *(p.connection for p in self.peers)], [], [], 60)
            if not ready:
                raise RuntimeError("nothing was delivered within a minute")
            for peer in self.peers:
                if peer.connection in ready:
                    peer.message()
                    came = time.monotonic()
                    peer.connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
                    return came
            self.peers.append(Peer(self.listener.accept()[0]))

    def change(self, number):
        """One event that changes one decision: milliseconds until it was acknowledged, and until it was delivered."""
        kind = "commitment.given" if number % 2 == 0 else "commitment.withdrawn"
        body = json.dumps({"specversion": "1.0", "id": str(number), "source": "urn:bench", "type": kind,
                           "subject": "school/100001", "data": {},
                           "time": f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"}).encode()
        began = time.monotonic()
        self.sender.connection.sendall(
            b"POST /v1/events HTTP/1.1\r\nHost: bench\r\nContent-Type: application/cloudevents+json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        if b'"accepted":1' not in self.sender.message():
            raise RuntimeError("an event was not accepted")
        acknowledged = time.monotonic()
        return (acknowledged - began) * 1e3, (self.receive() - began) * 1e3


@contextmanager
def hooked(context):
    section = "[plugin webhook]\nallow = 127.0.0.0/8\n"
    with fresh(context.new_folder("webhook"), http=section) as daemon:
        hook = Hook(daemon, "bench")
        try:
            yield hook
        finally:
            hook.close()


def delivering(context):
    """From sending an event: until it is acknowledged, which is a commit's time, and until the change it makes has
    reached a webhook's receiver."""
    committed, delivered = Figures(), Figures()
    for turn in range(max(3, context.times)):
        with hooked(context) as hook:
            hook.change(0)  # opens the connections
            pairs = [hook.change(i + 1) for i in range(CHANGES.get(context.profile, SOME))]
        committed.add(statistics.median(pair[0] for pair in pairs))
        delivered.add(statistics.median(pair[1] for pair in pairs))
        say(f"a change, p50: acknowledged after {committed.values[-1]:.2f} ms, at a webhook's receiver after"
            f" {delivered.values[-1]:.2f}")
    return [Row("a change reaches a webhook, p50", "ms", delivered, committed, "acknowledged",
                context.bound(Target("≤ 2 of a commit", 2)))]


def rows(context, wanted):
    parts = {"readers": beside_readers, "asking": asking, "webhook": delivering}
    return [row for name, measure in parts.items() if wanted(name) for row in measure(context)]
