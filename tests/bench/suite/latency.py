"""How long one event takes to be acknowledged: when nothing else is sent, and beside others at full speed."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import loads
from floors import latency_floor
from measure import Figures, say
from table import Row, Target
from tools import clone, send

SINGLES = 2000
PARTS = ("p50", "p99", "max")
COPIES = 11
STALL = Target("≤ 50 ms", 50, of="ours")


class Tally:
    """Percentiles of several runs, ours and the floor's."""

    def __init__(self):
        self.ours = {part: Figures() for part in PARTS}
        self.floor = {part: Figures() for part in PARTS}

    def add(self, what, ours, floor):
        say(f"{what}: p50 {ours['p50']} ms, p99 {ours['p99']}, max {ours['max']} of {ours['count']};"
            f" floor p50 {floor['p50']}")
        for part in PARTS:
            self.ours[part].add(ours[part])
            self.floor[part].add(floor[part])

    def rows(self, title, targets):
        return [Row(f"{title}, {part}", "ms", self.ours[part], self.floor[part], "append, fsync", targets.get(part))
                for part in PARTS]


def idle(context):
    tally = Tally()
    begin = context.last_part
    end = begin + SINGLES
    for turn in range(context.times):
        with clone(context.prepared(context.load, begin), context.new_folder("idle")) as daemon:
            said = send(daemon, context.load, batch=1, skip=begin, limit=end)
        tally.add("one event, idle", said["latency_ms"], latency_floor(context, context.load, skip=begin, limit=end))
    return tally.rows("one event at a time, idle", {
        "p50": Target("≤ 2 of the floor", 2), "p99": Target("≤ 4 of the floor", 4)})


class Crowd:
    """A daemon that has the nation up to a 1 September, and what is sent to it then: another nation's whole story at
    full speed, and beside it the events of that one's last hub, one by one."""

    def __init__(self, context):
        self.midnight = loads.last_midnight(context.nation)
        other = loads.until(loads.elsewhere(context.sizes["others"], COPIES), self.midnight)
        self.bulk, self.singles = loads.but_last_hub(other), loads.last_hub(other)
        self.evening = f"{self.midnight[:10]}T12:00:00Z"
        self.folder = context.prepared(loads.until(context.nation, self.midnight), now=self.evening)

    def send(self, daemon):
        said = send(daemon, self.bulk, beside=self.singles)
        if said["beside"]["requests"] == loads.count(self.singles):
            say("the single events ran out before the load did")
        return said


def under_load(context):
    tally = Tally()
    crowd = Crowd(context)
    for turn in range(context.times):
        with clone(crowd.folder, context.new_folder("load"), now=crowd.evening) as daemon:
            said = crowd.send(daemon)
        tally.add("one event, under load", said["beside"]["latency_ms"],
                  latency_floor(context, crowd.singles, limit=SINGLES))
    return tally.rows("one event at a time, under full load", {"max": context.bound(STALL)})


def faketime():
    """libfaketime, wherever Debian put it; None when the package is not installed."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return found[0] if found else None


class MovingClock:
    """A daemon whose clock stands `ahead` seconds before an instant when it starts, and moves from there on."""

    def __init__(self, folder, target, midnight, ahead):
        self.midnight = datetime.fromisoformat(midnight)
        self.midnight_here = time.time() + ahead  # a little later in truth: when the daemon has been started
        start = self.midnight - timedelta(seconds=ahead)
        self.daemon = clone(folder, target, now=None, environment={
            "LD_PRELOAD": str(faketime()), "TZ": "UTC", "FAKETIME": start.strftime("@%Y-%m-%d %H:%M:%S.%f"),
            "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"})

    def await_moment(self, lead):
        """Until `lead` seconds before midnight, by the daemon's clock. False: they had passed when it was ready."""
        def left():
            now = datetime.fromisoformat(self.daemon.request("GET", "/v1/status").json()["now"])
            self.midnight_here = time.time() + (self.midnight - now).total_seconds()
            return self.midnight_here - time.time() - lead
        if left() < 0:
            return False
        while (wait := left()) > 0:
            time.sleep(min(wait, 0.1))
        return True


class Attempts:
    """How long before midnight the daemon must start, and the load begin, for midnight to fall within the load."""

    def __init__(self):
        self.ahead, self.lead, self.left = 3, 1.0, 10

    def one(self, context, crowd):
        """What was said; None: midnight did not fall within it, and the next attempt may do better."""
        clock = MovingClock(crowd.folder, context.new_folder("midnight"), crowd.midnight, self.ahead)
        with clock.daemon as daemon:
            if not clock.await_moment(self.lead):
                self.ahead *= 2
                return None
            said = crowd.send(daemon)
            metrics = daemon.request("GET", "/metrics").text()
        said["due"] = float(metrics.split("\npathwayd_wakes_total ")[1].split()[0])
        if said["began"] > clock.midnight_here:
            self.lead *= 2
        elif said["began"] + said["seconds"] < clock.midnight_here:
            self.lead = said["seconds"] / 3
        else:
            return said
        return None

    def run(self, context, crowd):
        while self.left > 0:
            said = self.one(context, crowd)
            if said:
                return said
            self.left -= 1
            say(f"missed midnight; once more, {self.lead:.2f} s before it")
        return None


def midnight(context):
    title = "one event at a time, under full load, 1 September comes"
    target = context.bound(STALL)
    if not faketime():
        return [Row(title, "ms", note="the package faketime is not installed", target=target)]
    tally, crowd, attempts = Tally(), Crowd(context), Attempts()
    for turn in range(context.times):
        said = attempts.run(context, crowd)
        if not said:
            return [Row(title, "ms", note="midnight never fell within the load: it is too small", target=target)]
        say(f"subjects judged because of the time alone: {said['due']:,.0f}; all judged"
            f" {said['judged_seconds'] - said['seconds']:.2f} s after the last event")
        tally.add("one event, at midnight", said["beside"]["latency_ms"],
                  latency_floor(context, crowd.singles, limit=SINGLES))
    return tally.rows(title, {"max": target})


def rows(context, wanted):
    parts = {"idle": idle, "load": under_load, "midnight": midnight}
    return [row for name, measure in parts.items() if wanted(name) for row in measure(context)]
