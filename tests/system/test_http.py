"""The HTTP plugin of the real daemon: routes, errors, limits, signals."""

import json
import os
import signal
import socket
import stat
import subprocess
import threading
import unittest
from pathlib import Path

from daemon import PATIENCE_S, Daemon, binary, event, registered

ONE = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
LINES = {"Content-Type": "application/x-ndjson"}


def lead(id, teacher="t1", **more):
    return event("lead.named", "school/100001", {"teacher": teacher}, id=id, **more)


class HttpTest(unittest.TestCase):
    """One daemon for the class; tests use ids and keys of their own."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(**cls.options).start()
        cls.d.send([registered(100001, "Ash Primary"), registered(100002, "Birch Primary", hub="08")])

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def post(self, body, headers=ONE, query=""):
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.d.request("POST", "/v1/events" + query, body, headers)

    def assert_problem(self, answer, status, *words):
        self.assertEqual(answer.status, status, answer.text())
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        problem = answer.json()
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["type"] and problem["title"])
        for word in words:
            self.assertIn(word, problem["detail"])


class Events(HttpTest):
    def test_a_single_event_is_accepted_once(self):
        first, again = self.post(lead("once")), self.post(lead("once"))
        self.assertEqual((first.status, again.status), (200, 200))
        self.assertEqual(first.json(), {"accepted": 1, "duplicate": 0, "conflict": 0, "invalid": 0, "results": []})
        self.assertEqual(again.json()["duplicate"], 1)
        self.assertEqual(again.json()["results"][0]["status"], "duplicate")

    def test_a_conflicting_single_event_is_409(self):
        self.post(lead("twice"))
        self.assert_problem(self.post(lead("twice", "t2")), 409, "twice")

    def test_an_invalid_single_event_is_400_and_names_the_field(self):
        self.assert_problem(self.post(lead("bad") | {"data": {"teecher": "t1"}}), 400, "data")
        self.assert_problem(self.post("{not json"), 400)
        self.assert_problem(self.post(lead("bad") | {"type": "lead.namd"}), 400, "lead.named")

    def test_a_batch_goes_on_past_what_no_number_or_name_can_be(self):
        bad = json.dumps(lead("n1") | {"type": "school.changed", "data": {"pupils": 77}})
        twice, deep = bad.replace("77", '1, "pupils": 2'), bad.replace("77", "[" * 80 + "]" * 80)
        body = (f"[{json.dumps(lead('n2'))},\n {bad.replace('77', '9223372036854775808')}, {bad.replace('77', '1e309')},\n"
                f"{twice},{deep},{json.dumps(lead('n3'))}]")
        answer = self.post(body, BATCH)
        self.assertEqual(answer.status, 200, answer.text())
        told = answer.json()
        self.assertEqual((told["accepted"], told["invalid"]), (2, 4))
        self.assertEqual([r["index"] for r in told["results"]], [1, 2, 3, 4])
        for result, said in zip(told["results"], (
                '"pupils" is 9223372036854775808: a whole number beyond 64 bits', '"pupils" is 1e309: a number beyond',
                "line 3, ", "deeper than 64 levels")):
            self.assertIn(said, result["detail"])
        self.assertRegex(told["results"][0]["detail"], r"^line 2, column \d+ ")
        self.assert_problem(self.post(body[:-1], BATCH), 400)

    def test_a_batch_goes_on_past_invalid_events(self):
        answer = self.post([lead("b1"), {}, lead("b2"), lead("b1")], BATCH)
        self.assertEqual(answer.status, 200)
        told = answer.json()
        self.assertEqual((told["accepted"], told["duplicate"], told["invalid"]), (2, 1, 1))
        self.assertEqual([r["index"] for r in told["results"]], [1, 3])
        self.assertNotIn("seq", told["results"][0])

    def test_results_all_lists_the_accepted_too(self):
        body = json.dumps(lead("l1")) + "\n\nno json\n" + json.dumps(lead("l2"))
        told = self.post(body, LINES, "?results=all").json()
        self.assertEqual([r["status"] for r in told["results"]], ["accepted", "invalid", "accepted"])
        self.assertIn("line 3", told["results"][1]["detail"])
        self.assertLess(told["results"][0]["seq"], told["results"][2]["seq"])

    def test_a_broken_array_takes_nothing(self):
        self.assert_problem(self.post("[" + json.dumps(lead("x1")) + ",", BATCH), 400)
        self.assert_problem(self.post(lead("x1"), BATCH), 400, "array")
        self.assertEqual(self.post(lead("x1")).json()["accepted"], 1)

    def test_empty_requests_are_fine_where_that_means_none(self):
        self.assertEqual(self.post("[]", BATCH).json()["accepted"], 0)
        self.assertEqual(self.post("", LINES).json()["accepted"], 0)
        self.assert_problem(self.post(""), 400)

    def test_other_content_types_are_415_with_advice(self):
        for kind in ("application/json", "text/plain", "application/cloudevents+json; charset=latin1"):
            self.assert_problem(self.post(lead("t"), {"Content-Type": kind}), 415, "application/cloudevents+json")
        self.assert_problem(self.post(lead("t"), ONE | {"Content-Encoding": "gzip"}), 415)

    def test_a_charset_of_utf_8_is_allowed(self):
        kind = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
        self.assertEqual(self.post(lead("charset"), kind).json()["accepted"], 1)

    def binary(self, id, body='{"teacher": "t1"}', **more):
        headers = {"ce-specversion": "1.0", "ce-type": "lead.named", "ce-time": "2025-09-10T10:00:00Z",
                   "ce-id": id, "ce-source": "urn:test", "ce-subject": "school/100001",
                   "Content-Type": "application/json"}
        return self.post(body, headers | {k.replace("_", "-"): v for k, v in more.items()})

    def test_binary_mode_is_the_same_event(self):
        self.assertEqual(self.binary("bin").json()["accepted"], 1)
        for same in (lead("bin"), lead("bin") | {"datacontenttype": "application/json"}):
            self.assertEqual(self.post(same).json()["duplicate"], 1)

    def test_binary_mode_decodes_percent_signs(self):
        self.assertEqual(self.binary("caf%C3%A9%20%22x%22").json()["accepted"], 1)
        self.assertEqual(self.post(lead('café "x"')).json()["duplicate"], 1)
        self.assert_problem(self.binary("100%"), 400, "percent")

    def test_a_binary_body_stays_inside_the_data(self):
        self.assert_problem(self.binary("out", '{"teacher":"t1"},"subject":"school/100002"'), 400, "data")
        self.assert_problem(self.binary("out", '["t1"]'), 400, "data")
        self.assert_problem(self.binary("out", '{"teacher":}'), 400)

    def test_many_senders_at_once_all_get_their_own_answer(self):
        told = {}

        def send(n):
            connection = self.d.connection()
            for i in range(20):
                connection.request("POST", "/v1/events", json.dumps(lead(f"m{n}-{i % 15}")), ONE)
                told[n, i] = json.loads(connection.getresponse().read())
            connection.close()

        threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for (_, i), answer in told.items():
            self.assertEqual(answer["accepted" if i < 15 else "duplicate"], 1)
        self.assertEqual(len(told), 160)


class Limits(HttpTest):
    options = {"daemon": "max_event = 2K\nmax_events = 50\nmax_body = 64K"}

    def test_too_many_events(self):
        self.assert_problem(self.post([lead(f"n{i}") for i in range(51)], BATCH), 413, "50")
        self.assertEqual(self.post([lead(f"n{i}") for i in range(50)], BATCH).json()["accepted"], 50)

    def test_too_large_an_event(self):
        self.assert_problem(self.post(lead("long", comment="x" * 3000)), 413, "2048")

    def test_too_deep_an_event(self):
        self.assert_problem(self.post("[" * 70 + "]" * 70), 413)

    def test_a_body_announced_too_large_is_refused_unread(self):
        head = b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
        answer = self.d.raw(head + b"Content-Length: 70000\r\n\r\n")
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])
        self.assertIn(b"application/problem+json", answer)

    def test_who_sends_a_large_body_all_the_same_hears_why_not(self):
        self.assert_problem(self.post(b"x" * 17_000_000, LINES), 413, "65536")

    def test_a_chunked_body_too_large_is_refused(self):
        pieces = [b"\n" * 10000] * 8
        answer = self.d.request("POST", "/v1/events", iter(pieces), LINES)  # chunked
        self.assert_problem(answer, 413, "65536")

    def test_a_chunked_body_within_the_limit_is_taken(self):
        text = json.dumps(lead("chunked")).encode()
        answer = self.d.request("POST", "/v1/events", iter([text[:50], text[50:]]), ONE)
        self.assertEqual(answer.json()["accepted"], 1)

    def test_two_lengths_are_refused_and_the_connection_closed(self):
        answer = self.d.raw(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b" 400 ", answer.split(b"\r\n")[0])
        self.assertEqual(answer.count(b"HTTP/1.1"), 1)

    def test_rubbish_does_no_harm(self):
        for data in (b"\x00\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET /" + b"x" * 60000 + b" HTTP/1.1\r\n\r\n"):
            self.d.raw(data)
        self.assertEqual(self.d.request("GET", "/livez").status, 200)


class Questions(HttpTest):
    def test_a_list_can_be_filtered(self):
        page = self.d.request("GET", "/v1/schools?hub=07").json()
        self.assertEqual([i["subject"] for i in page["items"]], ["school/100001"])
        self.assertIn("seq", page)
        self.assertIsNone(page["next"])
        page = self.d.request("GET", "/v1/schools?pathway_phase=none&limit=1").json()
        self.assertEqual(len(page["items"]), 1)
        self.assertIsNotNone(page["next"])
        page = self.d.request("GET", "/v1/schools?pathway_phase=building").json()
        self.assertEqual(page["items"], [])

    def test_a_page_leads_to_the_next(self):
        first = self.d.request("GET", "/v1/schools?limit=1").json()
        second = self.d.request("GET", f"/v1/schools?limit=1&after={first['next']}").json()
        self.assertEqual([first["items"][0]["urn"], second["items"][0]["urn"]], ["100001", "100002"])

    def test_hubs_are_those_that_schools_belong_to(self):
        def page(query=""):
            found = self.d.request("GET", f"/v1/hubs?{query}").json()
            return [item["subject"] for item in found["items"]], found["next"]

        row = {"subject": "hub/07", "code": "07", "name": None, "hub": "07", "decisions": {}}
        self.assertIn(row, self.d.request("GET", "/v1/hubs").json()["items"])
        subjects, following = page()
        self.assertLessEqual({"hub/07", "hub/08"}, set(subjects))
        self.assertEqual((subjects, following), (sorted(subjects), None))
        self.assertEqual(page("limit=1"), (subjects[:1], subjects[0]))
        self.assertEqual(page(f"limit=1000&after={subjects[0]}"), (subjects[1:], None))
        self.assertEqual(page(f"limit={len(subjects)}"), (subjects, None))
        self.assertEqual(page("hub=08"), (["hub/08"], None))
        self.assertEqual(page("q=8")[0], [subject for subject in subjects if "8" in subject])
        self.assertEqual(page("at=2010-01-01"), ([], None))
        self.assert_problem(self.d.request("GET", "/v1/hubs?limit=0"), 400, "limit")
        self.assert_problem(self.d.request("GET", "/v1/hubs?pathway_faze=none"), 400, "pathway_faze")

    def test_a_subject_has_facts_and_decisions(self):
        school = self.d.request("GET", "/v1/schools/100001").json()
        self.assertEqual(school["subject"], "school/100001")
        self.assertIs(school["decisions"]["is_open"]["value"], True)
        self.assertIn("facts", school)

    def test_unknown_things_are_404(self):
        self.assert_problem(self.d.request("GET", "/v1/schools/999999"), 404, "999999")
        self.assert_problem(self.d.request("GET", "/v1/groups/nowhere"), 404)
        self.assert_problem(self.d.request("GET", "/nowhere"), 404)
        self.assert_problem(self.d.request("GET", "/v1/export/everything"), 404)
        self.assert_problem(self.d.request("GET", "/v1/schools/100001%00x"), 404)

    def test_wrong_parameters_are_400(self):
        for query in ("at=yesterday", "hub=1&hub=2", "q=%zz", "limit=many"):
            self.assert_problem(self.d.request("GET", "/v1/schools?" + query), 400)
        self.assert_problem(self.d.request("GET", "/v1/schools/100001?att=2025-01-01"), 400)

    def test_the_feed_continues_after_a_number(self):
        self.d.send([event("commitment.given", "school/100001", time="2025-10-01T09:00:00Z")])
        feed = self.d.request("GET", "/v1/changes").json()
        self.assertIn("committed", [e["data"]["decision"] for e in feed["items"]])
        rest = self.d.request("GET", f"/v1/changes?after={feed['items'][0]['data']['seq']}").json()
        self.assertEqual(rest["items"], feed["items"][1:])

    def test_exports_come_as_csv_or_ndjson(self):
        answer = self.d.request("GET", "/v1/export/decisions?names=is_open")
        self.assertTrue(answer.headers["Content-Type"].startswith("text/csv"))
        lines = answer.text().splitlines()
        self.assertEqual(lines[0], "subject,decision,value")
        self.assertIn("school/100001,is_open,true", lines)
        for wish in ({"path": "?format=ndjson"}, {"headers": {"Accept": "application/x-ndjson"}}):
            answer = self.d.request("GET", "/v1/export/events" + wish.get("path", ""),
                                    headers=wish.get("headers"))
            self.assertEqual(answer.headers["Content-Type"], "application/x-ndjson")
            self.assertEqual(json.loads(answer.text().splitlines()[0])["subject"], "school/100001")
        self.assertEqual(self.d.request("GET", "/v1/export/changes").status, 200)
        self.assert_problem(self.d.request("GET", "/v1/export/decisions?format=xml"), 400)
        self.assert_problem(self.d.request("GET", "/v1/export/decisions", headers={"Accept": "text/html"}), 406)

    def test_people_are_kept_and_erased(self):
        kind = {"Content-Type": "application/json"}
        self.assertEqual(self.d.request("PUT", "/v1/people/t9", '{"name": "Ada"}', kind).status, 200)
        self.assertIn("Ada", self.d.request("GET", "/v1/people/t9").text())
        self.assertEqual(self.d.request("DELETE", "/v1/people/t9").status, 200)
        self.assert_problem(self.d.request("GET", "/v1/people/t9"), 404)
        self.assert_problem(self.d.request("DELETE", "/v1/people/t9"), 404)
        self.assert_problem(self.d.request("PUT", "/v1/people/t9", "{}},", kind), 400)
        self.assert_problem(self.d.request("PUT", "/v1/people/t9", "{}", ONE), 415)

    def test_status_and_health(self):
        status = self.d.request("GET", "/v1/status").json()
        self.assertIs(status["ready"], True)
        self.assertEqual(status["plugins"], ["http"])
        self.assertEqual(self.d.request("GET", "/livez").status, 200)
        self.assertEqual(self.d.request("GET", "/readyz").status, 200)

    def test_the_front_page_names_the_routes(self):
        page = self.d.request("GET", "/")
        self.assertTrue(page.headers["Content-Type"].startswith("text/html"))
        self.assertIn("/v1/events", page.text())

    def test_methods(self):
        head = self.d.request("HEAD", "/v1/schools")
        self.assertEqual((head.status, head.body), (200, b""))
        options = self.d.request("OPTIONS", "/v1/people/k")
        self.assertEqual((options.status, options.headers["Allow"]), (204, "GET, HEAD, PUT, DELETE, OPTIONS"))
        refused = self.d.request("DELETE", "/v1/schools")
        self.assert_problem(refused, 405, "GET")
        self.assertEqual(refused.headers["Allow"], "GET, HEAD, OPTIONS")
        self.assert_problem(self.d.request("GET", "/v1/events"), 405, "POST")
        self.assert_problem(self.d.request("GET", "/v1/schools", headers={"Accept": "text/html"}), 406)

    def test_a_refusal_keeps_the_connection(self):
        connection = self.d.connection()
        for path in ("/nowhere", "/livez"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            self.assertIsNone(answer.headers["Connection"])
        connection.close()

    def test_the_unix_socket_serves_the_same(self):
        self.assertEqual(self.d.request("GET", "/v1/schools", unix=True).status, 200)
        self.assertEqual(stat.S_IMODE(os.stat(self.d.socket).st_mode), 0o660)


class Running(unittest.TestCase):
    """What the process does from start to stop."""

    def setUp(self):
        self.d = Daemon()
        self.addCleanup(self.d.close)

    def test_a_signal_stops_it_cleanly_and_nothing_acknowledged_is_lost(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.d.start()
            self.d.send([registered(int(number) + 200000)])
            self.assertEqual(self.d.stop(number), 0, self.d.log())
            self.assertFalse(os.path.exists(self.d.socket))
        self.d.start()
        page = self.d.request("GET", "/v1/schools").json()
        self.assertEqual(len(page["items"]), 2)

    def test_what_was_acknowledged_survives_a_kill(self):
        self.d.start()
        self.d.send([registered(100001)])
        self.d.kill()
        self.assertTrue(os.path.exists(self.d.socket))  # left behind, and no obstacle
        self.d.start()
        self.assertEqual(self.d.request("GET", "/v1/schools/100001", unix=True).status, 200)

    def test_stopping_answers_what_was_sent(self):
        events = [registered(100000 + i) for i in range(2000)]
        body = "".join(json.dumps(e) + "\n" for e in events)

        def was_answered():
            self.d.start()
            connection = self.d.connection()
            self.addCleanup(connection.close)
            connection.request("GET", "/livez")  # so that the daemon has taken the connection
            connection.getresponse().read()
            connection.request("POST", "/v1/events", body, LINES)
            self.d.request("GET", "/livez")  # what came before is being read by now
            self.d.process.send_signal(signal.SIGTERM)
            try:
                answer = connection.getresponse()
                told = json.loads(answer.read())
            except ConnectionError:  # a machine that stands still may leave it too little time, not each time
                self.assertEqual(self.d.process.wait(PATIENCE_S), 0)
                self.assertIn(self.CUT_OFF, self.d.log())
                return False
            self.assertIn(answer.status, (200, 503))
            if answer.status == 200:
                self.assertEqual(told["accepted"] + told["duplicate"], 2000)
            self.assertEqual(self.d.process.wait(PATIENCE_S), 0)
            return True
        self.assertTrue(any(was_answered() for _ in range(5)), self.d.log())

    CUT_OFF = "cut off slow peers"  # what a stop does to those for whom it has waited some seconds

    def test_an_idle_connection_does_not_hold_up_a_stop(self):
        def was_held_up():
            self.d.start()
            with socket.create_connection(("127.0.0.1", self.d.port)) as idle:
                idle.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(idle.recv(100))
                self.assertEqual(self.d.stop(), 0)
                return self.CUT_OFF in self.d.log()
        self.assertFalse(all(was_held_up() for _ in range(5)), self.d.log())

    def test_a_database_that_can_not_open_ends_it(self):
        Path(self.d.database).write_text("this is not a database, but it is long enough to be read as one\n" * 100)
        self.d.start(wait=False)
        self.assertEqual(self.d.process.wait(PATIENCE_S), 1)
        self.assertIn("can not open", self.d.log())


class Systemd(unittest.TestCase):
    def test_it_is_told_of_ready_alive_and_stopping(self):
        d = Daemon()
        self.addCleanup(d.close)
        path = str(d.folder / "notify")
        told = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(PATIENCE_S)
            d.environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"}
            d.start(wait=False)  # who is told and does not listen holds it up
            while "WATCHDOG=1" not in told:
                told += notify.recv(4096).decode().split("\n")
            self.assertLess(told.index("READY=1"), told.index("WATCHDOG=1"))
            d.process.terminate()
            while "STOPPING=1" not in told:
                told += notify.recv(4096).decode().split("\n")
            while d.process.poll() is None:  # systemd reads on too
                try:
                    notify.settimeout(0.1)
                    told += notify.recv(4096).decode().split("\n")
                except TimeoutError:
                    pass
            self.assertEqual(d.process.returncode, 0)


class CommandLine(unittest.TestCase):
    def run_daemon(self, *arguments, **environment):
        return subprocess.run([binary("pathwayd"), *arguments], capture_output=True, text=True, timeout=PATIENCE_S,
                              env=os.environ | environment)

    def test_help_and_version(self):
        self.assertIn("--config", self.run_daemon("--help").stdout)
        self.assertRegex(self.run_daemon("--version").stdout, r"^pathwayd \d+\.\d+\.\d+\n$")

    def test_wrong_use_exits_2(self):
        for arguments in (["--colour"], ["extra"], ["--now", "noon"]):
            done = self.run_daemon(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr)

    def test_check_tells_every_error_with_its_line(self):
        d = Daemon(http="lisen = 1", daemon="databse = x\nlog_level = loud")
        self.addCleanup(d.close)
        done = self.run_daemon("--config", str(d.config), "--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{d.config}:4: unknown key 'databse' in [daemon]; did you mean", done.stderr)
        self.assertIn(f"{d.config}:5: 'log_level' is 'loud'", done.stderr)
        self.assertIn("unknown key 'lisen' in [plugin http]", done.stderr)

    def test_check_covers_the_rules(self):
        d = Daemon()
        self.addCleanup(d.close)
        self.assertEqual(self.run_daemon("--config", str(d.config), "--check").returncode, 0)
        broken = self.run_daemon("--config", str(d.config), "--check", PATHWAYD_DAEMON_RULES=str(d.folder))
        self.assertEqual(broken.returncode, 1)
        self.assertTrue(broken.stderr)


if __name__ == "__main__":
    unittest.main()
