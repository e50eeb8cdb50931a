"""The events: an invented nation, in event order, cut, shuffled. Made once, kept under build/bench/loads."""

import hashlib
import json
import random
import subprocess

from measure import say
from tools import HOME, binary

SHUFFLE_SEED = 7
UTC_TEXT = len("2015-05-23T23:00:00.000000Z")


def event_order(line):
    """The key that DESIGN's event order sorts by. Instants compare as texts: all are of one form, in UTC."""
    event = json.loads(line)
    if len(event["time"]) != UTC_TEXT or event["time"][-1] != "Z":
        raise ValueError(f"found the time {event['time']}, expected one with microseconds in UTC")
    return event["time"], event.get("sequence", ""), event["source"], event["id"]


def generator_digest():
    with open(binary("pathway-generate"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:12]


def kept(name, make):
    """The file of this name; `make` gives its lines when it is not there, or another generator made it."""
    folder = HOME / "loads" / generator_digest()
    path = folder / f"{name}.ndjson"
    if not path.exists():
        say(f"making the load {name}")
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with open(part, "wb") as file:
            file.writelines(make())
        part.rename(path)
    return path


def lines_of(path):
    with open(path, "rb") as file:
        return file.readlines()


def generate(schools, seed=1):
    command = [binary("pathway-generate"), "--schools", str(schools), "--registrations", "--seed", str(seed)]
    lines = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines(keepends=True)
    lines.sort(key=event_order)
    return lines


def nation(schools):
    """A decade of so many schools, in event order: registrations first, as a hub begins."""
    return kept(f"nation-{schools}", lambda: generate(schools))


def first(load, count):
    """The first so many events of a load."""
    return kept(f"{load.stem}-first-{count}", lambda: lines_of(load)[:count])


def shuffled(load):
    def make():
        lines = lines_of(load)
        random.Random(SHUFFLE_SEED).shuffle(lines)
        return lines
    return kept(f"{load.stem}-shuffled", make)


def count(load):
    with open(load, "rb") as file:
        return sum(1 for _ in file)
