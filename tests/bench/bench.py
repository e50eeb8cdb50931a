"""The benchmark suite: measures pathwayd beside its floors and its peers. ./dev bench runs it; --help says how.

The table goes to standard output, progress to standard error, everything to build/bench/results.json.
"""

import argparse
import json
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "suite"))

import feeding  # noqa: E402
import growth  # noqa: E402
import ingest  # noqa: E402
import judging  # noqa: E402
import latency  # noqa: E402
import machine  # noqa: E402
import nation  # noqa: E402
import overlays  # noqa: E402
import peers  # noqa: E402
import questions  # noqa: E402
from context import Context  # noqa: E402
from measure import say  # noqa: E402
from table import Row, markdown  # noqa: E402
from tools import HOME, Work  # noqa: E402

SECTIONS = {
    "ingest": (ingest.rows, ["in-order", "in-order-16", "shuffled", "duplicates", "duplicates-1", "requests"]),
    "latency": (latency.rows, ["idle", "load", "midnight"]),
    "nation": (nation.rows, ["replay", "start", "crash", "memory", "database"]),
    "judging": (judging.rows, ["judge"]),
    "questions": (questions.rows, ["show", "explain", "history", "whatif", "as-of"]),
    "feeding": (feeding.rows, ["readers", "asking", "webhook"]),
    "overlays": (overlays.rows, ["sandbox", "neighbours", "reload"]),
    "growth": (growth.rows, ["growth"]),
    "peers": (peers.rows, peers.found()),
}


def read_arguments():
    names = "; ".join(f"{section}: {', '.join(rows)}" for section, (_, rows) in SECTIONS.items())
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Measure pathwayd beside its floors and its peers, in one table.",
        epilog=f"Names for --only, by section: {names}. A section's name stands for all of its own.")
    profile = parser.add_mutually_exclusive_group()
    for name, text in (("quick", "a small load, to try the suite"),
                       ("full", "larger loads, more runs"), ("smoke", argparse.SUPPRESS)):
        profile.add_argument("--" + name, dest="profile", action="store_const", const=name, help=text)
    parser.set_defaults(profile="usual")
    parser.add_argument("--only", metavar="NAME,...", help="only these rows")
    parser.add_argument("--times", type=int, help="so many runs of each")
    return parser, parser.parse_args()


def chosen(parser, only):
    """Is a row wanted?"""
    known = {name for rows in SECTIONS.values() for name in rows[1]} | SECTIONS.keys()
    asked = set(only.split(",")) if only else set(SECTIONS)
    if asked - known:
        parser.error(f"--only: unknown {', '.join(sorted(asked - known))}; known are {', '.join(sorted(known))}")
    for section, (_, rows) in SECTIONS.items():
        if section in asked:
            asked |= set(rows)
    return lambda name: name in asked


def measured(section, context, wanted):
    """A section's rows; when it fails, the others are still measured."""
    say(f"-- {section}")
    try:
        return SECTIONS[section][0](context, wanted)
    except Exception as why:
        traceback.print_exc()
        told = " ".join(str(why).split())[:160] or type(why).__name__
        return [Row(section, "", note=f"failed: {told}")]


def main():
    parser, arguments = read_arguments()
    wanted = chosen(parser, arguments.only)
    rows = []
    with Work() as folder:
        about = machine.describe(folder)
        context = Context(arguments.profile, folder)
        context.times = arguments.times or context.times
        for section, (_, names) in SECTIONS.items():
            if any(map(wanted, names)):
                rows += measured(section, context, wanted)
    print(f"{markdown(rows)}\n{about['line']}; {arguments.profile} run")
    results = {"machine": about, "profile": arguments.profile, "rows": [row.as_json() for row in rows]}
    (HOME / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    return 1 if any(row.note.startswith("failed") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
