"""Programs of others: npm `cloudevents` as a sender, npm `eventsource` as a reader that is cut off again and again."""

import json
import random
import socket
import subprocess
import threading
import unittest

from interop import FOLDER, Client, install
from daemon import PATIENCE_S, Daemon, event, registered
from support import number_from

CUTS = number_from("PATHWAY_CUTS", 100)
SEED = number_from("PATHWAY_SEED", 1)


class CloudEvents(unittest.TestCase):
    def test_what_npm_cloudevents_makes_is_taken_in_each_mode(self):
        install()
        # In binary mode the type of the data is always said; that it is said is part of what an event says.
        said = {"datacontenttype": "application/json"}
        events = [registered(100001, "École Saint-Exupéry “Nord”", **said),
                  event("lead.named", "school/100001", {"teacher": "p-1"}, sequence="0001", partitionkey="a b", **said)]
        with Daemon() as d:
            done = subprocess.run(["node", "cloudevent.mjs", f"http://127.0.0.1:{d.port}/v1/events"], cwd=FOLDER, text=True,
                                  input="".join(json.dumps(e) + "\n" for e in events), capture_output=True, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 0, done.stderr)
            answers = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([a["mode"] for a in answers], ["binary", "structured"] * 2 + ["batch"])
            self.assertEqual([a["status"] for a in answers], [200] * 5, answers)
            # Sent first in binary mode: all that comes later is the same event again.
            counts = [(a["answer"]["accepted"], a["answer"]["duplicate"]) for a in answers]
            self.assertEqual(counts, [(1, 0), (0, 1), (1, 0), (0, 1), (0, 2)], answers)
            self.assertEqual(d.request("GET", "/v1/schools/100001").json()["facts"]["name"], events[0]["data"]["name"])


class Between:
    """A relay to the daemon that can cut everybody off; its port stays when the daemon's changes."""

    def __init__(self, daemon):
        self.daemon, self.pairs, self.lock = daemon, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            try:
                if not self.daemon.port:
                    raise OSError("it is not there")
                inner = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=PATIENCE_S)
                inner.settimeout(None)
            except OSError:
                peer.close()
                continue
            with self.lock:
                self.pairs.append((peer, inner))
            for a, b in ((peer, inner), (inner, peer)):
                threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(a, b):
        try:
            while piece := a.recv(4096):
                b.sendall(piece)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        with self.lock:
            for pair in self.pairs:
                for s in pair:
                    try:
                        s.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
                    s.close()
            self.pairs = []

    def close(self):
        self.listener.close()
        self.cut()


class EventSource(unittest.TestCase):
    def test_cut_off_and_resumed_it_misses_nothing_and_repeats_nothing(self):
        chance = random.Random(SEED)
        with Daemon(http="retry_ms = 5") as d:
            d.send([registered(100000 + i) for i in range(10)])
            between = Between(d)
            self.addCleanup(between.close)
            reader = Client("follow.mjs", f"http://127.0.0.1:{between.port}/v1/changes")
            self.addCleanup(reader.close)
            seen, sent = [], 0

            def read_until(count):
                while len(seen) < count:
                    line = reader.next()
                    self.assertNotIn("resync", line, f"seed {SEED}")
                    if "entry" in line:
                        self.assertEqual(int(line["id"]), line["entry"]["data"]["seq"])
                        seen.append(line["entry"]["data"]["seq"])

            for number in range(CUTS):
                for _ in range(chance.randint(1, 3)):
                    kind = "given" if (sent // 10) % 2 == 0 else "withdrawn"
                    d.send([event(f"commitment.{kind}", f"school/{100000 + sent % 10}", id=f"e{sent}",
                                  time=f"2025-{sent // 25000 + 1:02}-{sent // 1000 % 25 + 1:02}"
                                       f"T{sent // 60 % 16:02}:{sent % 60:02}:00Z")])
                    sent += 1
                if chance.random() < 0.3:
                    read_until(chance.randint(len(seen), d.request("GET", "/v1/changes?limit=1").json()["seq"]))
                between.cut()
                if number % 10 == 9:
                    d.kill() if number % 20 == 9 else d.stop()
                    d.start()
            head = d.request("GET", "/v1/changes?limit=1").json()["seq"]
            read_until(head)
            self.assertEqual(seen, list(range(1, head + 1)), f"seed {SEED}")

    def test_a_database_that_went_back_is_told_by_a_resync(self):
        with Daemon(http="retry_ms = 5") as d:
            d.send([registered(100001), event("commitment.given", "school/100001")])
            head = d.request("GET", "/v1/changes").json()["seq"]
            d.stop()
            kept = (d.folder / "pathway.db").read_bytes()
            d.start()
            d.send([event("lead.named", "school/100001", {"teacher": t}) | {"id": t} for t in ("a", "b")])
            between = Between(d)
            self.addCleanup(between.close)
            reader = Client("follow.mjs", f"http://127.0.0.1:{between.port}/v1/changes")
            self.addCleanup(reader.close)
            last = d.request("GET", "/v1/changes").json()["seq"]
            self.assertGreater(last, head)
            while reader.next().get("id") != str(last):
                pass
            d.stop()
            (d.folder / "pathway.db").write_bytes(kept)
            d.start()
            between.cut()
            while "resync" not in (line := reader.next()):
                pass
            self.assertEqual((line["resync"]["after"], line["resync"]["seq"]), (last, head))
            d.send([event("commitment.withdrawn", "school/100001", time="2025-09-12T00:00:00Z")])
            while "entry" not in (line := reader.next()):
                pass
            self.assertEqual(line["entry"]["data"]["seq"], head + 1)


if __name__ == "__main__":
    unittest.main()
