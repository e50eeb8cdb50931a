"""Whoever may change a hub's rules from elsewhere: who has a token of the scope `rules` for that hub, and nobody else."""

import json
import tempfile
import unittest
from pathlib import Path

from daemon import Daemon, registered
from support import tool

OVERLAY = """return overlay { hub = "%s", version = "1", rules = {
  ["h%s_number"] = rule { "A number", source = "hub", function(s) return s.name and %d end } } }
"""
JSON = {"Content-Type": "application/json"}


class OverlayTokens(unittest.TestCase):
    def setUp(self):
        self.d = Daemon().start()
        self.addCleanup(self.d.close)
        self.url = f"unix:{self.d.socket}"
        self.d.request("POST", "/v1/events", json.dumps(registered(100001)),
                       {"Content-Type": "application/cloudevents+json"}, unix=True)
        self.own = self.add("seven", "--scopes", "rules", "--hubs", "07")

    def add(self, name, *options):
        done = tool("token", "add", name, *options, PATHWAY_URL=self.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def ask(self, method, path, token, body=None):
        return self.d.request(method, path, body, JSON | ({"Authorization": "Bearer " + token} if token else {}))

    def push(self, hub, number, token):
        return self.ask("PUT", f"/v1/overlays/{hub}", token,
                        json.dumps({"overlay.lua": OVERLAY % (hub, hub, number)})).status

    def generation(self, hub):
        answer = self.d.request("GET", f"/v1/overlays/{hub}", unix=True)
        return answer.json()["generation"] if answer.status == 200 else None

    def every(self, hub, token):
        """What each of the routes says to it."""
        return {"push": self.push(hub, 9, token), "show": self.ask("GET", f"/v1/overlays/{hub}", token).status,
                "back": self.ask("POST", f"/v1/overlays/{hub}/rollback", token, "{}").status}

    def test_it_is_for_its_own_hub_only(self):
        self.assertEqual(self.push("07", 1, self.own), 200)
        self.assertEqual(self.every("12", self.own), {"push": 403, "show": 403, "back": 403})
        self.assertIsNone(self.generation("12"))
        self.assertEqual(self.push("07", 2, self.own), 200)
        self.assertEqual(self.ask("GET", "/v1/overlays/07", self.own).json()["generation"], 3)
        self.assertEqual(self.ask("POST", "/v1/overlays/07/rollback", self.own, "{}").status, 200)
        self.assertEqual(self.generation("07"), 4)
        self.assertEqual(self.ask("POST", "/v1/reload", self.own, "{}").status, 403)
        self.assertEqual(self.ask("POST", "/v1/reload", self.own, '{"rollback":"hubs/07"}').status, 403)

    def test_a_path_is_no_way_to_another_hub(self):
        for path in ("07/../12", "%2e%2e/12", "12%00", "07%2f..%2f12", "..", "07 12", "07,12"):
            answer = self.ask("PUT", f"/v1/overlays/{path.replace(' ', '%20')}", self.own,
                              json.dumps({"overlay.lua": OVERLAY % ("12", "12", 1)}))
            self.assertIn(answer.status, (400, 403, 404, 405), path)
        self.assertIsNone(self.generation("12"))
        self.assertEqual(self.push("07", 1, self.own), 200)
        lies = self.ask("PUT", "/v1/overlays/07", self.own, json.dumps({"overlay.lua": OVERLAY % ("12", "12", 1)}))
        self.assertEqual(lies.status, 409)
        self.assertIn("the overlay is of hub 12", lies.text())
        for name in ("../national/x.lua", "national/x.lua", "/x.lua", "x.lua\u0000.lua"):
            self.assertEqual(self.ask("PUT", "/v1/overlays/07", self.own, json.dumps({name: ""})).status, 400, name)

    def test_other_scopes_do_not_let_it_in(self):
        for scope in ("read", "write", "personal"):
            token = self.add("t-" + scope, "--scopes", scope, "--hubs", "07")
            self.assertEqual(self.every("07", token), {"push": 403, "show": 403, "back": 403}, scope)
        self.assertEqual(self.every("07", None), {"push": 401, "show": 401, "back": 401})
        self.assertIsNone(self.generation("07"))

    def test_a_revoked_one_changes_nothing_any_more(self):
        self.assertEqual(self.push("07", 1, self.own), 200)
        self.assertEqual(tool("token", "revoke", "seven", PATHWAY_URL=self.url).returncode, 0)
        self.assertEqual(self.every("07", self.own), {"push": 401, "show": 401, "back": 401})
        self.assertEqual(self.generation("07"), 2)

    def test_an_expired_one_changes_nothing_any_more(self):
        token = self.add("brief", "--scopes", "rules", "--hubs", "07", "--expires", "2026-11-21T10:00:00Z")
        self.assertEqual(self.push("07", 1, token), 200)
        self.assertEqual(self.d.stop(), 0)
        self.d.now = "2026-11-21T10:00:00Z"
        self.d.start()
        self.assertEqual(self.every("07", token), {"push": 401, "show": 401, "back": 401})
        self.assertEqual(self.generation("07"), 2)

    def test_the_tool_sends_its_token(self):
        with tempfile.TemporaryDirectory() as folder:
            mine = Path(folder) / "07"
            mine.mkdir()
            (mine / "overlay.lua").write_text(OVERLAY % ("07", "07", 1))
            over_tcp = {"PATHWAY_URL": f"http://127.0.0.1:{self.d.port}"}
            none = tool("overlay", "push", mine, **over_tcp)
            self.assertEqual(none.returncode, 3)
            done = tool("overlay", "push", mine, PATHWAY_TOKEN=self.own, **over_tcp)
            self.assertEqual(done.returncode, 0, done.stderr)
            other = self.add("twelve", "--scopes", "rules", "--hubs", "12")
            for words in (("push", mine), ("status", "07"), ("rollback", "07")):
                refused = tool("overlay", *words, PATHWAY_TOKEN=other, **over_tcp)
                self.assertNotEqual(refused.returncode, 0, words)
            self.assertEqual(self.generation("07"), 2)


if __name__ == "__main__":
    unittest.main()
