"""Those who watch the feed: long polls, server-sent events, `pathway changes --follow`."""

import json
import os
import socket
import subprocess
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone

from daemon import PATIENCE_S, Answer, Daemon, Recorder, binary, event, registered
from support import number_from, one_is_quick

SOON_S = number_from("PATHWAY_SOON_S", 1)  # "within the same second"


def given(id, **more):
    return event("commitment.given", "school/100001", id=id, **more)


def withdrawn(id, **more):
    return event("commitment.withdrawn", "school/100001", id=id, **more)


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Stream:
    """The feed as server-sent events, read on a thread: (seconds, id, entry) in `seen`, and in `clock` what the clock
    said; comments counted."""

    def __init__(self, daemon, after=None, last=None):
        self.seen, self.clock, self.comments = [], [], 0
        self.came = threading.Condition()
        self.connection = daemon.connection()
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(last)} if last is not None else {})
        self.connection.request("GET", "/v1/changes" + ("" if after is None else f"?after={after}"), headers=headers)
        self.answer = self.connection.getresponse()
        self.status, self.headers, self.has_ended = self.answer.status, self.answer.headers, False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        fields = {}
        try:
            for line in self.answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                with self.came:
                    if name == "" and "data" in fields:
                        self.seen.append((time.monotonic(), int(fields["id"]), json.loads(fields["data"])))
                        self.clock.append(datetime.now(timezone.utc))
                        self.came.notify_all()
                    elif name == ":":
                        self.comments += 1
                fields = {} if name == "" else fields | {name: value}
        except (OSError, ValueError, AttributeError):
            pass
        with self.came:
            self.has_ended = True
            self.came.notify_all()

    def await_count(self, count, patience=PATIENCE_S):
        with self.came:
            self.came.wait_for(lambda: len(self.seen) >= count or self.has_ended, patience)
            return list(self.seen)

    def close(self):
        try:
            self.connection.sock and self.connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(10)
        self.answer.close()
        self.connection.close()


class Live(unittest.TestCase):
    options = {}

    def setUp(self):
        self.d = Daemon(**self.options)
        self.addCleanup(self.d.close)
        self.d.start()
        self.d.send([registered(100001)])
        page = self.d.request("GET", "/v1/changes").json()
        self.head, self.place = page["next"], page["place"]
        self.toggles = 0

    def toggle(self, **more):
        """An event that changes `committed`, each time: a minute later than the one before, or at the time that is given."""
        self.toggles += 1
        send = given if self.toggles % 2 else withdrawn
        moment = f"2025-09-10T{10 + self.toggles // 60:02}:{self.toggles % 60:02}:00Z"
        return send(f"t{self.toggles}", **{"time": moment} | more)

    def after(self, number):
        return self.d.request("GET", f"/v1/changes?after={number}&limit=10000").json()["items"]

    def assert_stops(self, prepare):
        """It ends without having had to cut somebody off, which it does when it has waited for some seconds. A machine that
        stands still for so long as that does not do so every time."""
        for _ in range(5):
            prepare()
            self.assertEqual(self.d.stop(), 0, self.d.log())
            if "cut off slow peers" not in self.d.log():
                return
            self.d.start()
        self.fail(self.d.log())

    def stream(self, **where):
        stream = Stream(self.d, **where)
        self.addCleanup(stream.close)
        return stream

    def poll(self, after, wait, out):
        began = time.monotonic()
        answer = self.d.request("GET", f"/v1/changes?after={after}&wait={wait}")
        out.append((time.monotonic() - began, answer.status, answer.json()))


class LongPoll(Live):
    def begin(self, after, wait):
        connection = self.d.connection()
        self.addCleanup(connection.close)
        connection.request("GET", "/livez")  # the daemon has taken the connection
        connection.getresponse().read()
        path = f"/v1/changes?after={after}&wait={wait}"
        connection.request("GET", path)
        return connection, path

    def poll_meanwhile(self, after, wait, do):
        """(How long it took from what is done meanwhile on, status, page.)"""
        connection, path = self.begin(after, wait)
        for _ in range(3):  # whoever asks later is answered: it has been read
            self.d.request("GET", "/livez")
        began = time.monotonic()
        do()
        answer = Answer(connection.getresponse())
        Recorder.keep("GET", path, answer)
        return time.monotonic() - began, answer.status, answer.json()

    def test_it_is_answered_as_soon_as_there_is_something(self):
        def attempt():
            head = self.d.request("GET", "/v1/changes?limit=10000").json()["next"]
            took, status, page = self.poll_meanwhile(head, 60, lambda: self.d.send([self.toggle()]))
            self.assertEqual(status, 200)
            self.assertIn("committed", [e["data"]["decision"] for e in page["items"]])
            self.assertEqual(page["items"], self.after(head))
            self.assertEqual(page["next"], head + len(page["items"]))
            return took
        one_is_quick(attempt, SOON_S)

    def test_what_is_there_already_is_answered_at_once(self):
        def attempt():
            out = []
            self.poll(0, 60, out)
            self.assertEqual(out[0][2], self.d.request("GET", "/v1/changes").json())
            return out[0][0]
        one_is_quick(attempt, SOON_S)

    def test_when_the_time_is_up_the_page_is_empty(self):
        out = []
        self.poll(self.head, 1, out)
        self.assertEqual(out[0][1:], (200, {"items": [], "next": self.head, "seq": self.head, "place": self.place}))
        self.assertGreaterEqual(out[0][0], 0.9)
        took, _, page = self.poll_meanwhile(self.head + 50, 1, lambda: self.d.send([given("g1")]))
        place = self.place.split("/")[0] + f"/{self.head + 50}"
        self.assertIn(page.pop("seq"), range(self.head, self.head + 50))  # of before or after what was sent
        self.assertEqual(page, {"items": [], "next": self.head + 50, "place": place})

    def test_an_event_that_changes_nothing_answers_nobody(self):
        _, _, page = self.poll_meanwhile(self.head, 1, lambda: self.d.send([registered(100001)]))
        self.assertEqual(page["items"], [])

    def test_it_sees_every_entry_once_however_they_come(self):
        seen, after = [], self.head
        for number in range(20):
            send = given if number % 2 == 0 else withdrawn
            moment = f"2025-09-10T10:{number:02}:00Z"
            connection, _ = self.begin(after, 60)
            self.d.send([send(f"e{number}", time=moment)])
            page = Answer(connection.getresponse()).json()
            seen += page["items"]
            after = page["next"]
        whole = self.d.request("GET", f"/v1/changes?after={self.head}").json()
        self.assertEqual(seen, whole["items"])

    def test_a_stop_releases_those_who_wait(self):
        took, status, page = self.poll_meanwhile(self.head, 60, lambda: self.assertEqual(self.d.stop(), 0))
        self.assertEqual((status, page["items"]), (200, []))
        self.assertLess(took, 50)

    def test_wrong_parameters_are_400(self):
        for query in ("wait=0", "wait=61", "wait=long", "wait=1&after=x", "wait=1&limit=0", "wait=1&aftr=1"):
            self.assertEqual(self.d.request("GET", "/v1/changes?" + query).status, 400, query)

    def test_a_peer_that_goes_away_while_it_waits_does_no_harm(self):
        for _ in range(50):
            connection = self.d.connection()
            connection.request("GET", f"/v1/changes?after={self.head}&wait=60")
            connection.close()
        self.d.send([given("g1")])
        self.assertEqual(self.d.request("GET", "/livez").status, 200)
        self.assertEqual(self.d.stop(), 0, self.d.log())


class Streams(Live):
    def test_a_watcher_sees_at_once_what_another_sends_and_why(self):
        stream = self.stream(after=self.head)
        self.assertEqual(stream.status, 200)
        self.assertEqual(stream.headers["Content-Type"], "text/event-stream")

        def attempt():
            known, toggle = len(stream.seen), self.toggle()
            began = time.monotonic()
            self.d.send([toggle])
            whole = self.after(self.head)
            seen = stream.await_count(len(whole))
            self.assertEqual([entry for _, _, entry in seen], whole)
            self.assertEqual([id for _, id, _ in seen], [e["data"]["seq"] for _, _, e in seen])
            for _, _, entry in seen[known:]:
                self.assertEqual(entry["data"]["cause"]["events"], [{"source": "urn:test", "id": toggle["id"]}])
            return seen[-1][0] - began
        one_is_quick(attempt, SOON_S)

    def test_last_event_id_resumes_without_gap_or_repeat(self):
        self.d.send([given("g1")])
        whole = self.d.request("GET", "/v1/changes").json()["items"]
        seen = self.stream().await_count(len(whole))
        self.assertEqual([entry for _, _, entry in seen], whole)
        middle = len(whole) // 2
        resumed = self.stream(after=0, last=middle).await_count(len(whole) - middle)
        self.assertEqual([entry for _, _, entry in resumed], whole[middle:])

    def test_many_watchers_see_the_same(self):
        streams = [self.stream(after=self.head) for _ in range(40)]
        self.d.send([given("g1")])
        self.d.send([withdrawn("w1", time="2025-09-11T00:00:00Z")])
        whole = self.d.request("GET", f"/v1/changes?after={self.head}").json()["items"]
        for stream in streams:
            self.assertEqual([entry for _, _, entry in stream.await_count(len(whole))], whole)

    def test_a_long_feed_comes_in_pages_and_in_order(self):
        self.d.send([registered(200000 + n) for n in range(300)])
        head = self.d.request("GET", "/v1/changes?limit=10000").json()["next"]
        seen = self.stream().await_count(head)
        self.assertEqual([id for _, id, _ in seen], list(range(1, head + 1)))

    def test_a_stop_ends_them(self):
        streams = []
        self.assert_stops(lambda: streams.append(self.stream(after=self.head)))
        for stream in streams:
            stream.thread.join(PATIENCE_S)
            self.assertTrue(stream.has_ended)

    def test_who_does_not_read_holds_up_neither_the_others_nor_a_stop(self):
        with socket.create_connection(("127.0.0.1", self.d.port)) as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            idle.sendall(b"GET /v1/changes HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            for batch in range(10):
                self.d.send([registered(200000 + 300 * batch + n) for n in range(300)])
            stream = self.stream(after=self.head)
            self.assertGreater(len(stream.await_count(6000)), 5999)
            self.assertEqual(self.d.stop(), 0, self.d.log())

    def test_wrong_use_is_told(self):
        for query, headers in (("?after=x", {}), ("?limit=3", {}), ("", {"Last-Event-ID": "x"})):
            answer = self.d.request("GET", "/v1/changes" + query, headers={"Accept": "text/event-stream"} | headers)
            self.assertEqual(answer.status, 400, query)
        self.assertEqual(self.d.request("GET", "/v1/changes", headers={"Accept": "text/html"}).status, 406)
        self.assertEqual(self.d.request("HEAD", "/v1/changes", headers={"Accept": "text/event-stream"}).status, 200)


class RealClock(Live):
    """What time changes is seen as it does. An event that lies just ahead stands in for a midnight."""

    options = {"now": None}

    def test_a_watcher_sees_what_a_moment_changes(self):
        stream = self.stream(after=self.head)

        def committed(entries):
            return [e for e in entries if e["data"]["decision"] == "committed"]

        def attempt():
            known = self.d.request("GET", "/v1/changes?limit=10000").json()["next"]
            ahead = datetime.now(timezone.utc) + timedelta(seconds=2)
            self.d.send([self.toggle(time=stamp(ahead))])
            early = committed(self.after(known))
            was_ahead = datetime.now(timezone.utc) < ahead  # not so where the machine took longer than that
            if was_ahead:
                self.assertEqual(early, [])
            while not committed(self.after(known)):
                time.sleep(0.05)
            seen = stream.await_count(len(self.after(self.head)))
            place = next(i for i, (_, id, e) in enumerate(seen) if id > known and committed([e]))
            if not was_ahead:
                return SOON_S + 1  # try again
            late = (stream.clock[place] - ahead).total_seconds()
            self.assertGreaterEqual(late, -0.01)
            cause = seen[place][2]["data"]["cause"]
            self.assertEqual((cause["moment"], cause["generation"]), (stamp(ahead), None))
            return late
        one_is_quick(attempt, SOON_S)


class Follow(Live):
    def follow(self, *arguments):
        process = subprocess.Popen([binary("pathway"), "changes", "--follow", *map(str, arguments)], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=os.environ | {"PATHWAY_URL": f"unix:{self.d.socket}"})
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_each_entry_is_a_line_with_its_cause(self):
        process = self.follow("--after", self.head)
        known = [self.head]

        def attempt():
            toggle, began = self.toggle(), time.monotonic()
            self.d.send([toggle])
            line = process.stdout.readline()
            took = time.monotonic() - began
            self.assertRegex(line, rf"^{known[0] + 1}  2026-11-21T09:00:00Z  school/100001  \w+: .* -> .*"
                                   rf"  because of {toggle['id']} of urn:test$")
            entries = self.after(known[0])
            for _ in entries[1:]:
                process.stdout.readline()
            known[0] += len(entries)
            return took
        one_is_quick(attempt, SOON_S)

    def test_json_is_an_entry_a_line_and_survives_a_restart(self):
        process = self.follow("--json", "--after", self.head)
        self.d.send([given("g1")])
        first = json.loads(process.stdout.readline())
        self.assertEqual(first, self.d.request("GET", f"/v1/changes?after={self.head}").json()["items"][0])
        self.d.stop()
        self.assertIn("trying again", process.stderr.readline())
        self.d.start()
        self.d.send([withdrawn("w1", time="2025-09-11T00:00:00Z")])
        whole = self.d.request("GET", f"/v1/changes?after={self.head}").json()["items"]
        seen = [first] + [json.loads(process.stdout.readline()) for _ in whole[1:]]
        self.assertEqual(seen, whole)

    def test_a_database_can_be_followed_too(self):
        process = self.follow("--database", self.d.database, "--json", "--after", self.head)
        self.d.send([given("g1")])
        self.assertEqual(json.loads(process.stdout.readline())["data"]["seq"], self.head + 1)


if __name__ == "__main__":
    unittest.main()
