"""What goes over the wire: requests that two readers could read differently, limits, tags, compression, time."""

import gzip
import json
import re
import socket
import unittest

from daemon import PATIENCE_S, Daemon, Impatient, event, registered
from support import await_true

EVENT = json.dumps(registered(100001)).encode()
CLOUD = "Content-Type: application/cloudevents+json\r\n"


def parse(raw):
    """The answers in these bytes: (status, headers, body)."""
    out = []
    while raw:
        head, _, raw = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        out.append((int(lines[0].split(" ")[1]), headers, raw[:length]))
        raw = raw[length:]
    return out


def is_whole(raw, count):
    """Are so many answers in these bytes, all of the last one too?"""
    head, _, body = raw[raw.rfind(b"HTTP/1.1 "):].partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
    return raw.count(b"HTTP/1.1 ") == count and length and len(body) >= int(length[1])


class Wire(unittest.TestCase):
    options = {}
    daemon = Daemon

    @classmethod
    def setUpClass(cls):
        cls.d = cls.daemon(**cls.options).start()
        cls.d.send([registered(100000 + i, f"School number {i}") for i in range(60)])

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def raw(self, text, count=None):
        """The answers; when it is known how many, it is waited for them."""
        return parse(self.d.raw(text.encode(), count and (lambda out: is_whole(out, count))))

    def assert_problem(self, answer, status, *words):
        self.assertEqual(answer[0], status, answer)
        self.assertEqual(answer[1]["content-type"], "application/problem+json", answer)
        problem = json.loads(answer[2])
        self.assertEqual(problem["status"], status)
        for word in words:
            self.assertIn(word, problem["detail"])


class Smuggling(Wire):
    """Each is refused with a problem, and the connection closed: what follows is not read as a request."""

    FOLLOWER = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

    def refused(self, headers, body, *words):
        answers = self.raw(f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{CLOUD}{headers}\r\n{body}{self.FOLLOWER}")
        self.assert_problem(answers[0], 400, *words)
        self.assertEqual(len(answers), 1, "the request behind it was answered")
        self.assertEqual(answers[0][1].get("connection", "").lower(), "close")

    def test_two_lengths(self):
        self.refused("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", "both")

    def test_a_length_twice(self):
        self.refused("Content-Length: 2\r\nContent-Length: 2\r\n", "{}", "more than once")
        self.refused("Content-Length: 2\r\nContent-Length: 60\r\n", "{}", "more than once")

    def test_a_length_that_is_none(self):
        for length in ("+2", "0x2", "2,2", "-1", "2 2"):
            answers = self.raw(f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{CLOUD}Content-Length: {length}\r\n\r\n{{}}"
                               + self.FOLLOWER)
            self.assert_problem(answers[0], 400)
            self.assertEqual(len(answers), 1, length)

    def test_encodings(self):
        self.refused("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", "chunked, and nothing else")
        self.refused("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", "more than once")

    def test_names_that_are_none(self):
        for name in ("Content-Length ", "Content Length", "A(b)", "Ä"):
            answers = self.raw(f"GET /v1/hubs HTTP/1.1\r\nHost: x\r\n{name}: 1\r\n\r\n{self.FOLLOWER}")
            self.assert_problem(answers[0], 400)
            self.assertEqual(len(answers), 1, name)

    def test_hosts(self):
        answers = self.raw(f"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n{self.FOLLOWER}")
        self.assert_problem(answers[0], 400, "Host more than once")
        self.assertEqual(len(answers), 1)


class Problems(Wire):
    options = {"http": "max_header = 2048\nmax_body = 65536"}

    def test_what_the_library_refuses_is_a_problem_too(self):
        for text in ("GET /livez HTTP/1.1\r\n\r\n", "GET /livez HTTP/3.7\r\nHost: x\r\n\r\n", "GARBAGE\r\n\r\n",
                     "GET\r\n\r\n", f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{CLOUD}Transfer-Encoding: chunked\r\n\r\nzz\r\n"):
            answers = self.raw(text)
            for answer in answers:
                self.assertGreaterEqual(answer[0], 400, text)
                self.assert_problem(answer, answer[0])
        self.assert_problem(self.raw("GET /livez HTTP/1.1\r\n\r\n")[0], 400)

    def test_headers_that_are_too_large(self):
        self.assert_problem(self.raw(f"GET /livez HTTP/1.1\r\nHost: x\r\nA: {'a' * 2100}\r\n\r\n")[0], 431, "2048")
        for answer in self.raw(f"GET /livez HTTP/1.1\r\nHost: x\r\nA: {'a' * 50000}\r\n\r\n"):
            self.assert_problem(answer, answer[0])
        for answer in self.raw(f"GET /{'a' * 50000} HTTP/1.1\r\nHost: x\r\n\r\n"):
            self.assert_problem(answer, answer[0])
        self.assertEqual(self.d.request("GET", "/livez").status, 200)

    def test_every_refusal_is_a_problem(self):
        json_type = {"Content-Type": "application/json"}
        for status, method, path, body, headers in (
                (404, "GET", "/nowhere", None, {}), (404, "GET", "/v1/schools/1/2/3", None, {}),
                (405, "POST", "/v1/schools", "x", {}), (405, "PATCH", "/livez", None, {}),
                (406, "GET", "/v1/schools", None, {"Accept": "image/png"}),
                (406, "GET", "/v1/changes", None, {"Accept": "text/csv"}),
                (406, "PUT", "/v1/people/p-1", "{}", json_type | {"Accept": "text/html"}),
                (413, "POST", "/v1/events", "x" * 70000, {"Content-Type": "application/x-ndjson"}),
                (415, "POST", "/v1/events", "x", {"Content-Type": "text/plain"}),
                (415, "PUT", "/v1/people/p-1", "{}", {}),
                (415, "PUT", "/v1/people/p-1", "{}", {"Content-Type": "application/json; charset=latin1"}),
                (415, "POST", "/v1/events", "x", {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}),
                (400, "GET", "/v1/schools?limit=0", None, {}), (404, "GET", "/v1/schools/999999", None, {}),
                (404, "GET", "/v1/rules/two_leds", None, {})):
            answer = self.d.request(method, path, body, headers)
            self.assertEqual(answer.status, status, (method, path, answer.text()))
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
            self.assertEqual(answer.json()["status"], status)
        self.assertIn('did you mean "two_leads"', self.d.request("GET", "/v1/rules/two_leds").json()["detail"])
        answer = self.raw(f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{CLOUD}\r\n")[0]
        self.assert_problem(answer, 411, "Content-Length")

    def test_405_names_what_is_allowed(self):
        answer = self.d.request("DELETE", "/v1/schools")
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD, OPTIONS"))
        answer = self.d.request("OPTIONS", "/v1/people/p-1")
        self.assertEqual((answer.status, answer.headers["Allow"]), (204, "GET, HEAD, PUT, DELETE, OPTIONS"))


class Filters(Wire):
    def refusal(self, query):
        answer = self.d.request("GET", "/v1/schools?" + query)
        self.assertEqual(answer.status, 400, answer.text())
        return answer.json()["detail"]

    def test_a_value_that_can_not_be_is_refused_with_the_nearest(self):
        self.assertIn('did you mean "building"', self.refusal("pathway_phase=buildng"))
        self.assertIn('did you mean "true"', self.refusal("committed=tru"))
        self.assertIn("true or false", self.refusal("is_open=yes"))
        self.assertIn("true or false", self.refusal("is_primary=1"))
        self.assertIn("expected a number", self.refusal("areas_secure=five"))
        self.assertIn('did you mean "not_assessed"', self.refusal("readiness_school_systems=not_asessed"))
        self.assertIn('did you mean "two_leads"', self.refusal("two_leds=true"))

    def test_one_that_can_be_gives_an_empty_list(self):
        for query in ("pathway_phase=refinement", "is_open=false", "areas_secure=5", "development_year=2030/31", "hub=99",
                      "readiness_school_systems=secure", "succeeded_by=school/1", "last_contact=2025-01-01"):
            answer = self.d.request("GET", "/v1/schools?" + query)
            self.assertEqual((answer.status, answer.json()["items"]), (200, []), query)

    def test_cursors_are_stable(self):
        seen, after = [], ""
        for number in range(60):
            page = self.d.request("GET", f"/v1/schools?limit=7{after}").json()
            seen += [s["urn"] for s in page["items"]]
            self.d.send([event("commitment.given", f"school/{100000 + number}", id=f"c{number}")])
            if not page["next"]:
                break
            after = "&after=" + page["next"]
        self.assertEqual(seen, [str(100000 + i) for i in range(60)])

    def test_the_feed_can_be_filtered(self):
        self.d.send([event("commitment.given", "school/100003", id="f1"), event("lead.named", "school/100003",
                                                                                {"teacher": "a"}, id="f2"),
                     event("lead.named", "school/100003", {"teacher": "b"}, id="f3")])
        whole = self.d.request("GET", "/v1/changes?limit=10000").json()
        for query, keep in (("decision=two_leads", lambda e: e["data"]["decision"] == "two_leads"),
                            ("subject=school/100003", lambda e: e["subject"] == "school/100003"),
                            ("hub=07", lambda e: e["data"]["hub"] == "07"), ("hub=08", lambda e: False)):
            page = self.d.request("GET", "/v1/changes?limit=10000&" + query).json()
            self.assertEqual(page["items"], [e for e in whole["items"] if keep(e)], query)
            self.assertEqual((page["next"], page["seq"]), (whole["seq"], whole["seq"]))
        self.assertIn('did you mean "two_leads"',
                      self.d.request("GET", "/v1/changes?decision=two_led").json()["detail"])


class Tags(Wire):
    def test_what_is_there_already_is_not_sent_again(self):
        first = self.d.request("GET", "/v1/schools")
        tag = first.headers["ETag"]
        self.assertRegex(tag, r'^"[0-9a-f]{32}"$')
        self.assertIn("no-cache", first.headers["Cache-Control"])
        for known in (tag, "*", f'"x", {tag}', "W/" + tag):
            again = self.d.request("GET", "/v1/schools", headers={"If-None-Match": known})
            self.assertEqual((again.status, again.body, again.headers["ETag"]), (304, b"", tag), known)
        self.assertEqual(self.d.request("GET", "/v1/schools", headers={"If-None-Match": '"x"'}).status, 200)
        self.d.send([event("commitment.given", "school/100059", id="tag")])
        changed = self.d.request("GET", "/v1/schools", headers={"If-None-Match": tag})
        self.assertEqual(changed.status, 200)
        self.assertNotEqual(changed.headers["ETag"], tag)

    def test_head_is_get_without_the_body(self):
        get, head = self.d.request("GET", "/v1/schools"), self.d.request("HEAD", "/v1/schools")
        self.assertEqual(head.body, b"")
        for name in ("Content-Length", "Content-Type", "ETag", "Vary"):
            self.assertEqual(head.headers[name], get.headers[name], name)

    def test_a_school_that_is_asked_for_again_is_told_the_same_until_something_happens(self):
        path, packs = "/v1/schools/100058", {"Accept-Encoding": "gzip"}
        first = self.d.request("GET", path)
        for turn in range(3):
            again, packed = self.d.request("GET", path), self.d.request("GET", path, headers=packs)
            self.assertEqual((again.status, again.body), (200, first.body))
            for name in ("ETag", "Content-Type", "Cache-Control", "Vary", "Content-Length", "X-Content-Type-Options"):
                self.assertEqual(again.headers[name], first.headers[name], name)
            self.assertEqual((packed.headers["Content-Encoding"], gzip.decompress(packed.body)), ("gzip", first.body))
            self.assertEqual(self.d.request("HEAD", path).body, b"")
            self.assertEqual(self.d.request("GET", path, headers={"If-None-Match": first.headers["ETag"]}).status, 304)
            self.assertEqual(self.d.request("GET", path, headers={"Accept": "text/html"}).status, 406)
        seen = {first.body}
        for id in ("again-1", "again-2", "again-3"):
            self.d.send([event("lead.named", "school/100058", {"teacher": id}, id=id)])
            body = self.d.request("GET", path).body
            self.assertNotIn(body, seen)
            seen.add(body)

    def test_it_comes_compressed_to_who_can_unpack_it(self):
        plain = self.d.request("GET", "/v1/schools")
        for wish in ("gzip", "br;q=1, gzip;q=0.5", "*"):
            packed = self.d.request("GET", "/v1/schools", headers={"Accept-Encoding": wish})
            self.assertEqual(packed.headers["Content-Encoding"], "gzip", wish)
            self.assertEqual(gzip.decompress(packed.body), plain.body)
            self.assertLess(len(packed.body), len(plain.body) / 2)
            self.assertEqual(packed.headers["ETag"], plain.headers["ETag"][:-1] + '-gz"')
        for wish in ("identity", "gzip;q=0", "br", ""):
            self.assertIsNone(self.d.request("GET", "/v1/schools", headers={"Accept-Encoding": wish})
                              .headers["Content-Encoding"], wish)
        self.assertIsNone(self.d.request("GET", "/livez", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"])
        known = self.d.request("GET", "/v1/schools", headers={"Accept-Encoding": "gzip",
                                                              "If-None-Match": plain.headers["ETag"]})
        self.assertEqual(known.status, 304)

    def test_a_large_one_is_compressed_as_it_leaves(self):
        many = [event("lead.named", f"school/{100000 + i % 60}", {"teacher": f"teacher-{i}"}, id=f"large{i}")
                for i in range(3000)]
        self.d.send(many)
        plain = self.d.request("GET", "/v1/export/events?format=ndjson")
        self.assertGreater(len(plain.body), 256 * 1024)
        packed = self.d.request("GET", "/v1/export/events?format=ndjson", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(gzip.decompress(packed.body), plain.body)


class Patience(Wire):
    options = {"http": "patience = 1\nmax_connections = 20"}
    daemon = Impatient

    def assert_served(self):
        self.assertEqual(self.d.request("GET", "/livez").status, 200)

    def cut(self):
        text = self.d.request("GET", "/metrics").text()
        return sum(int(line.split()[-1]) for line in text.splitlines() if line.startswith("pathwayd_http_cut_total"))

    def test_silent_and_slow_ones_are_cut_off_and_others_served(self):
        before = self.cut()
        slow = [socket.create_connection(("127.0.0.1", self.d.port), timeout=50) for _ in range(10)]
        for i, s in enumerate(slow):
            if i % 2:
                s.sendall(b"GET /livez HTTP/1.1\r\nHos")
            self.addCleanup(s.close)
        half = socket.create_connection(("127.0.0.1", self.d.port), timeout=50)
        self.addCleanup(half.close)
        half.sendall(f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{CLOUD}Content-Length: 500\r\n\r\n{{".encode())
        self.assert_served()
        for s in slow + [half]:
            while s.recv(1000):  # until its end, which nobody else brings about: by itself a peer is cut off after a minute
                pass
        await_true(lambda: self.cut() >= before + 11, self.d.log)

    def test_a_byte_now_and_then_does_not_help(self):
        with socket.create_connection(("127.0.0.1", self.d.port), timeout=PATIENCE_S) as s:
            s.settimeout(0.2)
            for _ in range(300):
                try:
                    s.sendall(b"a")
                    if s.recv(100) == b"":
                        break
                except TimeoutError:
                    pass
                except OSError:
                    break
            else:
                self.fail("a peer that sends a byte now and then is never cut off")

    def test_more_than_may_come_wait_for_their_turn(self):
        taken = [socket.create_connection(("127.0.0.1", self.d.port), timeout=PATIENCE_S) for _ in range(40)]
        try:
            self.assert_served()  # when some have been cut off
        finally:
            for s in taken:
                s.close()

    def test_requests_one_behind_the_other_are_answered_in_order(self):
        text = "".join(f"GET /v1/schools/{100000 + i} HTTP/1.1\r\nHost: x\r\n\r\n" for i in range(20))
        answers = await_true(lambda: self.raw(text, 20))  # none: it was cut off before it had said a word
        self.assertEqual([json.loads(body)["urn"] for _, _, body in answers], [str(100000 + i) for i in range(20)])

    def test_those_who_go_in_the_middle_do_no_harm(self):
        for text in ("GET /v1/sch", "GET /v1/schools HTTP/1.1\r\nHost: x\r\n\r\n",
                     f"POST /v1/events HTTP/1.1\r\nHost: x\r\n{CLOUD}Content-Length: {len(EVENT)}\r\n\r\n{{",
                     "GET /v1/changes HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"):
            for _ in range(10):
                with socket.create_connection(("127.0.0.1", self.d.port), timeout=PATIENCE_S) as s:
                    s.sendall(text.encode())
        self.assert_served()


class Configuration(unittest.TestCase):
    def test_limits_that_are_none_are_told(self):
        for line, told in (("patience = 0", "patience is '0'"), ("max_header = big", "max_header is 'big'"),
                           ("certificate = /x", "'key' is missing"), ("heartbeat = -1", "heartbeat")):
            d = Daemon(http=line)
            self.addCleanup(d.close)
            d.start(wait=False)
            self.assertEqual(d.process.wait(PATIENCE_S), 1)
            self.assertIn(told, d.log())


if __name__ == "__main__":
    unittest.main()
