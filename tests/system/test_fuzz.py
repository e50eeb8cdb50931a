"""All routes, asked at random by their description: whatever comes, an answer that it describes, and never a 5xx."""

import json
import random
import unittest
from urllib.parse import quote, urlencode

from interop import Answers
from daemon import Daemon, event, registered
from support import number_from
from test_openapi import SLOW, operations, parameters, resolve

REQUESTS = number_from("PATHWAY_FUZZ", 600)
SEED = number_from("PATHWAY_SEED", 1)
WORDS = ["", "0", "-1", "1", "7", "100001", "99999999999999999999", "1e9", "true", "null", "NaN", "école", "\x00", "%", "%zz",
         "a" * 3000, "' OR 1=1 --", "../../etc/passwd", "2025-11-01", "2025-02-30", "2024/25", "school/100001", "hub/07", "07",
         "pathway_phase", "committed", "csv", "{}", "[]", "\U0001f600", "\r\nX: y", "\ud800"]


class Fuzz(unittest.TestCase):
    def setUp(self):
        self.chance = random.Random(SEED)
        self.d = Daemon(http="[plugin webhook]\ntimeout = 1\n").start()
        self.addCleanup(self.d.close)
        self.answers = Answers()
        self.addCleanup(self.answers.close)
        self.d.send([registered(100001), event("commitment.given", "school/100001"),
                     event("group.formed", "group/g1", {"kind": "development", "hub": "07", "academic_year": "2025/26"})])

    def word(self):
        text = self.chance.choice(WORDS)
        return text if self.chance.random() < 0.8 else text + self.chance.choice(WORDS)

    def fits(self, schema):
        """A value that the schema allows, as far as it tells."""
        schema = resolve(schema)
        if "enum" in schema:
            return self.chance.choice(schema["enum"])
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "integer":
            return self.chance.randint(schema.get("minimum", 0), min(schema.get("maximum", 10000), 2000))
        return self.word()

    def value(self, p):
        if self.chance.random() < 0.4 and "example" in p:
            return p["example"]
        return self.fits(p["schema"]) if self.chance.random() < 0.5 else self.word()

    def tree(self, depth=0):
        kind = self.chance.randrange(7 if depth < 4 else 5)
        if kind < 5:
            return [None, True, self.chance.randint(-10**20, 10**20), self.chance.random() * 1e300, self.word()][kind]
        many = range(self.chance.randrange(4))
        return [self.tree(depth + 1) for _ in many] if kind == 5 else {self.word(): self.tree(depth + 1) for _ in many}

    def spoilt(self, example):
        """An example with something else in one place."""
        if isinstance(example, str):
            return self.spoilt(json.loads(example.splitlines()[0]))
        if isinstance(example, list):
            return [self.spoilt(e) for e in example]
        if not isinstance(example, dict) or not example:
            return self.tree()
        changed, name = dict(example), self.chance.choice(list(example))
        what = self.chance.randrange(4)
        if what == 0:
            del changed[name]
        elif what == 1:
            changed[self.word()] = self.tree()
        elif what == 2 and isinstance(changed[name], dict):
            changed[name] = self.spoilt(changed[name])
        else:
            changed[name] = self.tree()
        return changed

    def body(self, operation):
        content = operation.get("requestBody", {}).get("content")
        if not content:
            return None, {}
        media = self.chance.choice(list(content))
        example = content[media].get("example", {})
        text = json.dumps(self.spoilt(example) if self.chance.random() < 0.8 else self.tree())
        bytes_ = text.encode("utf-8", "surrogatepass")
        if self.chance.random() < 0.2:
            at = self.chance.randrange(len(bytes_))
            bytes_ = bytes_[:at] + bytes([self.chance.randrange(256)]) + bytes_[at + 1:]
        return bytes_, {"Content-Type": media if self.chance.random() < 0.9 else self.chance.choice(["", "a", "text/plain"])}

    def request(self, path, method, operation):
        for p in parameters(operation, "path"):
            path = path.replace("{" + p["name"] + "}", quote(str(self.value(p)).encode("utf-8", "surrogatepass"), safe="") or "x")
        query = []
        for p in parameters(operation, "query"):
            if p["name"] == "wait" or self.chance.random() > (1 if p.get("required") else 0.35):
                continue
            value = self.value(p)
            query += value.items() if isinstance(value, dict) else [(p["name"], value)]
        if self.chance.random() < 0.1:
            query.append((self.word(), self.word()))
        encoded = urlencode([(str(a).encode("utf-8", "surrogatepass"), str(b).encode("utf-8", "surrogatepass"))
                             for a, b in query])
        body, headers = self.body(operation)
        if self.chance.random() < 0.15:
            headers["Accept"] = self.chance.choice(["*/*", "text/html", "application/json;q=0", "a", "text/event-stream;q=0",
                                                    "application/json"])
        return method.upper(), path + ("?" + encoded if encoded else ""), body, headers

    def test_whatever_is_asked_gets_an_answer_that_is_described(self):
        choices = [o for o in operations() if o[0] not in SLOW and "plugins" not in o[0] and "tokens" not in o[0]]
        counts = {}
        for number in range(REQUESTS):
            asked = self.request(*self.chance.choice(choices))
            answer = self.d.request(*asked)
            counts[answer.status] = counts.get(answer.status, 0) + 1
            told = f"seed {SEED}, request {number}: {asked!r}: {answer.status} {answer.body[:300]!r}"
            self.assertLess(answer.status, 500, told)
            if answer.status != 431:
                self.assertEqual(self.answers.wrong(asked[0], asked[1], answer), [], told)
        self.assertIsNone(self.d.process.poll(), self.d.log())
        self.assertGreater(counts.get(200, 0), REQUESTS / 20, f"seed {SEED}: {counts}")
        self.assertGreater(counts.get(400, 0), REQUESTS / 20, f"seed {SEED}: {counts}")


if __name__ == "__main__":
    unittest.main()
