"""The sample, against the answers that another program gave: from files, and sent in every way.

PATHWAY_SEED: the first of the seeds (1).
"""

import random
import unittest

from daemon import Daemon
from support import (SAMPLE, Sender, await_wakes, difference, export, judge, number_from, sample_dates,
                     sample_events, shuffled, without_next_step)

NOW = "2026-11-21T09:00:00Z"
SEED = number_from("PATHWAY_SEED", 1)


class SampleTest(unittest.TestCase):
    def assert_expected(self, found, date):
        expected = (SAMPLE / f"expected-{date}.csv").read_text()
        why = difference(without_next_step(found), expected)
        if why:
            self.fail(f"at {date}: {why}")

    def assert_same(self, found, expected):
        why = difference(found, expected)
        if why:
            self.fail(why)


class FromFiles(SampleTest):
    def test_judge_gives_the_expected_answers(self):
        self.assertGreaterEqual(len(sample_dates()), 7)
        for date in sample_dates():
            self.assert_expected(judge(SAMPLE / "sample.ndjson", date), date)

    def test_judge_does_not_care_for_the_order_of_lines(self):
        for seed in (SEED, SEED + 1):
            with self.subTest(seed=seed):
                date = sample_dates()[seed % len(sample_dates())]
                self.assert_expected(judge(shuffled(sample_events(), seed), date), date)


class ThroughTheDaemon(SampleTest):
    def setUp(self):
        self.d = Daemon(now=NOW)
        self.addCleanup(self.d.close)
        self.d.start()

    def send_all(self, events, size, forms, stops):
        """In requests of `size`, in these forms in turn; before the requests in `stops` the daemon is
        stopped or killed, and started again."""
        sender = Sender(self.d)
        for number, first in enumerate(range(0, len(events), size)):
            if number in stops:
                sender.close()
                stops[number]()
                self.d.start()
            sender.send(events[first:first + size], forms[number % len(forms)])
        sender.close()
        return sender.counts

    def check(self, seed, size, forms, in_bulk=0):
        """Statuses, all dates, and the current decisions. `in_bulk`: so many first, to save time."""
        events = shuffled(sample_events(), seed)
        different = len({(e["source"], e["id"]) for e in events})
        requests = (len(events) - in_bulk + size - 1) // size
        dice = random.Random(seed)
        stops = {dice.randrange(1, requests): self.d.kill for _ in range(2)}
        stops |= {dice.randrange(1, requests): self.d.stop for _ in range(2)}
        with self.subTest(seed=seed, size=size, forms=forms):
            counts = self.send_all(events[:in_bulk], 1000, ["ndjson"], {})
            for status, count in self.send_all(events[in_bulk:], size, forms, stops).items():
                counts[status] += count
            self.assertEqual(counts, {"accepted": different, "duplicate": len(events) - different, "conflict": 0,
                                      "invalid": 0})
            for date in sample_dates():
                self.assert_expected(export(self.d, date), date)
            self.assert_same(export(self.d), judge(SAMPLE / "sample.ndjson", NOW))

    def test_large_requests_of_lines(self):
        self.check(SEED, 1000, ["ndjson"])

    def test_small_requests_of_lines_and_arrays(self):
        self.check(SEED + 1, 7, ["ndjson", "batch"], in_bulk=1000)

    def test_events_one_by_one(self):
        self.check(SEED + 2, 1, ["single", "ndjson", "batch"], in_bulk=2800)

    def test_events_in_binary_mode(self):
        events = {(e["source"], e["id"]): e for e in sample_events()}
        events = shuffled(events.values(), SEED + 3)
        counts = self.send_all(events[:500], 1, ["binary"], {250: self.d.kill})
        self.assertEqual(counts["accepted"], 500)
        again = self.send_all(events[:500], 500, ["ndjson"], {})  # the same events in another form
        self.assertEqual(again["duplicate"], 500)
        self.send_all(events[500:], 1000, ["batch"], {})
        for date in sample_dates()[-2:]:
            self.assert_expected(export(self.d, date), date)
        self.assert_same(export(self.d), judge(SAMPLE / "sample.ndjson", NOW))

    def test_in_order_and_then_all_again(self):
        events = sorted(sample_events(), key=lambda e: e["time"])
        different = len({(e["source"], e["id"]) for e in events})
        self.assertEqual(self.send_all(events, 500, ["ndjson"], {})["accepted"], different)
        await_wakes(self.d)  # what was left for later is in the feed
        before = self.d.request("GET", "/v1/status").json()
        again = self.send_all(events, 1000, ["batch"], {1: self.d.kill})
        self.assertEqual((again["accepted"], again["duplicate"]), (0, len(events)))
        after = self.d.request("GET", "/v1/status").json()
        self.assertEqual((after["events"], after["changes"]), (before["events"], before["changes"]))
        self.assert_same(export(self.d), judge(SAMPLE / "sample.ndjson", NOW))

    def test_a_clock_that_went_on_is_caught_up_with(self):
        """Known early, judged late: every moment between has had its wake."""
        self.d.stop()
        self.d.now = "2016-10-01T00:00:00Z"
        self.d.start()
        self.send_all(shuffled(sample_events(), SEED + 4), 1000, ["ndjson"], {})
        for date in sample_dates():
            self.d.stop()
            self.d.now = date + "T12:00:00Z"
            self.d.start()
            await_wakes(self.d)
            self.assert_same(export(self.d), judge(SAMPLE / "sample.ndjson", self.d.now))


if __name__ == "__main__":
    unittest.main()
