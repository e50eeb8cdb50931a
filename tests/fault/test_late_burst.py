"""Much that comes late at once: acknowledged before it is judged, and whoever asks meanwhile is told right.

The newest event of each school comes first, so that all the others, shuffled, are late. While subjects wait
to be folded anew (`refold_lag` in the status), lists and exports are what a fresh fold of all that was
acknowledged says. Times are printed, not asserted.

PATHWAY_BURST: how many late events (20000). PATHWAY_SEED: the world and the order (1).
"""

import csv
import io
import json
import random
import subprocess
import threading
import time
import unittest

from daemon import PATIENCE_S, Daemon, binary, event, registered
from proof import fault, rows
from support import await_wakes, difference, export, judge, number_from, shuffled

BURST = number_from("PATHWAY_BURST", 20000)
SEED = number_from("PATHWAY_SEED", 1)
SENDERS, REQUEST = 4, 500


def generated(count):
    """At least so many events; of some schools all of them."""
    done = subprocess.run([binary("pathway-generate"), "--schools", str(count // 25), "--seed", str(SEED),
                           "--registrations"], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    return [json.loads(line) for line in done.stdout.splitlines()]


def newest_first(events):
    """(The newest event of each subject, the others.)"""
    newest = {e["subject"]: i for i, e in enumerate(events)}
    chosen = set(newest.values())
    return [events[i] for i in sorted(chosen)], [e for i, e in enumerate(events) if i not in chosen]


class LateBurst(unittest.TestCase):
    def setUp(self):
        self.d = Daemon()
        self.addCleanup(self.d.close)
        self.d.start()
        self.sent = []

    def lag(self):
        return self.d.request("GET", "/v1/status").json()["refold_lag"]

    def send_at_once(self, events):
        """Over several connections; how long until all was acknowledged."""
        requests = [events[i:i + REQUEST] for i in range(0, len(events), REQUEST)]
        refused, lock = [], threading.Lock()

        def serve():
            while True:
                with lock:
                    if not requests:
                        return
                    request = requests.pop()
                answer = self.d.send(request)
                if answer["accepted"] != len(request):
                    refused.append(answer)

        began = time.monotonic()
        threads = [threading.Thread(target=serve) for _ in range(SENDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(refused, [])
        self.sent += events
        return time.monotonic() - began

    def check_answers(self, when):
        """A list, a school and the export, asked at once: what a fresh fold says. How many subjects waited."""
        one = random.Random(SEED).choice(self.sent)["subject"]
        told = {}

        def ask(name, question):
            told[name] = question()

        threads = [threading.Thread(target=ask, args=question) for question in (
            ("list", lambda: self.d.request("GET", "/v1/schools?pathway_phase=development&limit=1000").json()),
            ("one", lambda: self.d.request("GET", "/v1/" + one.replace("/", "s/", 1)).json()["decisions"]),
            ("export", lambda: export(self.d)))]
        lag = self.lag()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expected = judge(self.sent, self.d.now)
        why = difference(told["export"], expected)
        self.assertIsNone(why, f"PATHWAY_SEED={SEED} {when}: {why}")
        self.check_against(told, one, list(csv.DictReader(io.StringIO(expected))), when)
        return lag

    def check_against(self, told, one, rows, when):
        self.assertIsNone(told["list"]["next"])
        self.assertEqual({item["subject"] for item in told["list"]["items"]},
                         {row["subject"] for row in rows if row["subject"].startswith("school/")
                          and (row["decision"], row["value"]) == ("pathway_phase", "development")}, when)
        for row in rows:
            if row["subject"] == one and row["decision"] != "next_step":
                value = told["one"][row["decision"]]["value"]
                text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
                self.assertEqual(text, row["value"], (when, row))

    def await_no_lag(self):
        began, most = time.monotonic(), 0
        while lag := self.lag():
            most = max(most, lag)
            time.sleep(0.005)
        await_wakes(self.d)
        return time.monotonic() - began, most

    def burst(self, count):
        newest, late = newest_first(generated(count))
        self.send_at_once(newest)
        await_wakes(self.d)
        return shuffled(late, SEED)[:count]

    def late_for_all(self, number):
        """An event before all others of each school that has come so far."""
        schools = sorted({e["subject"] for e in self.sent if e["subject"].startswith("school/")})
        return [event("lead.named", school, {"teacher": f"t{number}"}, id=f"late-{number}-{school}",
                      time="2001-01-01T00:00:00Z") for school in schools]

    def left_for_later(self):
        """How many commits with events did not judge all that these touch."""
        (count,), = rows(self.d.database, "SELECT count(*) FROM event_commit_row c JOIN commit_judged j USING (number)"
                                          " WHERE c.last >= c.first")
        return count

    def test_whoever_asks_while_subjects_wait_is_told_no_stale_data(self):
        late = self.burst(BURST // 2)
        half, lags = len(late) // 2, []
        for part in (late[:half], late[half:]):
            self.send_at_once(part)
            lags.append(self.check_answers("while subjects wait"))
        while not any(lags):  # the machine stood still just then: once more
            self.assertLess(len(lags), 8, "nothing was left for later: the burst was too small to show anything")
            self.send_at_once(self.late_for_all(len(lags)))
            lags.append(self.check_answers("while subjects wait"))
        print(f"PATHWAY_SEED={SEED}: asked while {lags} subjects waited")
        self.await_no_lag()
        self.assertEqual(self.check_answers("at rest"), 0)
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))

    def test_late_events_are_acknowledged_before_they_are_judged(self):
        late, before = self.burst(BURST), self.left_for_later()
        acknowledged = self.send_at_once(late)
        lag = self.lag()
        more, most = self.await_no_lag()
        print(f"PATHWAY_SEED={SEED}: {len(late)} late events acknowledged after {acknowledged:.2f} s, judged after"
              f" {acknowledged + more:.2f} s; {max(lag, most)} subjects waited")
        self.assertGreater(self.left_for_later(), before, "all was judged before it was acknowledged")
        why = difference(export(self.d), judge(self.sent, self.d.now))
        self.assertIsNone(why, f"PATHWAY_SEED={SEED}: {why}")

    def test_a_subject_of_which_all_lies_ahead_does_not_wait_for_ever(self):
        load = [event("contact.made", "school/1", {"group": "group/g9", "academic_year": "2017/18"}, id=f"load{i}",
                      time=f"2018-01-{i % 28 + 1:02d}T{i % 24:02d}:{i % 60:02d}:00Z") for i in range(4001)]
        self.d.send(load)
        await_wakes(self.d)
        self.d.send([event("lead.named", "school/1", {"teacher": "t1"}, time="2017-10-01T00:00:00Z"),
                     event("lead.named", "school/2", {"teacher": "t1"}, time="2027-10-01T00:00:00Z"),
                     registered(3)])
        await_wakes(self.d)
        self.assertEqual(self.lag(), 0)
        left, = rows(self.d.database, "SELECT j.subjects FROM event_commit_row c JOIN commit_judged j"
                                      " USING (number) WHERE c.last >= c.first ORDER BY number DESC LIMIT 1")
        self.assertEqual(left, ('["school/1"]',), "nothing was left for later")
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))


if __name__ == "__main__":
    unittest.main()
