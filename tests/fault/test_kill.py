"""kill -9 at any point between a request's first byte and its answer: what was acknowledged stays.

Several connections send at once; some requests are cut off in the middle. After each kill: every
acknowledged event is in the log and none twice, a request is there whole or not at all, the log's hash chain
holds, and the current decisions are those of a fresh fold of what is there.

PATHWAY_KILLS: how many kills (20). PATHWAY_SEED: chooses the places (1).
"""

import hashlib
import http.client
import json
import random
import socket
import struct
import threading
import time
import unittest

from daemon import PATIENCE_S, Daemon
from proof import fault, rows
from support import await_wakes, difference, export, judge, lines_of, number_from, sample_events, shuffled

KILLS = number_from("PATHWAY_KILLS", 20)
SEED = number_from("PATHWAY_SEED", 1)
SENDERS = 3


def key(event):
    return event["source"], event["id"]


def logged(database):
    """The log, in order: rows of (seq, source, id, recorded, actor, body, hash)."""
    return rows(database, "SELECT e.seq, e.source, e.id, r.recorded, e.actor, e.body, e.hash"
                          " FROM event e JOIN event_row r ON r.seq = e.seq ORDER BY e.seq")


def chain_breaks_at(log):
    """The first event whose hash is not that of what stands there and of the hash before it; None."""
    before = bytes(32)
    for seq, _, _, recorded, actor, body, found in log:
        digest = hashlib.blake2b(digest_size=32)
        for part in (before, struct.pack("<q", recorded), (actor or "").encode(), body.encode()):
            digest.update(struct.pack("<Q", len(part)) + part)
        before = digest.digest()
        if before.hex() != found:
            return seq
    return None


class Sending:
    """Connections that send requests one after the other until the daemon is gone."""

    def __init__(self, daemon, requests, dice):
        self.daemon = daemon
        self.waiting = list(reversed(requests))
        self.lock = threading.Lock()
        self.acknowledged, self.unanswered = [], []
        self.threads = [threading.Thread(target=self.serve, args=(random.Random(dice.random()),))
                        for _ in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def serve(self, dice):
        """One connection's requests, written in two pieces at times."""
        try:
            with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=PATIENCE_S) as s:
                while self.serve_one(s, dice):
                    pass
        except (OSError, http.client.HTTPException, ValueError):
            pass  # the daemon is gone; what was not answered says so

    def serve_one(self, s, dice):
        with self.lock:
            if not self.waiting:
                return False
            request = self.waiting.pop()
            self.unanswered.append(request)
        body = lines_of(request).encode()
        head = (f"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        whole, cut = head + body, dice.randrange(len(head) + len(body))
        if dice.random() < 0.5:
            s.sendall(whole[:cut])
            time.sleep(dice.random() * 0.01)
            s.sendall(whole[cut:])
        else:
            s.sendall(whole)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        told = json.loads(answer.read())
        if answer.status != 200 or told["conflict"] or told["invalid"]:
            raise AssertionError(f"{answer.status}: {told}")
        with self.lock:
            self.unanswered.remove(request)
            self.acknowledged.append(request)
        return True

    def await_an_answer(self):
        while not self.acknowledged and any(thread.is_alive() for thread in self.threads):
            time.sleep(0.0005)

    def join(self):
        for thread in self.threads:
            thread.join()


class Kill(unittest.TestCase):
    def setUp(self):
        self.d = Daemon()
        self.addCleanup(self.d.close)

    def check_log(self, sending, before):
        log = logged(self.d.database)
        self.assertEqual([row[0] for row in log], list(range(1, len(log) + 1)))
        self.assertIsNone(chain_breaks_at(log))
        there = {(row[1], row[2]) for row in log}
        self.assertEqual(len(there), len(log), "an event is there twice")
        for request in sending.acknowledged:
            self.assertLessEqual({key(e) for e in request}, there, "an acknowledged event is gone")
        for request in sending.unanswered:
            fresh = {key(e) for e in request} - before
            self.assertIn(len(fresh & there), (0, len(fresh)), "a request is there in part")
        return there

    def test_what_was_acknowledged_survives_every_kill(self):
        events = list({key(e): e for e in sample_events()}.values())
        events = shuffled(events, SEED)
        dice = random.Random(SEED)
        there, rest, kills = set(), list(events), 0
        while kills < KILLS:
            if not rest:  # all is there: begin again with another database
                self.forget_database()
                there, rest = set(), shuffled(events, SEED + kills)
            with self.subTest(seed=SEED, kill=kills):
                size = dice.choice([1, 5, 20, 100])
                requests = [rest[i:i + size] for i in range(0, min(len(rest), size * 60), size)]
                if there:  # a request with an event that is there already
                    requests[0] = requests[0] + [e for e in events if key(e) in there][:1]
                self.d.start()
                sending = Sending(self.d, requests, dice)
                if dice.random() < 0.5:
                    sending.await_an_answer()
                time.sleep(dice.choice([0.001, 0.01, 0.05]) * dice.random() * 4)
                self.d.kill()
                sending.join()
                there = self.check_log(sending, there)
                if kills % 5 == 4:
                    self.assertIsNone(fault(self.d.database))
                rest = [e for e in events if key(e) not in there]
                kills += 1
        self.check_end(events, there)

    def forget_database(self):
        for path in self.d.folder.glob("pathway.db*"):
            path.unlink()

    def check_end(self, events, there):
        """Sending all again: duplicates are exactly those that were there. Then all is as if nothing had been."""
        self.d.start()
        await_wakes(self.d)
        known = [e for e in events if key(e) in there]
        why = difference(export(self.d), judge(known, self.d.now))
        self.assertIsNone(why, why)
        told = self.d.send(events, "?results=all")
        found = {key(events[r["index"]]) for r in told["results"] if r["status"] == "duplicate"}
        self.assertEqual(found, there)
        self.assertEqual(told["accepted"], len(events) - len(there))
        why = difference(export(self.d), judge(events, self.d.now))
        self.assertIsNone(why, why)
        seqs = [e["data"]["seq"] for e in self.d.request("GET", "/v1/changes?limit=10000").json()["items"]]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))


if __name__ == "__main__":
    unittest.main()
