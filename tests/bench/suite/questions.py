"""Questions: about one school beside a plain fold of its events, and about all of them beside the rules or a scan.

Both sides run inside one process each (bench-questions): a worker of the daemon answers the same way, without what
HTTP adds to any answer.
"""

import json

import judging
from loads import lines_of
from measure import Figures, say
from table import Row, Target
from tools import NOW, ROOT, pathway, tool

PAST = "2024-03-01"  # a moment in the midst of the decade
SCHOOLS = 200        # asked about one by one
CHANGED = 'function(s, e) s.leads:remove(e.data.teacher) end'  # a reducer; another one in its place
OTHER = 'function(s, e) if s.leads:has(e.data.teacher) then s.leads:remove(e.data.teacher) end end'


def some_schools(load, most):
    """Schools from all over the load."""
    names = {}
    for line in lines_of(load):
        subject = json.loads(line)["subject"]
        if subject.startswith("school/"):
            names[subject] = True
    names = sorted(names)
    return names[::max(1, len(names) // most)][:most]


class Asked:
    """Lines of parameters, and who answers them."""

    def __init__(self, context, name, lines):
        self.database = context.prepared(context.nation) / "pathway.db"
        self.lines = context.folder / f"questions-{name}.ndjson"
        self.lines.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def seconds(self, *how):
        said = tool("questions", "--database", self.database, "--rules", ROOT / "rules", "--now", NOW, "--lines",
                    self.lines, *how)
        return said["seconds"][0]

    def ask(self, question):
        return self.seconds("--ask", question)


def beside(context, title, unit, ours, floor, floor_name, target, per=1000.0):
    """A row: measured in turn."""
    a, b = Figures(), Figures()
    for turn in range(context.times):
        a.add(ours() * per)
        b.add(floor() * per)
        say(f"{title}: {a.values[-1]:.3f} {unit}, {floor_name} {b.values[-1]:.3f}")
    return Row(title, unit, a, b, floor_name, context.bound(target))


# ---- one school ----

def one_by_one(context, wanted):
    schools = some_schools(context.nation, SCHOOLS)
    database = context.prepared(context.nation) / "pathway.db"
    shown = json.loads(pathway("show", schools[0], "--json", "--database", database))
    decisions = sorted(shown["decisions"])
    lines = {
        "show": [{"subject": school} for school in schools],
        "explain": [{"subject": school, "decision": decisions[i % len(decisions)]} for i, school in enumerate(schools)],
        "history": [{"subject": school} for school in schools],
    }
    titles = {"show": "show a school", "explain": "explain a decision, each in turn", "history": "history of a school"}
    for name, asked in lines.items():
        if wanted(name):
            a = Asked(context, name, asked)
            yield beside(context, titles[name], "ms", lambda: a.ask("subject" if name == "show" else name),
                         lambda: a.seconds("--fold", "yes"), "plain fold", Target("< 5 of the floor", 5),
                         1000.0 / len(asked))


# ---- all of them ----

def changed_rules(context):
    """The rules in force with another reducer, as files."""
    files, found = [], 0
    for path in sorted((ROOT / "rules/national").glob("*.lua")):
        text = path.read_text()
        found += CHANGED in text
        files.append({"path": f"national/{path.name}", "text": text.replace(CHANGED, OTHER)})
    if found != 1:
        raise RuntimeError(f"the reducer that is changed is not there: {CHANGED}")
    return {"files": files, "keep": True, "may_load": True}


def scanned(context, name, title, question, params, bound=1.2):
    a = Asked(context, name, [params])
    return beside(context, title, "s", lambda: a.ask(question), lambda: a.seconds("--scan", "yes"), "scan and fold",
                  Target(f"≤ {bound:g} of the floor", bound), 1.0)


def whatif_alerts(context):
    """Once asked, the records are warm for the next one who supposes something else."""
    schools = judging.Schools(context)
    schools.daemon()  # writes the records that the floor judges
    a = Asked(context, "alerts", [{"set": {"contact_days": 60}, "format": "csv"}])
    return beside(context, "what-if: a parameter that only alerts read, records warm", "s", lambda: a.ask("whatif"),
                  schools.floor, "bare Lua", Target("≤ 2 of the floor", 2), 1.0)


def rows(context, wanted):
    found = list(one_by_one(context, wanted))
    if wanted("whatif"):
        moved = {"set": {"meetings_needed": 6}}
        found.append(whatif_alerts(context))
        found.append(scanned(context, "moves", "what-if: a parameter that moves read", "whatif",
                             moved | {"format": "csv"}))
        found.append(scanned(context, "reducer", "what-if: a reducer is another one", "whatif",
                             changed_rules(context) | {"format": "csv"}))
        found.append(scanned(context, "years", "what-if: the first again, with all past years", "whatif",
                             moved | {"format": "json"}))
    if wanted("as-of"):
        found.append(scanned(context, "list", "list as of a past date", "list",
                             {"kind": "school", "at": PAST, "where": {"stale_urn": "true"}}))
        found.append(scanned(context, "export", "export as of a past date", "decisions", {"at": PAST, "format": "csv"}))
    return found
