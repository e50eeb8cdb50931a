"""How many events a second go in: over HTTP, on disk, judged."""

from functools import cached_property

import loads
from floors import Bare, storage_floor
from measure import Figures, say
from table import Row, Target
from tools import clone, fresh, send

TAILS = {(1, 1): 2000, (1, 16): 8000, (10, 1): 8000, (10, 16): 30000}  # (batch, clients): how many events

SINGLES = 20000


def rate(said):
    """Until the last was judged, where the daemon tells that."""
    return said["events"] / said.get("judged_seconds", said["seconds"])


def sent_to(daemon, *arguments, **options):
    with daemon:
        said = send(daemon, *arguments, **options)
        if daemon.stop() != 0:
            raise RuntimeError(daemon.log())
    return said


class Round:
    """One run of each; what is measured once in a round is not measured again in it."""

    def __init__(self, context):
        self.c = context

    @cached_property
    def in_order(self):
        folder = self.c.new_folder("in-order")
        said = sent_to(fresh(folder), self.c.load)
        self.c.keep(self.c.load, folder)
        return rate(said)

    @cached_property
    def from_many(self):
        return rate(sent_to(fresh(self.c.new_folder("many")), self.c.load, clients=16))

    @cached_property
    def shuffled(self):
        return rate(sent_to(fresh(self.c.new_folder("shuffled")), loads.shuffled(self.c.load)))

    @cached_property
    def again(self):
        said = sent_to(clone(self.c.prepared(self.c.load), self.c.new_folder("again")), self.c.load)
        if said["duplicate"] != said["events"]:
            raise RuntimeError(f"found other than duplicates: {said}")
        return rate(said)

    @cached_property
    def again_single(self):
        daemon = clone(self.c.prepared(self.c.load), self.c.new_folder("again"))
        return rate(sent_to(daemon, self.c.load, batch=1, clients=16, limit=SINGLES))

    @cached_property
    def http_single(self):
        with Bare() as bare:
            return rate(send(bare, self.c.load, batch=1, clients=16, limit=SINGLES, judged=False))

    @cached_property
    def storage(self):
        return rate(storage_floor(self.c, self.c.load))

    @cached_property
    def http(self):
        with Bare() as bare:
            return rate(send(bare, self.c.load, judged=False))


ROWS = [
    ("in-order", "in order, requests of 1,000, 1 client", "in_order", "storage", "bare SQLite",
     Target("≥ 0.5 of the floor", 0.5, at_least=True)),
    ("in-order-16", "in order, requests of 1,000, 16 clients", "from_many", "storage", "bare SQLite", None),
    ("shuffled", "shuffled, requests of 1,000, 1 client", "shuffled", "in_order", "in order",
     Target("≥ 0.15 of in order", 0.15, at_least=True)),
    ("duplicates", "all sent before: requests of 1,000, 1 client", "again", "http", "bare HTTP", None),
    ("duplicates-1", "all sent before: requests of 1, 16 clients", "again_single", "http_single", "bare HTTP", None),
]


def whole_loads(context, wanted):
    """Rows in which a whole load goes in."""
    chosen = [row for row in ROWS if wanted(row[0])]
    found = {row[0]: (Figures(), Figures()) for row in chosen}
    for turn in range(context.times if chosen else 0):
        a_round = Round(context)
        for name, title, ours, floor, *_ in chosen:
            found[name][0].add(getattr(a_round, ours))
            found[name][1].add(getattr(a_round, floor))
            say(f"{title}: {found[name][0].values[-1]:,.0f} events/s, floor {found[name][1].values[-1]:,.0f}")
    return [Row(title, "events/s", *found[name], floor_name, target)
            for name, title, _, _, floor_name, target in chosen]


def small_requests(context, wanted):
    """Rows in which the last events of a load go in, a few to a request. Group commit can gather at most what all
    clients have under way, so that the floor writes that much in a transaction."""
    if not wanted("requests"):
        return []
    total, begin = loads.count(context.load), context.last_part
    found = {key: (Figures(), Figures()) for key in TAILS}
    for turn in range(context.times):
        for (batch, clients), count in TAILS.items():
            end = min(total, begin + count)
            daemon = clone(context.prepared(context.load, begin), context.new_folder("requests"))
            ours = rate(sent_to(daemon, context.load, batch=batch, clients=clients, skip=begin, limit=end))
            floor = rate(storage_floor(context, context.load, batch=batch * clients, skip=begin, limit=end))
            found[batch, clients][0].add(ours)
            found[batch, clients][1].add(floor)
            say(f"requests of {batch}, {clients} clients: {ours:,.0f} events/s, floor {floor:,.0f}")
    return [Row(f"in order, requests of {batch}, {clients} client{'s' * (clients > 1)}", "events/s", *figures,
                f"bare SQLite, {batch * clients} a transaction")
            for (batch, clients), figures in found.items()]


def rows(context, wanted):
    return whole_loads(context, wanted) + small_requests(context, wanted)
