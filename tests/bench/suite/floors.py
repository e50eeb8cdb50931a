"""What pathwayd is held against: the same work with nothing around it."""

import subprocess

from measure import say
from tools import binary, tool


def storage_floor(context, load, batch=1000, skip=0, limit=0):
    """The rows that this load leaves in the daemon's log and feed, written by SQLite alone."""
    database = context.prepared(load) / "pathway.db"
    target = context.folder / "floor.db"
    said = tool("floor-storage", "--from", database, "--to", target, "--batch", batch, "--skip", skip,
                "--limit", limit)
    target.unlink()
    if not limit and said["database_bytes"] > database.stat().st_size:
        say("the storage floor writes more bytes than the daemon has: floor_rows.c must read what is really stored")
    return said


def latency_floor(context, load, skip=0, limit=0):
    """Append and fsync, event by event: {"p50", "p99", "max"} in milliseconds."""
    target = context.folder / "floor.log"
    said = tool("floor-latency", "--events", load, "--to", target, "--skip", skip, "--limit", limit)
    target.unlink()
    return said["latency_ms"]


class Bare:
    """A bare libmicrohttpd server, where send() takes a daemon."""

    def __enter__(self):
        self.process = subprocess.Popen([binary("bench-floor-http")], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
