"""What hubs' own rules cost: limits on rules that need none, a neighbour whose rules never end, a reload."""

import http.client
import json
import shutil
import threading
import time

from measure import Figures, say
from table import Row, Target
from tools import NOW, ROOT, clone, fresh, resident, send, tool

RUNS = 9
HOSTILE = """return overlay { hub = "%(hub)s", version = "1",
  facts = { school = { %(prefix)s_n = initially(0, int) } },
  on = { school = { ["contact.made"] = function(s, e) while true do end end } },
  rules = {
    %(prefix)s_a = rule { "A", source = "s", function(s) if #s.leads > 0 then while true do end end return 1 end },
    %(prefix)s_b = rule { "B", source = "s", function(s) if #s.leads > 0 then while true do end end return 1 end },
  },
}
"""


def sandbox(context):
    """The same rules over the same records in one process, heard and not heard by the timer, in turn."""
    database = context.prepared(context.nation) / "pathway.db"
    ours, floor = Figures(), Figures()
    for turn in range(context.times):
        said = tool("judge", "--database", database, "--rules", ROOT / "rules", "--now", NOW, "--times", RUNS,
                    "--unwatched", "yes")
        ours.add(Figures(said["seconds"]).median * 1000)
        floor.add(Figures(said["unwatched"]).median * 1000)
        say(f"limits on rules: {ours.values[-1]:.2f} ms, without {floor.values[-1]:.2f} ms")
    return [Row("all rules over all schools, with limits on them", "ms", ours, floor, "without limits",
                context.bound(Target("≤ 1.05 of without", 1.05)))]


def hubs_of(load):
    """The hubs in a load, those with the most schools first."""
    counts = {}
    with open(load) as file:
        for line in file:
            if '"school.registered"' in line:
                hub = json.loads(line)["data"].get("hub")
                counts[hub] = counts.get(hub, 0) + 1
    return sorted((hub for hub in counts if hub), key=lambda hub: (-counts[hub], hub))


def rules_with(context, name, overlays):
    folder = context.new_folder(name)
    shutil.copytree(ROOT / "rules/national", folder / "national")
    for hub, text in overlays.items():
        (folder / "hubs" / hub).mkdir(parents=True)
        (folder / "hubs" / hub / "overlay.lua").write_text(text)
    return folder


def taken_in(context, rules):
    """Events a second, until all are acknowledged: those of a hub that is slow by itself are judged later."""
    with fresh(context.new_folder("neighbours"), rules=rules) as daemon:
        said = send(daemon, context.load, judged=False)
        daemon.kill()
    return said["events"] / said["seconds"]


def neighbours(context):
    hub = hubs_of(context.load)[-1]
    prefix = ("h" if hub[0].isdigit() else "") + "".join(c if c.isalnum() else "_" for c in hub)
    hostile = rules_with(context, "rules-hostile", {hub: HOSTILE % {"hub": hub, "prefix": prefix}})
    peaceful = rules_with(context, "rules-peaceful", {})
    ours, floor = Figures(), Figures()
    for turn in range(context.times):
        ours.add(taken_in(context, hostile))
        floor.add(taken_in(context, peaceful))
        say(f"beside a hostile hub: {ours.values[-1]:,.0f} events/s, without {floor.values[-1]:,.0f}")
    return [Row("in order, beside a hub whose rules never end", "events/s", ours, floor, "without it",
                context.bound(Target("≥ 0.9 of without", 0.9, at_least=True)))]


class Pauses(threading.Thread):
    """Sends one event after the other; how long the longest answer took."""

    def __init__(self, daemon):
        super().__init__()
        self.daemon_asked, self.longest, self.is_over = daemon, 0.0, threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon_asked.port, timeout=600)
        number = 0
        while not self.is_over.is_set():
            number += 1
            e = {"specversion": "1.0", "id": f"pause{number}", "source": "urn:bench", "type": "lead.named",
                 "subject": f"school/{900000 + number}", "time": "2026-11-23T00:00:00Z", "data": {"teacher": "t1"}}
            began = time.monotonic()
            connection.request("POST", "/v1/events", json.dumps(e), {"Content-Type": "application/cloudevents+json"})
            connection.getresponse().read()
            self.longest = max(self.longest, time.monotonic() - began)
        connection.close()


def reload_once(context, rules):
    """(peak, steady) in MiB, seconds to the answer, and the longest wait of who sent meanwhile in ms."""
    pack = rules / "national/pack.lua"
    text = pack.read_text()
    try:
        with clone(context.prepared(context.nation), context.new_folder("reload"), rules=rules) as daemon:
            pack.write_text(text + "-- the first\n")  # so that all records are in memory before it is measured
            post_reload(daemon)
            steady, _ = resident(daemon)
            with open(f"/proc/{daemon.process.pid}/clear_refs", "w") as file:
                file.write("5")  # the peak begins anew
            pauses = Pauses(daemon)
            pauses.start()
            pack.write_text(text + "-- the second\n")
            began = time.monotonic()
            post_reload(daemon)
            took = time.monotonic() - began
            pauses.is_over.set()
            pauses.join()
            _, peak = resident(daemon)
    finally:
        pack.write_text(text)
    return peak / 2 ** 20, steady / 2 ** 20, took, pauses.longest * 1000


def post_reload(daemon):
    answer = daemon.request("POST", "/v1/reload", "{}", {"Content-Type": "application/json"})
    if answer.status != 200 or not answer.json()["changed"]:
        raise RuntimeError(f"not taken: {answer.text()}")


def reload(context):
    rules = rules_with(context, "rules-reload", {})
    for path in (rules / "national").glob("tests_*.lua"):
        path.unlink()
    peak, steady, took, pause = Figures(), Figures(), Figures(), Figures()
    for turn in range(context.times):
        for figures, value in zip((peak, steady, took, pause), reload_once(context, rules)):
            figures.add(value)
        say(f"reload: {took.values[-1]:.2f} s, at most {peak.values[-1]:.0f} MiB of {steady.values[-1]:.0f},"
            f" an event waited {pause.values[-1]:.0f} ms")
    return [Row("reload of other rules: memory at most", "MiB", peak, steady, "before it",
                context.bound(Target("≤ 2 of before", 2))),
            Row("reload of other rules, until they judge", "s", took),
            Row("the longest wait of an event meanwhile", "ms", pause)]


def rows(context, wanted):
    parts = {"sandbox": sandbox, "neighbours": neighbours, "reload": reload}
    return [row for name, measure in parts.items() if wanted(name) for row in measure(context)]
