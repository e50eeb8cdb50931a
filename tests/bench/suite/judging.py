"""All rules over all schools, their records in memory: the daemon's code beside the same functions in bare Lua."""

import json

from measure import Figures, say
from table import Row, Target
from tools import NOW, ROOT, binary, pathway, run, tool

HERE = ROOT / "tests/bench"
PACK = ROOT / "rules/national"
NOW_US = 1795478400000000  # NOW
RUNS = 5  # of one start; the first ones warm the caches up


def lua(value):
    """A JSON value as a Lua constructor."""
    if isinstance(value, dict):
        return "{" + ",".join(f"[{lua(str(key))}]={lua(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ",".join(map(lua, value)) + "}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value).replace("null", "nil")


def records(facts):
    """The schools' facts for floor_rules.lua. When the phase was entered is no fact; the decision tells the day."""
    for line in facts:
        school = json.loads(line)
        yield f"record{lua({'subject': school['subject'], 'facts': school['facts']})[:-1]}" \
              f",phase_since={lua(school['decisions']['phase_since'])}}}\n"


def pack_files():
    return ",".join(sorted(path.stem for path in PACK.glob("*.lua") if not path.stem.startswith("tests")))


def school_rows(text):
    return b"".join(line for line in text.splitlines(keepends=True) if line.startswith(b"school/"))


class Schools:
    def __init__(self, context):
        self.database = context.prepared(context.nation) / "pathway.db"
        self.facts = context.folder / "facts.ndjson"
        self.records = context.folder / "records.lua"
        self.decisions = context.folder / "floor.csv"

    def daemon(self):
        """Seconds, the median of a few runs."""
        said = tool("judge", "--database", self.database, "--rules", ROOT / "rules", "--now", NOW, "--times", RUNS,
                    "--facts", self.facts)
        return said["schools"], Figures(said["seconds"]).median

    def floor(self):
        with open(self.facts) as facts, open(self.records, "w") as out:
            out.writelines(records(facts))
        said = run(binary("bench-floor-rules"), HERE / "floor_rules.lua", PACK, pack_files(), self.records, NOW_US,
                   RUNS, self.decisions)
        return Figures(said["seconds"]).median

    def fault(self):
        """The floor counts only when it decides what the daemon decides."""
        exported = school_rows(pathway("export", "decisions", "--at", NOW, "--database", self.database))
        if exported == self.decisions.read_bytes():
            return None
        differing = set(exported.splitlines()) ^ set(self.decisions.read_bytes().splitlines())
        say("\n".join(line.decode() for line in sorted(differing)[:10]))
        return f"the floor does not count: {len(differing)} lines of its decisions differ"


def rows(context, wanted):
    if not wanted("judge"):
        return []
    ours, floor = Figures(), Figures()
    schools = Schools(context)
    for turn in range(context.times):
        count, seconds = schools.daemon()
        ours.add(seconds * 1000)
        floor.add(schools.floor() * 1000)
        say(f"judging {count:,} schools: {ours.values[-1]:.1f} ms, floor {floor.values[-1]:.1f} ms")
    fault = schools.fault()
    title = f"judging {count:,} warm schools, all rules"
    target = Target("≤ 2 of the floor", 2)
    if fault:
        return [Row(title, "ms", ours, None, fault, target)]
    return [Row(title, "ms", ours, floor, "bare Lua", target)]
