"""The events: an invented nation, in event order, cut, shuffled. Made once, kept under build/bench/loads."""

import hashlib
import json
import random
import re
import subprocess
from datetime import datetime, timedelta

from measure import say
from tools import HOME, NOW, binary

SHUFFLE_SEED = 7
UTC_TEXT = len("2015-05-23T23:00:00.000000Z")


def event_key(line):
    """The key that DESIGN's event order sorts by, as bytes. Instants compare as texts: all are of one form, in UTC."""
    event = json.loads(line)
    if len(event["time"]) != UTC_TEXT or event["time"][-1] != "Z":
        raise ValueError(f"found the time {event['time']}, expected one with microseconds in UTC")
    return "\0".join((event["time"], event.get("sequence", ""), event["source"], event["id"])).encode()


def in_event_order(lines):
    return sorted(lines, key=event_key)


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


def generate(schools, hub_size=400, seed=1, to=NOW[:10]):
    command = [binary("pathway-generate"), "--schools", str(schools), "--hub-size", str(hub_size), "--seed", str(seed),
               "--to", to, "--registrations"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines(keepends=True)


def nation(schools):
    """A decade of so many schools, in event order: registrations first, as a hub begins."""
    return kept(f"nation-{schools}", lambda: in_event_order(generate(schools)))


DENSE = re.compile(rb'"type":"(school\.visited|contact\.made|group\.met|focus\.worked)"')
TIME = re.compile(rb'"time":"([^"]*)"')
ID = re.compile(rb'"id":"([^"]*)"')


def later(line, days):
    """The same again, so many days later, as an event of its own; None when that is in the future."""
    moment = datetime.fromisoformat(TIME.search(line)[1].decode()) + timedelta(days=days)
    if moment >= datetime.fromisoformat(NOW):
        return None
    line = ID.sub(lambda found: b'"id":"%s-%d"' % (found[1], days), line, count=1)
    return TIME.sub(b'"time":"%s"' % moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode(), line, count=1)


def dense(lines, copies):
    """The same story with visits, contacts, meetings and focuses recorded `copies` times more, on the days after: what
    a nation tells that writes everything down. Records grow no larger by it, and no phase is another."""
    told = list(lines)
    for line in lines:
        if DENSE.search(line):
            told += filter(None, (later(line, days) for days in range(1, copies + 1)))
    return told


def dense_nation(schools, copies, to):
    return kept(f"nation-{schools}-dense-{copies}-to-{to}",
                lambda: in_event_order(dense(generate(schools, to=to), copies)))


def school_years(load):
    """How many events of a load come before each 1 September after the first one that it passes."""
    counts, bound = [], None
    with open(load, "rb") as file:
        for number, line in enumerate(file):
            moment = TIME.search(line)[1]
            bound = bound or b"%d-08-31T23" % int(moment[:4])
            while moment >= bound:
                counts.append(number)
                bound = b"%d-08-31T23" % (int(bound[:4]) + 1)
    return counts


def elsewhere(schools, copies):
    """Another, dense nation of five hubs, with schools, groups and sources that the first one does not have."""
    def make():
        lines = dense(generate(schools, hub_size=schools // 5, seed=2), copies)
        names = ((b'"school/2', b'"school/3'), (b'"group/', b'"group/other-'), (b'"urn:hub:', b'"urn:other:'))
        for old, new in names:
            lines = [line.replace(old, new) for line in lines]
        return in_event_order(lines)
    return kept(f"elsewhere-{schools}-dense-{copies}", make)


LAST_HUB = b'"source":"urn:other:05"'


def but_last_hub(load):
    return kept(f"{load.stem}-hubs", lambda: (line for line in lines_of(load) if LAST_HUB not in line))


def last_hub(load):
    return kept(f"{load.stem}-last-hub", lambda: (line for line in lines_of(load) if LAST_HUB in line))


def until(load, moment):
    """The events of a load before an instant (as a text of the same form)."""
    def make():
        return (line for line in lines_of(load) if TIME.search(line)[1] < moment.encode())
    return kept(f"{load.stem}-until-{moment[:13]}", make)


def last_midnight(load):
    """The last 1 September, 0:00 in London, that a load in event order comes past."""
    end = TIME.search(lines_of(load)[-1])[1].decode()
    year = int(end[:4])
    return f"{year if end[5:7] >= '09' else year - 1}-08-31T23:00:00.000000Z"


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
