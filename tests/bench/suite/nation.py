"""A nation's decade: replay, starting, memory, the size of the database."""

import http.client
import os
import re
import subprocess
import time

import loads
from floors import storage_floor
from measure import Figures, say
from table import Row, Target, once
from tools import binary, clone, database_bytes, pathway, resident

MIB = 2 ** 20
START_LIMIT_S = 600


def read_through(path):
    """Seconds to read a file from its first byte to its last."""
    began = time.monotonic()
    block = bytearray(MIB)
    with open(path, "rb", buffering=0) as file:
        while file.readinto(block):
            pass
    return time.monotonic() - began


def replay(context):
    folder = context.prepared(context.nation)
    ours, floor = Figures(), Figures()
    for turn in range(context.times):
        began = time.monotonic()
        said = pathway("replay", "--database", folder / "pathway.db")
        ours.add(time.monotonic() - began)
        floor.add(read_through(folder / "pathway.db"))
        say(f"replay: {ours.values[-1]:.2f} s {said.decode().strip()}")
    return [Row(f"replay of {loads.count(context.nation):,} events", "s", ours, floor, "read the file",
                context.bound(Target("≤ 4 s", 4, of="ours")))]


def port_of(daemon):
    found = re.search(r"listening address=127\.0\.0\.1:(\d+)", daemon.log())
    return found and int(found[1])


def is_ready(daemon):
    daemon.port = daemon.port or port_of(daemon)
    if not daemon.port:
        return False
    try:
        return daemon.request("GET", "/readyz").status == 200
    except (ConnectionError, http.client.HTTPException):
        return False


def start(daemon):
    """Seconds from exec until it says that it is ready."""
    began = time.monotonic()
    daemon.start(wait=False)
    while not is_ready(daemon):
        if daemon.process.poll() is not None or time.monotonic() - began > START_LIMIT_S:
            raise RuntimeError("never ready:\n" + daemon.log())
        time.sleep(0.002)
    return time.monotonic() - began


def start_row(context, title, load, bound_s):
    """After a clean stop, on a database of its own copy."""
    folder = context.new_folder("start")
    ours, floor = Figures(), Figures()
    daemon = clone(context.prepared(load), folder)
    try:
        for turn in range(max(3, context.times)):
            ours.add(start(daemon))
            daemon.stop()
            floor.add(read_through(daemon.database))
            say(f"{title}: {ours.values[-1]:.3f} s")
    finally:
        daemon.close()
    return Row(title, "s", ours, floor, "read the file",
               context.bound(Target(f"≤ {bound_s:g} s", bound_s, of="ours")))


def start_clean(context):
    return [start_row(context, f"start to ready, {loads.count(context.nation):,} events", context.nation, 0.5)]


def kill_under_load(context, daemon, begin):
    """Start, send the rest of the nation, and kill it in the midst of that."""
    daemon.start()
    sender = subprocess.Popen([binary("bench-send"), "--port", str(daemon.port), "--events", str(context.nation),
                               "--skip", str(begin)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while daemon.request("GET", "/v1/status").json()["events"] <= begin:
        time.sleep(0.01)
    daemon.kill()
    sender.wait()


def start_crashed(context):
    total = loads.count(context.nation)
    begin = total - total // 10
    title = f"the same after kill -9 under load, some {begin:,} events"
    ours, floor = Figures(), Figures()
    for turn in range(context.times):
        daemon = clone(context.prepared(context.nation, begin), context.new_folder("crashed"))
        try:
            kill_under_load(context, daemon, begin)
            floor.add(read_through(daemon.database))
            ours.add(start(daemon))
        finally:
            daemon.close()
        say(f"{title}: {ours.values[-1]:.3f} s")
    return [Row(title, "s", ours, floor, "read the file", context.bound(Target("≤ 0.5 s", 0.5, of="ours")))]


def memory(context):
    folder = context.prepared(context.nation)
    grown = context.memory_of(context.nation)
    with clone(folder, context.new_folder("memory")) as daemon:
        started, _ = resident(daemon)
    events = once(os.path.getsize(context.nation) / MIB)
    target = context.bound(Target("≤ 150 MiB", 150, of="ours"))
    count = loads.count(context.nation)
    return [
        Row(f"resident, {count:,} events taken in", "MiB", once(grown[0] / MIB), events, "bytes of the events", target),
        Row("at most meanwhile", "MiB", once(grown[1] / MIB), events, "bytes of the events"),
        Row("resident, just started", "MiB", once(started / MIB), events, "bytes of the events"),
    ]


def database(context):
    size = once(database_bytes(context.prepared(context.nation)) / MIB)
    events = once(os.path.getsize(context.nation) / MIB)
    bare = once(storage_floor(context, context.nation)["database_bytes"] / MIB)
    return [
        Row("database", "MiB", size, events, "bytes of the events", Target("≤ 2.2 of the events", 2.2)),
        Row("database", "MiB", size, bare, "bare SQLite"),
    ]


def rows(context, wanted):
    parts = {"replay": replay, "start": start_clean, "crash": start_crashed, "memory": memory, "database": database}
    return [row for name, measure in parts.items() if wanted(name) for row in measure(context)]
