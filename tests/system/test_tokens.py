"""Who may come in, and do what: tokens, the unix socket, and nobody else."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from daemon import PATIENCE_S, Answer, Daemon, event, registered
from support import tool

NDJSON = {"Content-Type": "application/x-ndjson"}
ONE = {"Content-Type": "application/cloudevents+json"}


def bearer(token):
    return {"Authorization": "Bearer " + token}


class Tokens(unittest.TestCase):
    def setUp(self):
        self.d = Daemon().start()
        self.addCleanup(self.d.close)
        self.url = f"unix:{self.d.socket}"

    def add(self, name, *options):
        done = tool("token", "add", name, *options, PATHWAY_URL=self.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def ask(self, method, path, token=None, body=None, headers=None):
        return self.d.request(method, path, body, (headers or {}) | (bearer(token) if token else {}))

    def test_without_any_token_this_machine_is_served(self):
        self.assertEqual(self.ask("GET", "/v1/schools").status, 200)
        self.assertEqual(self.ask("GET", "/v1/tokens").json(), {"items": []})

    def test_from_the_first_token_on_every_request_over_tcp_needs_one(self):
        token = self.add("reader")
        self.assertRegex(token, r"^pathway_[A-Za-z0-9_-]{43}$")
        answer = self.ask("GET", "/v1/schools")
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assertEqual(self.ask("GET", "/v1/schools", token).status, 200)
        self.assertEqual(self.ask("GET", "/livez").status, 200)
        self.assertEqual(self.ask("GET", "/readyz").status, 200)
        self.assertEqual(self.ask("GET", "/metrics").status, 401)
        self.assertEqual(self.d.request("GET", "/v1/schools", unix=True).status, 200)

    def test_it_is_shown_once_and_stored_hashed(self):
        token = self.add("reader")
        listed = tool("token", "list", "--json", PATHWAY_URL=self.url).stdout
        self.assertEqual([t["name"] for t in json.loads(listed)["items"]], ["reader"])
        self.assertNotIn(token, listed)
        self.assertEqual(self.d.stop(), 0)
        kept = b"".join(path.read_bytes() for path in self.d.folder.iterdir() if path.is_file())
        self.assertNotIn(token.encode(), kept)
        self.assertNotIn(token[len("pathway_"):].encode(), kept)
        with sqlite3.connect(self.d.database) as db:
            self.assertEqual(db.execute("SELECT length(hash) FROM token").fetchall(), [(32,)])
        self.d.start()
        self.assertEqual(self.ask("GET", "/v1/schools", token).status, 200)

    def test_a_revoked_one_is_refused_from_the_answer_on(self):
        token, other = self.add("reader"), self.add("other")
        with self.subTest("also on a connection that was there before"):
            connection = self.d.connection()
            self.addCleanup(connection.close)
            connection.request("GET", "/v1/hubs", headers=bearer(token))
            self.assertEqual(Answer(connection.getresponse()).status, 200)
            self.assertEqual(tool("token", "revoke", "reader", PATHWAY_URL=self.url).returncode, 0)
            connection.request("GET", "/v1/hubs", headers=bearer(token))
            self.assertEqual(Answer(connection.getresponse()).status, 401)
        self.assertEqual(self.ask("GET", "/v1/hubs", other).status, 200)
        again = tool("token", "revoke", "reader", PATHWAY_URL=self.url)
        self.assertEqual(again.returncode, 1)
        self.assertIn("revoked before", again.stderr)
        near = tool("token", "revoke", "othr", PATHWAY_URL=self.url)
        self.assertEqual(near.returncode, 1)
        self.assertIn('did you mean "other"', near.stderr)
        self.assertEqual(tool("token", "add", "reader", PATHWAY_URL=self.url).returncode, 1)
        self.assertEqual(tool("token", "revoke", "other", PATHWAY_URL=self.url).returncode, 0)
        self.assertEqual(self.ask("GET", "/v1/hubs").status, 401, "the last one gone opens no door")

    def test_notes_are_for_who_may_read_what_is_personal(self):
        closed = event("school.closed", "school/100001", {"reason": "merged"}, id="closed")
        self.d.send([registered(100001), closed])
        read, both = self.add("r"), self.add("p", "--scopes", "read,personal")
        for token, expected in ((read, {}), (both, {"reason": "merged"})):
            items = self.ask("GET", "/v1/schools/100001/events", token).json()["items"]
            self.assertEqual([e["data"] for e in items if e["id"] == "closed"], [expected])

    def test_an_expired_one_is_refused(self):
        token = self.add("brief", "--expires", "2026-11-21T10:00:00Z")
        self.assertEqual(self.ask("GET", "/v1/hubs", token).status, 200)
        self.assertEqual(self.d.stop(), 0)
        self.d.now = "2026-11-21T10:00:00Z"
        self.d.start()
        self.assertEqual(self.ask("GET", "/v1/hubs", token).status, 401)
        past = tool("token", "add", "late", "--expires", "2026-11-01", PATHWAY_URL=self.url)
        self.assertEqual(past.returncode, 2)
        self.assertIn("is past", past.stderr)

    def test_scopes_are_kept_to(self):
        read, write = self.add("r"), self.add("w", "--scopes", "write")
        personal, admin = self.add("p", "--scopes", "personal"), self.add("a", "--scopes", "admin")
        line = json.dumps(registered(100001))
        put = ("PUT", "/v1/people/p-1", '{"name":"Ann"}', {"Content-Type": "application/json"})
        for token, allowed in ((read, {"list"}), (write, {"send"}), (personal, {"person", "put"}),
                               (admin, {"tokens"})):
            found = {
                "list": self.ask("GET", "/v1/schools", token).status,
                "send": self.ask("POST", "/v1/events", token, line, NDJSON).status,
                "put": self.ask(put[0], put[1], token, put[2], put[3]).status,
                "person": self.ask("GET", "/v1/people/p-1", token).status,
                "tokens": self.ask("GET", "/v1/tokens", token).status,
            }
            for what, status in found.items():
                expected = {200, 404} if what in allowed else {403}
                self.assertIn(status, expected, f"{what} with a token for {allowed}")
        answer = self.ask("POST", "/v1/events", read, line, NDJSON)
        self.assertIn("'write'", answer.json()["detail"])
        self.assertIn('scope="write"', answer.headers["WWW-Authenticate"])

    def test_writes_are_for_subjects_of_its_hubs_only(self):
        token = self.add("seven", "--scopes", "write", "--hubs", "07")
        self.d.process and self.ask("GET", "/livez")
        own, other = registered(100001, hub="07"), registered(100002, hub="09")
        sent = self.ask("POST", "/v1/events?results=all", token, json.dumps([
            own, other, event("lead.named", "school/100001", {"teacher": "p-1"}),
            event("lead.named", "school/100003", {"teacher": "p-1"}),
            event("school.changed", "school/100001", {"hub": "09"}),
            event("group.formed", "group/g1", {"kind": "development", "hub": "07", "academic_year": "2026/27"}),
        ]), {"Content-Type": "application/cloudevents-batch+json"}).json()
        self.assertEqual([r["status"] for r in sent["results"]],
                         ["accepted", "invalid", "accepted", "invalid", "invalid", "accepted"])
        self.assertIn("school/100002", sent["results"][1]["detail"])
        self.assertIn("07", sent["results"][1]["detail"])
        later = event("commitment.given", "school/100001", {})
        self.assertEqual(self.ask("POST", "/v1/events", token, json.dumps(later), ONE).status, 200)
        one = self.ask("POST", "/v1/events", token, json.dumps(other), ONE)
        self.assertEqual(one.status, 403)
        free = self.add("all", "--scopes", "write")
        moved = event("school.changed", "school/100001", {"hub": "09"})
        self.assertEqual(self.ask("POST", "/v1/events", free, json.dumps([other, moved]), {
            "Content-Type": "application/cloudevents-batch+json"}).json()["accepted"], 2)
        again = event("commitment.given", "school/100001", {}, id="again")
        self.assertEqual(self.ask("POST", "/v1/events", token, json.dumps(again), ONE).status, 403)

    def test_a_succession_is_written_about_both_schools(self):
        token = self.add("seven", "--scopes", "write", "--hubs", "07")
        self.d.request("POST", "/v1/events", json.dumps([registered(100001), registered(100002), registered(100009, hub="09")]),
                       {"Content-Type": "application/cloudevents-batch+json"}, unix=True)

        def succeeded(urn, predecessor):
            return event("school.succeeded", f"school/{urn}", {"predecessor": f"school/{predecessor}"}, id=f"{urn}-{predecessor}")
        sent = self.ask("POST", "/v1/events?results=all", token, json.dumps([
            succeeded(100002, 100009), succeeded(100009, 100001), succeeded(100002, 100008), succeeded(100002, 100001),
            registered(100003), registered(100004), succeeded(100004, 100003),
        ]), {"Content-Type": "application/cloudevents-batch+json"}).json()
        self.assertEqual([r["status"] for r in sent["results"]], ["invalid"] * 3 + ["accepted"] * 4)
        details = [r.get("detail", "") for r in sent["results"]]
        self.assertIn("data.predecessor: 'school/100009' is not of a hub", details[0])
        self.assertIn("subject: 'school/100009' is not of a hub", details[1])
        self.assertIn("data.predecessor: 'school/100008' is not of a hub", details[2])
        one = self.ask("POST", "/v1/events", token, json.dumps(succeeded(100001, 100009)), ONE)
        self.assertEqual(one.status, 403)

    def test_an_event_is_about_its_subject_whatever_else_it_names(self):
        token, batch = self.add("seven", "--scopes", "write", "--hubs", "07"), {
            "Content-Type": "application/cloudevents-batch+json"}
        self.assertEqual(self.d.request("POST", "/v1/events", json.dumps([
            registered(100001), registered(100009, hub="09")] + [
            event("group.formed", f"group/{hub}-a", {"kind": "development", "hub": hub, "academic_year": "2026/27"})
            for hub in ("07", "09")]), batch, unix=True).json()["accepted"], 4)

        def joined(urn, group):
            return event("group.joined", f"school/{urn}", {"group": f"group/{group}", "kind": "development",
                                                           "academic_year": "2026/27"}, id=f"{urn}-{group}")

        def met(group, *urns):
            return event("group.met", f"group/{group}", {"kind": "development", "academic_year": "2026/27", "half_term": 1,
                         "attendance": {f"school/{urn}": ["p-1", "p-2"] for urn in urns}}, id=f"met-{group}")
        sent = self.ask("POST", "/v1/events?results=all", token, json.dumps([
            joined(100001, "09-a"), joined(100009, "07-a"), met("07-a", 100001, 100009), met("09-a", 100001),
        ]), batch).json()
        self.assertEqual([r["status"] for r in sent["results"]], ["accepted", "invalid", "accepted", "invalid"])
        self.assertIn("subject: 'school/100009' is not of a hub", sent["results"][1]["detail"])
        self.assertIn("subject: 'group/09-a' is not of a hub", sent["results"][3]["detail"])
        self.assertEqual(self.d.request("GET", "/v1/groups/09-a", unix=True).json()["decisions"]["group_schools"]["value"], 1)

    def test_the_name_is_the_actor_of_what_it_sends(self):
        token = self.add("hub-07-mailer", "--scopes", "write")
        self.ask("POST", "/v1/events", token, json.dumps(registered(100001)), ONE)
        self.d.request("POST", "/v1/events", json.dumps(registered(100002)), ONE, unix=True)
        self.assertEqual(self.d.stop(), 0)
        with sqlite3.connect(self.d.database) as db:
            self.assertEqual(db.execute("SELECT actor FROM event ORDER BY seq").fetchall(),
                             [("hub-07-mailer",), (f"uid:{os.getuid()}",)])

    def test_what_is_no_token_is_refused(self):
        token = self.add("reader")
        for given in ("", "Bearer", "Bearer ", "Bearer x", "Basic abc", "Bearer " + token[:-1], "Bearer " + token + "x",
                      token, "Bearer " + "x" * 5000):
            answer = self.d.request("GET", "/v1/hubs", headers={"Authorization": given})
            self.assertEqual(answer.status, 401, given)
        self.assertEqual(self.d.request("GET", "/v1/hubs", headers={"Authorization": "bearer " + token}).status, 200)

    def test_requests_for_tokens_that_make_no_sense_say_why(self):
        for options, told in ((("x", "--scopes", "reed"), 'did you mean "read"'), (("A B",), "a-z 0-9"),
                              (("x", "--scopes", ","), "an empty array"), (("x", "--hubs", ","), "an empty array"),
                              (("x", "--expires", "soon"), "expires")):
            done = tool("token", "add", *options, PATHWAY_URL=self.url)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(told, done.stderr)

    def test_the_tool_sends_its_token(self):
        token = self.add("reader")
        over_tcp = f"http://127.0.0.1:{self.d.port}"
        refused = tool("status", "--url", over_tcp)
        self.assertEqual(refused.returncode, 3)
        self.assertIn("access token", refused.stderr)
        self.assertEqual(tool("status", "--url", over_tcp, PATHWAY_TOKEN=token).returncode, 0)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(token + "\n")
            file.flush()
            self.assertEqual(tool("status", "--url", over_tcp, "--token-file", file.name).returncode, 0)

    def test_a_database_can_be_given_tokens_with_no_daemon(self):
        self.assertEqual(self.d.stop(), 0)
        done = tool("token", "add", "reader", "--database", self.d.database)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.d.start()
        self.assertEqual(self.ask("GET", "/v1/hubs", done.stdout.strip()).status, 200)
        self.assertEqual(self.ask("GET", "/v1/hubs").status, 401)


def own_address():
    """An address of this machine that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        address = s.getsockname()[0]
        return None if address.startswith("127.") else address


class FromElsewhere(unittest.TestCase):
    def test_others_are_served_with_a_token_only(self):
        address = own_address()
        if not address:
            self.skipTest("this machine has no address but loopback")
        with Daemon() as d:
            d.stop()
            d.config.write_text(d.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:0 {address}:0"))
            d.start()
            port = int(re.search(rf"listening address={re.escape(address)}:(\d+)\s", d.log())[1])
            self.assertIn("others can reach this address", d.log())

            def get(headers=""):
                with socket.create_connection((address, port), timeout=PATIENCE_S) as s:
                    s.sendall(f"GET /v1/hubs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode())
                    return s.makefile("rb").readline().decode()
            self.assertIn(" 401 ", get())
            token = tool("token", "add", "far", PATHWAY_URL=f"unix:{d.socket}").stdout.strip()
            self.assertIn(" 200 ", get(f"Authorization: Bearer {token}\r\n"))


class OnTheSocket(unittest.TestCase):
    """Another user, with curl's own connection: only root can play one."""

    def setUp(self):
        if os.getuid() != 0:
            self.skipTest("only root can become somebody else")

    def as_user(self, d, uid, gid, path):
        code = ("import http.client, socket, sys\n"
                "c = http.client.HTTPConnection('x')\n"
                "c.sock = socket.socket(socket.AF_UNIX)\n"
                f"c.sock.connect({d.socket!r})\n"
                f"c.request('GET', {path!r})\n"
                "print(c.getresponse().status)\n")

        return int(subprocess.run(["python3", "-c", code], user=uid, group=gid, extra_groups=[], check=True,
                                  capture_output=True, text=True).stdout)

    def test_user_and_group_decide(self):
        with Daemon(http="socket_scopes = read") as d:
            os.chmod(d.folder, 0o755)
            os.chmod(d.socket, 0o666)  # as far as the file goes, all may
            group = os.getegid()
            self.assertEqual(self.as_user(d, 65534, group, "/v1/hubs"), 200)
            self.assertEqual(self.as_user(d, 65534, group, "/v1/tokens"), 403)
            self.assertEqual(self.as_user(d, 65534, 65534, "/v1/hubs"), 403)
            self.assertEqual(self.as_user(d, 0, 65534, "/v1/tokens"), 200)

    def test_who_reads_live_hears_nothing_more_once_its_token_is_revoked(self):
        with Daemon(http="heartbeat = 1") as d:
            def made(name, *more):
                return tool("token", "add", name, *more, PATHWAY_URL=f"unix:{d.socket}").stdout.split()[0]

            def changed(at):
                kind = "commitment.given" if at % 2 else "commitment.withdrawn"
                lines = json.dumps(event(kind, "school/100001", time=f"2025-09-10T10:00:0{at}Z")) + "\n"
                self.assertEqual(d.request("POST", "/v1/events", lines, {"Content-Type": "application/x-ndjson"}, unix=True).status, 200)

            def opened(path, accept, **headers):
                connection = d.connection()
                connection.request("GET", path, headers={"Accept": accept} | headers)
                self.addCleanup(connection.close)
                return connection

            d.send([registered("100001")])
            stranger = opened("/v1/changes", "text/event-stream").getresponse()
            token = {"Authorization": "Bearer " + made("reader")}
            self.assertNotIn(b'"decision":"committed"', stranger.read())  # it ends: a token is needed now
            head = d.request("GET", "/v1/changes?limit=10000", headers=token).json()["next"]
            stream = opened(f"/v1/changes?after={head}", "text/event-stream", **token).getresponse()
            self.assertEqual(stream.readline(), b"retry: 2000\n")
            changed(1)
            while not (line := stream.readline()).startswith(b"data: "):
                self.assertTrue(line)
            head = d.request("GET", "/v1/changes?limit=10000", headers=token).json()["next"]
            waiting = opened(f"/v1/changes?after={head}&wait=60", "application/json", **token)
            self.assertEqual(tool("token", "revoke", "reader", PATHWAY_URL=f"unix:{d.socket}").returncode, 0)
            changed(2)
            rest = stream.read()  # it ends
            self.assertNotIn(b"commitment.withdrawn", rest)
            answer = waiting.getresponse()
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (401, "application/problem+json"))

    def test_words_that_are_no_scopes_are_told_at_the_start(self):
        d = Daemon(http="socket_scopes = reading")
        self.addCleanup(d.close)
        d.start(wait=False)
        self.assertEqual(d.process.wait(PATIENCE_S), 1)
        self.assertIn("socket_scopes has the word 'reading'", d.log())


if __name__ == "__main__":
    unittest.main()
