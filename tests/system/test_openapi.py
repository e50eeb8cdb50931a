"""The description of the interface: clean, whole, and true of the daemon, example by example."""

import json
import re
import subprocess
import unittest
from urllib.parse import quote, urlencode

from interop import FOLDER, Answers, install
from daemon import ROOT, Daemon, event, registered

API = json.loads((ROOT / "plugins/http/openapi.json").read_text())
SLOW = {"/v1/verify", "/v1/replay", "/v1/reload", "/v1/overlays/{hub}", "/v1/overlays/{hub}/rollback"}


def operations():
    for path, item in API["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def resolve(node):
    while "$ref" in node:
        target = API
        for part in node["$ref"][2:].split("/"):
            target = target[part]
        node = target
    return node


def parameters(operation, where):
    return [p for p in map(resolve, operation.get("parameters", [])) if p["in"] == where]


def filled(path, operation):
    for p in parameters(operation, "path"):
        path = path.replace("{" + p["name"] + "}", quote(str(p["example"]), safe=""))
    return path


def example_query(p):
    """As the query's parameters: an object is one for each of its members."""
    return p["example"] if isinstance(p["example"], dict) else {p["name"]: p["example"]}


class Description(unittest.TestCase):
    def run_linter(self, *command):
        install()
        done = subprocess.run(["npx", "--no-install", *command], cwd=FOLDER, capture_output=True, text=True, timeout=240)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_redocly_finds_nothing(self):
        told = self.run_linter("redocly", "lint", "--config", "redocly.yaml", "../../plugins/http/openapi.json")
        self.assertNotIn("warning", told.lower())

    def test_spectral_finds_nothing(self):
        self.run_linter("spectral", "lint", "--ruleset", ".spectral.yaml", "--fail-severity", "hint",
                        "../../plugins/http/openapi.json")

    def test_it_has_the_routes_of_the_table_and_no_others(self):
        table = (ROOT / "plugins/http/routes.c").read_text()
        served = set(re.findall(r'^    \{ "(/[^"]*)"', table, re.M))
        described = {re.sub(r"\{[^}]+\}", "{}", path) for path in API["paths"]}
        self.assertEqual(served, described)


class Examples(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(http="[plugin webhook]\nallow = 127.0.0.0/8\n").start()
        self.addCleanup(self.d.close)
        self.answers = Answers()
        self.addCleanup(self.answers.close)
        self.d.request("POST", "/v1/webhooks", '{"name":"mailer","url":"http://127.0.0.1:1/"}',
                       {"Content-Type": "application/json"})  # of whom the examples speak; nobody is there
        self.d.send([registered(100001), event("commitment.given", "school/100001"),
                     event("group.formed", "group/g1", {"kind": "development", "hub": "07", "academic_year": "2025/26"}),
                     event("school.visited", "school/100001", {"group": "group/g1", "academic_year": "2025/26", "term": 1,
                                                               "note": "All well."}, id="v-1", source="urn:hub:07")])

    def ask(self, method, path, query=None, body=None, headers=None, expected=(200, 201)):
        url = path + ("?" + urlencode(query) if query else "")
        answer = self.d.request(method.upper(), url, body, headers)
        self.assertIn(answer.status, expected, f"{method} {url}: {answer.text()}")
        self.assertEqual(self.answers.wrong(method.upper(), url, answer), [])
        return answer

    def test_the_methods_are_those_that_are_described(self):
        for path, item in API["paths"].items():
            answer = self.d.request("OPTIONS", filled(path, next(iter(item.values()))))
            self.assertEqual(answer.status, 204, path)
            allowed = set(answer.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
            self.assertEqual(allowed, {m.upper() for m in item}, path)

    def test_each_example_of_what_is_asked_is_answered_as_described(self):
        before = {"/v1/people/{key}": ("PUT", "/v1/people/p-100001-9", '{"name":"Ann"}')}
        for path, method, operation in operations():
            if method != "get":
                continue
            if path in before:
                self.ask(*before[path][:2], body=before[path][2], headers={"Content-Type": "application/json"})
            full = filled(path, operation)
            if path.startswith(("/v1/hubs/{code}/", "/v1/overlays/")):  # no event of the national rules is about one
                self.ask("get", full, expected=(404,))
                continue
            required = {p["name"]: p["example"] for p in parameters(operation, "query") if p.get("required")}
            self.ask("get", full, required)
            for p in parameters(operation, "query"):
                if "example" in p:
                    with self.subTest(path=path, parameter=p["name"]):
                        self.ask("get", full, required | example_query(p))
            if path not in SLOW:
                self.ask("head", full, required)

    def test_each_example_of_a_body_is_taken_as_described(self):
        order = {"/v1/people/{key}": 0, "/v1/tokens": 1, "/v1/webhooks": 1}
        changing = [o for o in operations() if o[1] != "get" and "plugins" not in o[0]]
        for path, method, operation in sorted(changing, key=lambda o: (o[1] == "delete", order.get(o[0], 2))):
            full = filled(path, operation)
            query = {p["name"]: p["example"] for p in parameters(operation, "query") if p.get("required")}
            content = operation.get("requestBody", {}).get("content", {None: {}})
            for media, body in content.items():
                with self.subTest(path=path, method=method, media=media):
                    example = body.get("example")
                    text = example if isinstance(example, str) or example is None else json.dumps(example)
                    answer = self.d.request(method.upper(), full + ("?" + urlencode(query) if query else ""), text,
                                            {"Content-Type": media} if media else {}, unix=True)
                    expected = (404,) if "quarantine" in path else (200, 201)  # nobody has put anything there
                    self.assertIn(answer.status, expected, answer.text())
                    self.assertEqual(self.answers.wrong(method.upper(), full, answer), [])

    def test_what_is_asked_wrong_is_refused_as_described(self):
        for path, method, operation in operations():
            full = filled(path, operation)
            if path.startswith("/v1/overlays/"):
                continue
            if method == "get" and path not in ("/", "/openapi.json", "/livez", "/readyz", "/metrics", "/v1/people/{key}"):
                self.ask("get", full, {"no_such": "x"}, expected=(400,))
            if method == "get":
                self.ask("get", full, headers={"Accept": "image/png"}, expected=(406,))
            if method in ("post", "put") and "plugins" not in path:
                self.ask(method, full, body="x", headers={"Content-Type": "text/plain"}, expected=(415,))

    def test_a_list_and_the_feed_join_at_its_number(self):
        page = self.ask("get", "/v1/schools").json()
        self.assertEqual(page["items"][0]["decisions"]["committed"], True)
        self.d.send([event("commitment.withdrawn", "school/100001", time="2025-09-12T00:00:00Z")])
        after = self.ask("get", "/v1/changes", {"after": page["seq"]}).json()
        self.assertIn(("committed", True, False), [(e["data"]["decision"], e["data"]["old"], e["data"]["new"])
                                                   for e in after["items"]])
        for path in ("/v1/schools", "/v1/groups", "/v1/hubs", "/v1/changes", "/v1/summary", "/v1/rules", "/v1/consumers",
                     "/v1/schools/100001", "/v1/schools/100001/events"):
            self.assertEqual(self.ask("get", path).json()["seq"], after["seq"], path)


if __name__ == "__main__":
    unittest.main()
