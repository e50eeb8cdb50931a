"""A year with a moving clock: what the daemon says on a day is what it says of that day ever after.

The daemon starts anew, on the same database, with its clock at midnights (Europe/London) of a school year:
both clock changes, 1 September, midnights at which something falls due, and some others; and later on some of
these days. Each time it is asked for the current decisions. At the end `export --at T --known T` gives for
each of these instants what was said then; and `export --at T` alone, where nothing came later that changes
what had been by T: in a year in which all that arrives still lies ahead, everywhere.

PATHWAY_DAYS: how many days of a year (24). PATHWAY_SEED: the world and the days (1).
"""

import random
import unittest
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from daemon import Daemon
from proof import fault
from support import await_wakes, difference, number_from, tool
from worlds import World

DAYS = number_from("PATHWAY_DAYS", 24)
SEED = number_from("PATHWAY_SEED", 1)
LONDON = ZoneInfo("Europe/London")


def midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(timezone.utc)


def instant(text):
    return datetime.fromisoformat(text)


def written(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def last_sunday(year, month):
    day = date(year, month, 31)
    return day - timedelta(days=(day.weekday() + 1) % 7)


class Year:
    """A world whose events arrive over one school year: many of them late, or (`is_punctual`) all ahead."""

    def __init__(self, seed, is_punctual):
        self.dice = random.Random(seed)
        self.is_punctual = is_punctual
        world = World(seed)
        self.start = max(world.years)
        self.first, self.last = date(self.start, 8, 31), date(self.start + 1, 9, 2)
        self.events = world.draw(220)
        self.dice.shuffle(self.events)
        if is_punctual:  # a void acts on all of the past
            self.events = [e for e in self.events if e["type"] != "event.voided"]
        self.said = []  # (instant, the decisions then, how many events had been sent)
        self.sent = []

    def instants(self, due):
        """When to ask: midnights of days that must be among them, of some on which something is due, and others."""
        between = (self.last - self.first).days
        chosen = {self.first, self.last, date(self.start, 9, 1), date(self.start + 1, 9, 1)}
        for sunday in (last_sunday(self.start, 10), last_sunday(self.start + 1, 3)):
            chosen |= {sunday, sunday + timedelta(days=1)}
        chosen |= set(self.dice.sample(sorted(due - chosen), min(len(due - chosen), DAYS // 2)))
        while len(chosen) < DAYS:
            chosen.add(self.first + timedelta(days=self.dice.randint(0, between)))
        for day in sorted(chosen):
            yield midnight(day)
            if self.dice.random() < 0.6:
                yield midnight(day) + timedelta(hours=self.dice.choice([1, 9, 22]),
                                                microseconds=self.dice.choice([0, 1]))

    def arriving(self, now, later):
        """What arrives at an instant, when it is asked again at the instant `later`."""
        if self.is_punctual:
            batch = [e for e in self.events if instant(e["time"]) <= later]
        else:
            batch = [e for e in self.events if instant(e["time"]) <= now or self.dice.random() < 0.02]
            batch = batch[:self.dice.choice([0, 1, 3, 8]) if self.sent else len(batch) // 2]
        self.events = [e for e in self.events if e not in batch]
        return batch

    def is_settled(self, moment, count):
        """Has nothing come since that changes what had been by then?"""
        return all(instant(e["time"]) > moment and e["type"] != "event.voided" for e in self.sent[count:])


class MovingClock(unittest.TestCase):
    def setUp(self):
        self.d = Daemon()
        self.addCleanup(self.d.close)

    def go_on_to(self, now):
        if self.d.process:
            self.assertEqual(self.d.stop(), 0, self.d.log())
        self.d.now = written(now)
        self.d.start()
        await_wakes(self.d)

    def ask(self, query=""):
        answer = self.d.request("GET", "/v1/export/decisions" + query)
        self.assertEqual(answer.status, 200, answer.text())
        return answer.text()

    def due_days(self, year):
        """The midnights at which decisions change with no further events, were all events known at once."""
        with Daemon(now=written(midnight(year.first))) as d:
            d.send(year.events)
            due = set()
            while True:
                await_wakes(d)
                wake = d.request("GET", "/v1/status").json()["next_wake"]
                day = wake and instant(wake).astimezone(LONDON).date()
                if not day or day > year.last:
                    return due
                due.add(day)
                d.stop()
                d.now = wake
                d.start()

    def live(self, year):
        instants = list(year.instants(self.due_days(year)))
        for now, later in zip(instants, instants[1:] + instants[-1:]):
            self.go_on_to(now)
            year.said.append((now, self.ask(), len(year.sent)))
            batch = year.arriving(now, later)
            if batch:
                self.d.send(batch)
                year.sent += batch
                await_wakes(self.d)
                year.said[-1] = (now, self.ask(), len(year.sent))

    def check(self, year):
        settled = 0
        for moment, found, count in year.said:
            told = f"PATHWAY_SEED={SEED} at {written(moment)}"
            at = f"?at={written(moment)}"
            why = difference(found, self.ask(f"{at}&known={written(moment)}"))
            self.assertIsNone(why, f"{told}, as known then: {why}")
            if year.is_settled(moment, count):
                settled += 1
                why = difference(found, self.ask(at))
                self.assertIsNone(why, f"{told}, as known now: {why}")
        done = tool("export", "decisions", "--at", written(moment), "--known", written(moment),
                    PATHWAY_URL=f"unix:{self.d.socket}")
        self.assertEqual(done.stdout, found, done.stderr)
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))
        print(f"PATHWAY_SEED={SEED}: {len(year.said)} instants of {year.start}/{year.start + 1}, {settled} of them"
              f" settled; {len(year.sent)} events, {len(set(found for _, found, _ in year.said))} states")
        return settled

    def test_what_is_said_on_a_day_is_what_is_said_of_that_day_as_known_then(self):
        year = Year(SEED, is_punctual=False)
        self.live(year)
        self.check(year)

    def test_and_as_known_now_when_nothing_came_late(self):
        year = Year(SEED, is_punctual=True)
        self.live(year)
        self.assertEqual(self.check(year), len(year.said))


if __name__ == "__main__":
    unittest.main()
