"""Published vectors through the real route: CloudEvents' own, its HTTP binding's, and JSONTestSuite."""

import base64
import json
import re
import unittest

from daemon import ROOT, Daemon

FOLDER = ROOT / "tests/conformance"
ONE = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
TYPE = "commitment.given"

# What the refusal of each invalid vector names.
DEFECTS = {
    "invalidNoSpecVersion": "specversion: missing", "invalidNoId": "id: missing", "invalidNoType": "type: missing",
    "invalidNoSource": "source: missing", "invalidTimeGarbage": 'time: found "lunchtime"',
    "invalidTimeToMinute": 'time: found "2018-04-05T18:31Z"', "invalidTimeOffsetX": 'time: found "2018-04-05T18:31:00X"',
    "invalidTimeOffsetOutOfRange": 'time: found "2018-04-05T18:31:00+25:00"',
    "invalidTimeOffsetNonInteger": 'time: found "2018-04-05T18:31:00+xx:00"',
    "invalidTimeOffsetHourOnly": 'time: found "2018-04-05T18:31:00+05"', "invalidEmptyId": 'id: found ""',
    "invalidEmptyType": 'type: found ""', "invalidEmptySource": 'source: found ""',
    "invalidEmptySpecVersion": 'specversion: found "", expected "1.0"',
    "invalidUnknownSpecVersion": 'specversion: found "0.9", expected "1.0"',
    "invalidNonRfc2046DataContentType": 'datacontenttype: found "xyz"',
    "invalidEmptyDataContentType": 'datacontenttype: found ""', "invalidEmptyDataSchema": 'dataschema: found ""',
    "invalidEmptySubject": 'subject: found ""', "invalidNumericId": "id: found 25", "invalidObjectId": "id: found an object",
    "invalidCapitalizedExtension": "MyExtension: ", "invalidPunctuatedExtension": "my.extension: ",
    "invalidNonIntegerExtensionValue": "my.extension: ", "invalidBothDataAndDataBase64": "data_base64: ",
    "invalidBatchMixedSpecVersions": 'specversion: found "0.9"', "invalidBatchContainingInvalidCloudEvent": "id: missing",
    "invalidBatchContainingNonObject": 'found "not an object", expected a CloudEvent',
}

# JSONTestSuite: refused on purpose, and taken where the suite leaves it open (conformance/README.md).
REFUSED = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_object_escaped_null_in_key.json"}


def completed(vector, source=None):
    """With what we require, and a type that is known here; nothing else is touched."""
    if not isinstance(vector, dict):
        return vector
    event = dict(vector)
    if event.get("type") == "io.cloudevents.test":
        event["type"] = TYPE
    if event.get("subject") in (None, "tests"):
        event["subject"] = "school/100001"
    if event.get("time") is None:
        event["time"] = "2025-11-21T09:30:00Z"
    if not isinstance(event.get("data"), dict):
        event["data"] = {}
    return event | ({"source": source} if source else {})


def vectors(name):
    return json.loads((FOLDER / name).read_text())["tests"]


class Vectors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon().start()

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def post(self, body, headers):
        return self.d.request("POST", "/v1/events", body if isinstance(body, bytes) else json.dumps(body), headers)


class CloudEvents(Vectors):
    def test_each_valid_event_is_taken(self):
        tests = vectors("cloudevents-valid-events.json")
        self.assertEqual(len(tests), 10)
        for test in tests:
            answer = self.post(completed(test["event"], f"https://cloudevents.io/{test['id']}"), ONE)
            self.assertEqual((answer.status, answer.json().get("accepted")), (200, 1), (test["id"], answer.text()))

    def test_each_invalid_event_is_refused_for_its_defect(self):
        tests = vectors("cloudevents-invalid-events.json")
        self.assertEqual(len(tests), 25)
        for test in tests:
            answer = self.post(completed(test["event"]), ONE)
            self.assertEqual(answer.status, 400, test["id"])
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
            self.assertIn(DEFECTS[test["id"]], answer.json()["detail"], test["id"])

    def test_each_valid_batch_is_taken(self):
        tests = vectors("cloudevents-valid-batches.json")
        self.assertEqual(len(tests), 5)
        for test in tests:
            batch = [completed(e, f"https://cloudevents.io/{test['id']}") for e in test["batch"]]
            answer = self.post(batch, BATCH)
            self.assertEqual(answer.status, 200, answer.text())
            counts = answer.json()
            self.assertEqual(counts["accepted"] + counts["duplicate"], len(batch), test["id"])

    def test_each_invalid_batch_has_one_event_refused_for_its_defect(self):
        tests = vectors("cloudevents-invalid-batches.json")
        self.assertEqual(len(tests), 3)
        for test in tests:
            answer = self.post([completed(e, f"https://cloudevents.io/{test['id']}" if isinstance(e, dict) else None)
                                for e in test["batch"]], BATCH).json()
            self.assertEqual(answer["invalid"], 1, test["id"])
            self.assertIn(DEFECTS[test["id"]], answer["results"][0]["detail"])


class Binding(Vectors):
    """The scenarios of the feature file, each example, completed likewise."""

    def scenarios(self):
        text = (FOLDER / "cloudevents-http-binding.feature").read_text()
        for outline in text.split("Scenario Outline:")[1:]:
            request = re.search(r'"""\n(.*?)"""', outline, re.S)[1]
            lines = [line.strip() for line in request.strip("\n").splitlines()]
            blank = lines.index("")
            attributes = dict(re.findall(r"^\s*\|\s*(\w+) \|\s*(\S.*?)\s*\|$", outline, re.M))
            for kind in re.findall(r"^\s*\|\s*(application/\S.*?)\s*\|$", outline, re.M):
                headers = dict(line.split(": ", 1) for line in lines[1:blank] if not line.startswith(("Host", "Content-L")))
                yield kind, {k: v.replace("<contentType>", kind) for k, v in headers.items()}, "\n".join(lines[blank + 1:]), \
                    {k: v.replace("<contentType>", kind) for k, v in attributes.items() if k != "key"}

    def test_each_is_read_as_it_says(self):
        count = 0
        for number, (kind, headers, body, attributes) in enumerate(self.scenarios()):
            binary = "ce-id" in headers
            source = f"/mycontext/subcontext/{number}"
            if binary:
                headers |= {"ce-type": TYPE, "ce-subject": "school/100001", "ce-source": source}
                body = "{}"
            else:
                body = json.dumps(completed(json.loads(body) | {"type": TYPE, "source": source, "data": {}}))
            answer = self.post(body.encode(), headers)
            self.assertEqual((answer.status, answer.json().get("accepted")), (200, 1), answer.text())
            events = self.d.request("GET", "/v1/export/events?format=ndjson").text().splitlines()
            event = next(e for e in map(json.loads, events) if e["source"] == source)
            for name in ("id", "specversion", "time", "datacontenttype"):
                expected = attributes[name].replace("2018-04-05T03:56:24Z", event["time"])
                self.assertEqual(event.get(name, "application/json"), expected, kind)
            self.assertTrue(event["time"].startswith("2018-04-05T03:56:24"))
            count += 1
        self.assertEqual(count, 4)


class Json(Vectors):
    def files(self):
        for name, file in json.loads((FOLDER / "jsontestsuite.json").read_text()).items():
            if "text" in file:
                yield name, file["text"].encode()
            elif "base64" in file:
                yield name, base64.b64decode(file["base64"])
            else:
                yield name, file["repeat"].encode() * file["times"] + file.get("then", "").encode()

    def is_read(self, body):
        """None of them is an event; but what is JSON is refused as something else than broken JSON."""
        answer = self.post(body, ONE)
        self.assertIn(answer.status, (400, 413), body[:80])
        detail = answer.json()["detail"]
        return answer.status == 400 and not detail.startswith("line "), detail

    def test_each_file_is_decided_right(self):
        counts, taken = {"y": 0, "n": 0, "i": 0}, set()
        for name, body in self.files():
            counts[name[0]] += 1
            read, detail = self.is_read(body)
            if name[0] == "i":
                taken |= {name} if read else set()
                continue
            self.assertEqual(read, name[0] == "y" and name not in REFUSED, f"{name}: {detail}")
        self.assertEqual(counts, {"y": 95, "n": 188, "i": 35})
        listed = set(re.findall(r"`(i_[^`]+)`", (FOLDER / "README.md").read_text()))
        self.assertEqual(taken, listed, "the README lists those that we take")


if __name__ == "__main__":
    unittest.main()
