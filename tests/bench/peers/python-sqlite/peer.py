"""run EVENTS.ndjson --batch N --dir DIR --now TIME --decisions OUT.csv"""

import argparse
import csv
import itertools
import json
import time
from pathlib import Path

from event import Event
from fold import as_of, fold, history, take
from record import empty_record
from rules import decide
from store import Store
from when import instant, midnight


class Touched:
    """A subject that a batch touches."""

    def __init__(self):
        self.events = []
        self.must_refold = False
        self.cause = None


def reach(store, event):
    """What a void reaches: the subjects of its target, and if that is a void, of its target, and so on."""
    seen = set()
    while event and event.seq not in seen:
        seen.add(event.seq)
        yield from event.touches()
        event = store.find(event.data["source"], event.data["id"]) if event.type == "event.voided" else None


def touched_by(store, events):
    touched = {}

    def at(subject, cause):
        entry = touched.setdefault(subject, Touched())
        entry.cause = cause
        return entry

    for event in events:
        if event.type in ("event.voided", "school.succeeded") or store.voids_of(event):
            for subject in reach(store, event):
                at(subject, event.seq).must_refold = True
        else:
            for subject in event.touches():
                at(subject, event.seq).events.append(event)
    # The schools that continue a school which is touched are folded anew, and those that continue them.
    waiting = list(touched)
    while waiting:
        subject = waiting.pop()
        for successor in store.successors_of(subject):
            if successor not in touched:
                waiting.append(successor)
            at(successor, touched[subject].cause).must_refold = True
    return touched


def bring_up(store, subject, entry, now):
    """The record with what is new; None when nothing has happened to the subject yet."""
    if not entry.must_refold:
        events = sorted((event for event in entry.events if event.time <= now), key=lambda event: event.key)
        if not events:
            return None
        record = store.record(subject) or empty_record(subject)
        if not record["last"] or list(events[0].key) > record["last"]:
            for event in events:
                take(record, event, [subject])
            return record
    items = history(store, subject, now)
    if not items and not any(event.time <= now for event in store.events_of(subject)):
        return None
    return fold(subject, items)


def take_batch(store, lines, now):
    store.db.execute("BEGIN IMMEDIATE")
    events = [event for event in map(Event, lines) if store.append(event)]
    for subject, entry in touched_by(store, events).items():
        record = bring_up(store, subject, entry, now)
        if record:
            store.put_record(record)
            store.publish(subject, decide(as_of(record, now), now), entry.cause)
    store.db.execute("COMMIT")


def write_decisions(store, path):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["subject", "decision", "value"])
        for subject, name, value in store.all_decisions():
            writer.writerow([subject, name, str(value).lower() if isinstance(value, bool) else value])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("events")
    parser.add_argument("--batch", type=int, required=True)
    for name in ("--dir", "--now", "--decisions"):
        parser.add_argument(name, required=True)
    args = parser.parse_args()
    now = instant(args.now) if "T" in args.now else midnight(args.now)
    database = Path(args.dir, "peer.db")
    store = Store(database, now)
    count = 0

    start = time.perf_counter()
    with open(args.events, encoding="utf-8") as file:
        lines = (line.rstrip("\n") for line in file if not line.isspace())
        while batch := list(itertools.islice(lines, args.batch)):
            take_batch(store, batch, now)
            count += len(batch)
    seconds = time.perf_counter() - start

    write_decisions(store, args.decisions)
    store.db.close()
    print(json.dumps({"events": count, "seconds": seconds, "changes": store.changes,
                      "database_bytes": database.stat().st_size}))


if __name__ == "__main__":
    main()
