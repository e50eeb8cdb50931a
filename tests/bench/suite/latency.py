"""How long one event takes to be acknowledged: when nothing else is sent, and beside others at full speed."""

import loads
from floors import latency_floor
from measure import Figures, say
from table import Row, Target
from tools import clone, send

SINGLES = 2000
PARTS = ("p50", "p99", "max")


class Tally:
    """Percentiles of several runs, ours and the floor's."""

    def __init__(self):
        self.ours = {part: Figures() for part in PARTS}
        self.floor = {part: Figures() for part in PARTS}

    def add(self, ours, floor):
        for part in PARTS:
            self.ours[part].add(ours[part])
            self.floor[part].add(floor[part])

    def rows(self, title, targets):
        return [Row(f"{title}, {part}", "ms", self.ours[part], self.floor[part], "append, fsync", targets.get(part))
                for part in PARTS]


def idle(context):
    tally = Tally()
    end = loads.count(context.load)
    begin = end - SINGLES
    for turn in range(context.times):
        with clone(context.prepared(context.load, begin), context.new_folder("idle")) as daemon:
            said = send(daemon, context.load, batch=1, skip=begin)["latency_ms"]
        floor = latency_floor(context, context.load, skip=begin)
        tally.add(said, floor)
        say(f"one event: {said} ms, floor {floor}")
    return tally.rows("one event at a time, idle", {
        "p50": Target("≤ 2 of the floor", 2), "p99": Target("≤ 4 of the floor", 4)})


def rows(context, wanted):
    return idle(context) if wanted("idle") else []
