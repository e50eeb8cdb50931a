#!/usr/bin/env python3
"""Do the peers end with the decisions that they should? check.py [NAME...]; all of them if none is named.

The sample against its expected answers, in the file's order and shuffled; invented nations and small worlds
against `pathway judge`. PATHWAY_SEED: the first of the seeds (1). PATHWAY_SCHOOLS: how many in a nation (600).
PATHWAY_WORLDS: how many worlds (12).
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path += [str(ROOT / "tests/system"), str(ROOT / "tests/property")]

from daemon import binary  # noqa: E402
from support import (SAMPLE, difference, judge, lines_of, number_from, sample_dates, sample_events,  # noqa: E402
                     shuffled, without_next_step)
from worlds import World  # noqa: E402

NOW = "2026-11-24"
SEED = number_from("PATHWAY_SEED", 1)
SCHOOLS = number_from("PATHWAY_SCHOOLS", 600)
WORLDS = number_from("PATHWAY_WORLDS", 12)


def nation(seed):
    done = subprocess.run([binary("pathway-generate"), "--schools", str(SCHOOLS), "--registrations", "--to", NOW,
                           "--seed", str(seed)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def cases():
    """(title, events, the moment, batch, expected)"""
    for number, date in enumerate(sample_dates()):
        expected = (SAMPLE / f"expected-{date}.csv").read_text()
        yield f"sample at {date}", sample_events(), date, 1000, expected
        yield f"sample at {date}, shuffled", shuffled(sample_events(), SEED + number), date, 100, expected
    for seed in range(SEED, SEED + 3):
        events = nation(seed)
        expected = without_next_step(judge(events, NOW))
        yield f"nation {seed}", events, NOW, 1000, expected
        if seed == SEED:
            yield f"nation {seed}, shuffled", shuffled(events, seed), NOW, 1000, expected
    for seed in range(SEED, SEED + WORLDS):
        events, date = shuffled(World(seed).draw(100), seed), ["2019-09-01", "2023-11-21", NOW][seed % 3]
        yield f"world {seed} at {date}", events, date, [1, 7, 100][seed % 3], without_next_step(judge(events, date))


def decisions(peer, events, now, batch):
    with tempfile.TemporaryDirectory() as folder:
        source, out, database = (Path(folder, name) for name in ("events.ndjson", "out.csv", "database"))
        source.write_text(lines_of(events))
        database.mkdir()
        subprocess.run([HERE / peer / "run", source, "--batch", str(batch), "--dir", database, "--now", now,
                        "--decisions", out], check=True, stdout=subprocess.DEVNULL)
        return out.read_text()


def main():
    peers = sys.argv[1:] or sorted(path.parent.name for path in HERE.glob("*/run"))
    passed = failed = 0
    for title, events, now, batch, expected in cases():
        for peer in peers:
            why = difference(decisions(peer, events, now, batch), expected)
            passed += not why
            failed += bool(why)
            if why:
                print(f"{peer}: {title}: {why}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
