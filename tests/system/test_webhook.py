"""Webhooks: signed, in order for each subject, none ever missed, none delaying another.

Each request is verified with npm's `standardwebhooks` (tests/interop/receiver.mjs).
"""

import json
import os
import socket
import subprocess
import time
import unittest
from datetime import datetime

from daemon import PATIENCE_S, Daemon, binary, event, registered
from interop import Receiver, taken_seq
from proof import rows
from support import tool

# A receiver that stands still for some seconds is not one that says nothing; and they try on as long as a test takes.
RETRY = "1 1 1 1 1 1 1 1 1 1 1 1 5 5 10 10 20 20 30 30"
SECTION = f"[plugin webhook]\nallow = 127.0.0.0/8\nretry = {RETRY}\ntimeout = 60\n"


class WebhookTest(unittest.TestCase):
    def daemon(self, section=SECTION, folder=None):
        d = Daemon(http=section, folder=folder)
        self.addCleanup(d.close)
        return d.start()

    def receiver(self, port=0):
        r = Receiver(port)
        self.addCleanup(r.close)
        return r

    def ask(self, d, question, status=200, **params):
        """The answer of the route for a question: list, add, remove, and what is done to one that is there."""
        path, method, headers = "/v1/webhooks", "POST", {"Content-Type": "application/json"}
        if question != "add" and "name" in params:
            path += "/" + params.pop("name")
        if question in ("list", "show", "remove"):
            method, headers = ("DELETE" if question == "remove" else "GET"), {}
        elif question != "add":
            path += "/" + question
        status = 201 if (question, status) == ("add", 200) else status
        answer = d.request(method, path, json.dumps(params) if headers and params else None, headers if params else {})
        self.assertEqual(answer.status, status, answer.text())
        if status >= 400:
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        return answer.json()

    def add(self, d, receiver, name="mailer", **more):
        told = self.ask(d, "add", name=name, url=receiver.url, **more)
        receiver.set(secret=told["secret"])
        return told

    def webhook(self, d, name="mailer"):
        return self.ask(d, "show", name=name)

    def await_state(self, d, state, name="mailer"):
        deadline = time.monotonic() + PATIENCE_S
        while self.webhook(d, name)["state"] != state:
            self.assertLess(time.monotonic(), deadline, self.webhook(d, name))
            time.sleep(0.05)
        return self.webhook(d, name)

    def await_lag(self, d, lag=0, name="mailer"):
        deadline = time.monotonic() + PATIENCE_S
        while self.webhook(d, name)["lag"] != lag:
            self.assertLess(time.monotonic(), deadline, self.webhook(d, name))
            time.sleep(0.05)

    def feed(self, d):
        return d.request("GET", "/v1/changes?limit=10000").json()["items"]

    def change(self, d, urn, step):
        """One event that makes two entries or so: `committed` goes on, or off."""
        kind = "commitment.given" if step % 2 == 0 else "commitment.withdrawn"
        d.send([event(kind, f"school/{urn}", id=f"c-{urn}-{step}", time=f"2025-09-10T10:00:{step:02}Z")])

    def begin(self, d, urns=("100001", "100002")):
        d.send([registered(u) for u in urns])
        for u in urns:
            self.change(d, u, 0)

    def check(self, d, receiver, after=0):
        """What was taken is the feed, each entry word for word, and in order within each subject."""
        expected = {e["id"]: e for e in self.feed(d) if e["data"]["seq"] > after}
        receiver.await_taken(expected)
        last = {}
        taken = {}
        for r in receiver.requests:
            self.assertIsNone(r["fault"])
            if r["status"] >= 300:
                continue
            self.assertEqual(r["entry"], expected[r["id"]])
            self.assertEqual(r["id"], r["entry"]["id"])
            if r["id"] in taken:
                continue
            self.assertGreater(taken_seq(r), last.get(r["entry"]["subject"], 0))
            last[r["entry"]["subject"]] = taken_seq(r)
            taken[r["id"]] = r
        self.assertEqual(set(taken), set(expected))


class Delivery(WebhookTest):
    def test_each_change_is_delivered_once_signed_and_in_order(self):
        d, r = self.daemon(), self.receiver()
        self.add(d, r)
        self.begin(d)
        for step in range(1, 6):
            self.change(d, "100001", step)
            self.change(d, "100002", step)
        count = len(self.feed(d))
        self.assertGreater(count, 10)
        r.await_request(count)
        self.check(d, r)
        self.assertEqual({x["type"] for x in r.requests}, {"application/cloudevents+json"})
        self.await_lag(d)
        self.assertEqual(len({x["id"] for x in r.requests}), len(r.requests))

    def test_only_what_is_asked_for_and_the_rest_counts_as_dealt_with(self):
        d, r = self.daemon(), self.receiver()
        self.add(d, r, decisions=["committed"])
        self.begin(d)
        r.await_request(2)
        self.await_lag(d)
        self.assertEqual({x["entry"]["data"]["decision"] for x in r.requests}, {"committed"})
        other = self.receiver()
        self.add(d, other, name="elsewhere", hub="99", **{"from": "start"})
        self.await_lag(d, name="elsewhere")
        self.assertEqual(other.requests, [])

    def test_what_fails_is_sent_again_and_holds_up_its_own_subject_only(self):
        d, r = self.daemon(), self.receiver()
        self.begin(d)
        self.add(d, r)
        after = len(self.feed(d))
        r.set(plan=[{"status": 500, "subject": "school/100001", "stays": True}])
        self.change(d, "100001", 1)
        self.change(d, "100002", 1)
        new = [e for e in self.feed(d) if e["data"]["seq"] > after]
        held = [e["id"] for e in new if e["subject"] == "school/100001"]
        r.await_taken(e["id"] for e in new if e["subject"] == "school/100002")
        while sum(x["id"] == held[0] for x in r.requests) < 2:
            r.await_request()
        self.assertEqual({x["id"] for x in r.requests if x["status"] == 500}, {held[0]})
        first, again = [x for x in r.requests if x["id"] == held[0]][:2]
        self.assertGreaterEqual(again["at"] - first["at"], 990)
        r.set(plan=[])
        self.check(d, r, after)

    def test_why_some_wait_is_told_though_others_get_through(self):
        d, r = self.daemon(SECTION.replace(RETRY, "3600")), self.receiver()
        self.begin(d)
        self.add(d, r, decisions=["committed"])
        r.set(plan=[{"status": 500, "subject": "school/100001", "stays": True}])
        self.change(d, "100001", 1)
        r.await_request()
        self.change(d, "100002", 1)
        deadline = time.monotonic() + PATIENCE_S
        while (told := self.webhook(d))["delivered"] < 1 or told["failed"] < 1:
            self.assertLess(time.monotonic(), deadline, told)
            time.sleep(0.05)
        self.assertEqual((told["state"], told["failing"], told["last_error"]), ("active", 1, "it answered 500"))
        wait = datetime.fromisoformat(told["next_attempt"]).timestamp() - time.time()
        self.assertTrue(3000 < wait < 4400, told)
        self.assertIn("it answered 500", tool("webhook", "list", PATHWAY_URL=f"unix:{d.socket}").stdout)
        r.set(plan=[])
        self.ask(d, "resume", name="mailer")
        self.await_lag(d)
        told = self.webhook(d)
        self.assertEqual((told["failing"], told["next_attempt"], told["last_error"]), (0, None, None))

    def test_it_waits_as_long_as_it_is_told_to(self):
        d, r = self.daemon(), self.receiver()
        self.add(d, r, decisions=["committed"])
        r.set(plan=[{"status": 429, "headers": {"Retry-After": "3"}}])
        self.begin(d, ["100001"])
        first, again = r.await_request(2)
        self.assertGreaterEqual(again["at"] - first["at"], 2990)

    def test_a_dead_one_delays_nobody(self):
        with socket.socket() as nobody:  # takes connections and never says a word
            nobody.bind(("127.0.0.1", 0))
            nobody.listen(64)
            d, r = self.daemon(), self.receiver()
            for i in range(3):
                self.ask(d, "add", name=f"silent-{i}", url=f"http://127.0.0.1:{nobody.getsockname()[1]}/")
            self.ask(d, "add", name="refusing", url="http://127.0.0.1:1/")
            self.add(d, r)
            self.begin(d)
            count = len(self.feed(d))
            r.await_request(count)
            self.check(d, r)
            self.await_lag(d)
            for name in ("silent-0", "silent-1", "silent-2", "refusing"):
                self.await_lag(d, count, name)


class Refusal(WebhookTest):
    def test_one_that_is_gone_is_disabled_and_can_be_resumed_without_a_gap(self):
        d, r = self.daemon(), self.receiver()
        self.add(d, r)
        r.set(status=410)
        self.begin(d)
        told = self.await_state(d, "disabled")
        self.assertIn("410", told["reason"])
        r.set(status=200)
        self.change(d, "100001", 1)
        d.stop()
        d.start()
        self.assertEqual(self.webhook(d)["state"], "disabled")
        self.ask(d, "resume", name="mailer")
        self.await_lag(d)
        self.check(d, r)

    def test_a_redirect_is_a_failure(self):
        d, r = self.daemon(), self.receiver()
        self.add(d, r)
        r.set(plan=[{"status": 302, "headers": {"Location": "/elsewhere"}}])
        told = self.ask(d, "test", name="mailer")
        self.assertFalse(told["delivered"])
        self.assertIn("redirects are not followed", told["error"])
        r.await_request()
        self.assertEqual([x["path"] for x in r.requests], ["/hook"])

    def test_silence_is_a_failure(self):
        with socket.socket() as nobody:  # takes connections and never says a word
            nobody.bind(("127.0.0.1", 0))
            nobody.listen(8)
            d = self.daemon(SECTION.replace("timeout = 60", "timeout = 1"))
            self.ask(d, "add", name="mailer", url=f"http://127.0.0.1:{nobody.getsockname()[1]}/")
            told = self.ask(d, "test", name="mailer")
        self.assertFalse(told["delivered"])
        self.assertIn("timed out", told["error"])

    def test_it_gives_up_in_the_end_and_says_why(self):
        d, r = self.daemon(SECTION.replace(RETRY, "1 1")), self.receiver()
        self.add(d, r, decisions=["committed"])
        r.set(status=500)
        self.begin(d, ["100001"])
        told = self.await_state(d, "disabled")
        self.assertIn("was not taken in 3 attempts: it answered 500", told["reason"])
        self.assertIn('pathwayd_webhook_disabled{webhook="mailer"} 1', d.request("GET", "/metrics").text())

    def test_private_addresses_are_refused_by_the_address_that_is_connected_to(self):
        d, r = self.daemon("[plugin webhook]\n"), self.receiver()
        for name, url in (("number", r.url), ("name", f"http://localhost:{r.port}/"),
                          ("safe", f"https://localhost:{r.port}/"), ("v6", f"https://[::1]:{r.port}/"),
                          ("mapped", f"https://[::ffff:127.0.0.1]:{r.port}/"),
                          ("cloud", "https://169.254.169.254/latest/")):
            self.ask(d, "add", name=name, url=url)
            told = self.ask(d, "test", name=name)
            self.assertEqual((told["delivered"], told["status"]), (False, 0))
            self.assertIn("'allow'", told["error"])
        self.assertEqual(r.requests, [])

    def test_what_is_asked_wrongly_is_told(self):
        d = self.daemon()
        for params, said in (({"name": "Hub 7", "url": "https://a.example/"}, "name: expected"),
                             ({"name": "a"}, "url: expected"),
                             ({"name": "a", "url": "ftp://a.example/"}, "it begins with ftp:"),
                             ({"name": "a", "url": "https://u:p@a.example/"}, "user's name or password"),
                             ({"name": "a", "url": "https://a.example/", "from": "noon"}, "from: expected"),
                             ({"name": "a", "url": "https://a.example/", "ulr": 1}, "unknown parameter 'ulr'")):
            self.assertIn(said, self.ask(d, "add", 400, **params)["detail"])
        self.assertIn("no webhook 'b'", self.ask(d, "pause", 404, name="b")["detail"])
        self.ask(d, "add", name="a", url="https://a.example/")
        self.assertIn("already", self.ask(d, "add", 409, name="a", url="https://a.example/")["detail"])

    def test_routes_take_what_they_say_and_nothing_else(self):
        d = self.daemon()
        self.ask(d, "add", name="a", url="https://a.example/")
        self.await_lag(d, name="a")  # null until the feed's head is known: between two questions otherwise
        self.assertEqual(self.ask(d, "list")["items"], [self.ask(d, "show", name="a")])
        self.assertIn("after: expected", self.ask(d, "replay", 400, name="a")["detail"])
        self.assertIn("overlap_hours: expected", self.ask(d, "rotate", 400, name="a", overlap_hours=-1)["detail"])
        self.assertIn("unknown parameter 'x'", self.ask(d, "pause", 400, name="a", x=1)["detail"])
        json_type = {"Content-Type": "application/json"}
        for body in ('{"name":"b"}', "[]", "{}{}", "{", "x"):  # the path says which one
            answer = d.request("POST", "/v1/webhooks/a/pause", body, json_type)
            self.assertEqual(answer.status, 400, body)
        self.assertEqual(d.request("POST", "/v1/webhooks/a/pause", " { } ", json_type).json()["state"], "paused")
        for method, path, status in (("PUT", "/v1/webhooks/a", 405), ("GET", "/v1/webhooks/a/test", 405),
                                     ("POST", "/v1/webhooks/a/stop", 404), ("GET", "/v1/webhooks?x=1", 400),
                                     ("POST", "/v1/plugins/webhook.list", 404), ("GET", "/v1/webhooks/none", 404)):
            answer = d.request(method, path)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (status, "application/problem+json"), path)
        self.assertIn("/v1/webhooks", d.request("POST", "/v1/plugins/webhook.list").json()["detail"])
        self.assertEqual(self.ask(d, "remove", name="a"), {})
        self.ask(d, "remove", 404, name="a")

    def test_only_who_looks_after_the_daemon_may(self):
        d = self.daemon()
        url = {"PATHWAY_URL": f"unix:{d.socket}"}
        tokens = {scope: tool("token", "add", scope, "--scopes", scope, **url).stdout.strip()
                  for scope in ("read", "write", "rules", "personal", "admin")}
        self.assertEqual(d.request("GET", "/v1/webhooks").status, 401)
        for scope, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            expected = (200, 404) if scope == "admin" else (403, 403)
            self.assertEqual((d.request("GET", "/v1/webhooks", headers=headers).status,
                              d.request("POST", "/v1/webhooks/a/test", headers=headers).status), expected, scope)

    def test_without_the_plugin_the_answer_says_how_to_get_it(self):
        d = self.daemon("")
        told = self.ask(d, "list", 404)
        self.assertIn("[plugin webhook]", told["detail"])


class Lifetime(WebhookTest):
    def test_killed_anywhere_it_misses_nothing_and_repeats_can_be_recognised(self):
        d, r = self.daemon(), self.receiver()
        self.add(d, r)
        self.begin(d)
        for step in range(1, 13):
            self.change(d, "100001", step)
            self.change(d, "100002", step)
            if step % 3 == 0:
                r.await_request()
                d.kill()
                d.start()
        self.await_lag(d)
        r.set()
        self.check(d, r)

    def test_where_it_begins_is_on_disk_before_it_is_said_to_be_added(self):
        d, r = self.daemon(), self.receiver()
        self.begin(d)
        head = self.feed(d)[-1]["data"]["seq"]
        self.add(d, r)
        (kept,), = rows(d.database, "SELECT value FROM plugin_state WHERE key = 'mailer'")
        self.assertEqual(json.loads(kept)["from"], head)

    def test_both_secrets_sign_while_a_new_one_is_taken_up(self):
        d, r = self.daemon(), self.receiver()
        old = self.add(d, r)["secret"]
        new = self.ask(d, "rotate", name="mailer", overlap_hours=1)["secret"]
        self.assertNotEqual(old, new)
        for secret in (old, new):
            r.set(secret=secret)
            self.assertTrue(self.ask(d, "test", name="mailer")["delivered"])
            got, = r.await_request()
            self.assertEqual((got["fault"], got["signatures"]), (None, 2))
        newest = self.ask(d, "rotate", name="mailer", overlap_hours=0)["secret"]
        r.set(secret=newest)
        self.ask(d, "test", name="mailer")
        got, = r.await_request()
        self.assertEqual((got["fault"], got["signatures"]), (None, 1))
        r.set(secret=old)
        self.ask(d, "test", name="mailer")
        got, = r.await_request()
        self.assertIsNotNone(got["fault"])

    def test_paused_it_keeps_its_place_and_replayed_it_sends_the_same_again(self):
        d, r = self.daemon(), self.receiver()
        self.add(d, r)
        self.begin(d)
        first = r.await_request(len(self.feed(d)))
        self.await_lag(d)
        self.ask(d, "pause", name="mailer")
        self.change(d, "100001", 1)
        d.stop()
        d.start()
        self.assertEqual(self.webhook(d)["state"], "paused")
        self.await_lag(d, len(self.feed(d)) - len(first))
        self.ask(d, "resume", name="mailer")
        self.await_lag(d)
        self.check(d, r)
        self.ask(d, "replay", name="mailer", after=0)
        again = r.await_request(len(self.feed(d)))
        self.assertLessEqual({x["id"] for x in first}, {x["id"] for x in again})
        self.check(d, r)

    def test_status_and_metrics_show_how_far_it_is(self):
        d = self.daemon()
        self.ask(d, "add", name="mailer", url="http://127.0.0.1:1/")
        self.begin(d)
        count = len(self.feed(d))
        consumer = {"name": "webhook/mailer", "acked": 0, "lag": count, "open": True}
        self.await_lag(d, count)
        self.assertIn(consumer, d.request("GET", "/v1/status").json()["consumers"])
        self.assertIn(f'pathwayd_consumer_lag{{consumer="webhook/mailer"}} {count}\n',
                      d.request("GET", "/metrics").text())
        self.ask(d, "remove", name="mailer")
        self.assertNotIn("webhook/mailer", d.request("GET", "/metrics").text())

    def test_a_key_that_is_not_the_one_is_not_used(self):
        d = self.daemon()
        self.ask(d, "add", name="mailer", url="https://a.example/")
        d.stop()
        key = d.folder / "webhook.key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        key.write_text("ab" * 32 + "\n")
        d.start()
        deadline = time.monotonic() + PATIENCE_S
        while not (faults := d.request("GET", "/v1/status").json()["plugin_faults"]):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertIn("its key is not the one", faults[0]["reason"])
        self.assertIn('pathwayd_plugin_up{plugin="webhook"} 0', d.request("GET", "/metrics").text())
        self.assertEqual(d.request("GET", "/readyz").status, 200)

    def test_a_key_that_is_none_or_that_all_can_read_is_told(self):
        d = Daemon(http=SECTION)
        self.addCleanup(d.close)
        key = d.folder / "k"
        right = d.config.read_text()
        d.config.write_text(right.replace("[plugin webhook]\n", f"[plugin webhook]\nkey = {key}\n"))

        def check():
            return subprocess.run([binary("pathwayd"), "--config", str(d.config), "--check"], capture_output=True,
                                  text=True, timeout=PATIENCE_S)
        self.assertEqual(check().returncode, 0)  # it is made at the start
        for content, mode, told in (("", 0o600, "is none: expected 64 hexadecimal digits"),
                                    ("xy" * 32, 0o600, "is none: expected 64 hexadecimal digits"),
                                    ("ab" * 32, 0o644, "every user of this machine can read the key")):
            key.write_text(content)
            key.chmod(mode)
            said = check()
            self.assertEqual(said.returncode, 1)
            self.assertRegex(said.stderr, rf"^{d.config}:\d+: .*{told}")
        d.start()
        self.assertIn("every user of this machine can read the key", d.log())
        d.stop()
        key.unlink()
        os.mkfifo(key)
        d.start()
        self.assertIn("is none: expected 64 hexadecimal digits", d.log())

    def test_the_tool_does_all_of_it(self):
        d, r = self.daemon(), self.receiver()
        url = {"PATHWAY_URL": f"unix:{d.socket}"}
        none = tool("webhook", "list", **url)
        self.assertIn("no webhooks", none.stdout, none.stderr + d.log())
        added = tool("webhook", "add", "mailer", r.url, "--decisions", "committed,ready", **url)
        self.assertEqual(added.returncode, 0, added.stderr)
        r.set(secret=added.stdout.split()[-1])
        self.assertEqual(tool("webhook", "test", "mailer", **url).stdout, "mailer: taken\n")
        self.assertIsNone(r.await_request()[0]["fault"])
        r.set(status=500)
        no = tool("webhook", "test", "mailer", **url)
        self.assertEqual((no.returncode, no.stdout), (1, "mailer: not taken: it answered 500\n"))
        for command in (("pause", "mailer"), ("resume", "mailer"), ("replay", "mailer", "--after", "0"),
                        ("rotate", "mailer", "--overlap", "1")):
            done = tool("webhook", *command, **url)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.await_lag(d)
        self.assertRegex(tool("webhook", "list", **url).stdout, r"mailer +active +0 ")
        self.assertEqual(tool("webhook", "replay", "mailer", **url).returncode, 2)
        self.assertEqual(tool("webhook", "remove", "mailer", **url).returncode, 0)
        gone = tool("webhook", "remove", "mailer", **url)
        self.assertEqual(gone.returncode, 1)
        self.assertIn("there is none at all", gone.stderr)


if __name__ == "__main__":
    unittest.main()
