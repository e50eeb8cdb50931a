"""Typical mistakes in a pack, each with what `pathway check` must say of it, in which line; and mutants of the
national pack, none of which may pass without a word."""

import random
import re
import shutil
import tempfile
import unittest
from pathlib import Path

from authors import marked_line, problems_of, small

from support import RULES, number_from, tool

RULE = 'source = "x",'

# What is wrong, and what must be said, in the line with the mark --! (in none: of the whole file).
MISTAKES = [
    ("a misspelt fact", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.opne end }}, --!"""),
     'unknown fact or rule \'opne\'; did you mean "open"?'),
    ("a misspelt rule behind s", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return not s.tow_leads end }}, --!"""),
     'unknown fact or rule \'tow_leads\'; did you mean "two_leads"?'),
    ("a misspelt criterion", dict(rules=f"""a = all_of {{ "A", "is_opne", {RULE} }}, --!"""),
     'a: unknown rule \'is_opne\'; did you mean "is_open"?'),
    ("a misspelt parameter", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return #s.leads > s.param.leads_neded end }}, --!"""),
     'unknown parameter \'leads_neded\'; did you mean "leads_needed"?'),
    ("a misspelt parameter in needs", dict(rules=f"""a = rule {{ "A", {RULE} needs = at_least("leads_nedeed"), --!
        function(s) return #s.leads end }},"""),
     'a: unknown parameter \'leads_nedeed\'; did you mean "leads_needed"?'),
    ("a misspelt event", dict(on="""["lead.nmaed"] = function(s, e) s.open = true end, --!"""),
     'on.school: unknown event \'lead.nmaed\'; did you mean "lead.named"?'),
    ("a misspelt field of an event", dict(
        events="""["lead.left"] = { title = "L", subject = "school", data = { teacher = person } },""",
        on="""["lead.left"] = function(s, e)
          s.leads:remove(e.data.teachr) end, --!"""),
     'unknown field \'teachr\' of the event\'s data; did you mean "teacher"?'),
    ("a misspelt key of a rule", dict(rules=f"""a = rule {{ "A", {RULE} function(s) return s.open end,
        advise = "Open it" }}, --!"""),
     'unknown key \'advise\' in a; did you mean "advice"?'),
    ("a misspelt word", dict(rules=f"""a = rul {{ "A", {RULE} function(s) return s.open end }}, --!"""),
     'unknown name \'rul\'; did you mean "rule"?'),
    ("a misspelt function", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.promised ~= nil and s:reached(s.promised + day(3)) end }}, --!"""),
     'unknown name \'day\'; did you mean "days"?'),
    ("a misspelt method", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s:reachd(midnight("2025-01-01")) end }}, --!"""),
     'unknown fact or rule \'reachd\'; did you mean "reached"?'),
    ("a missing end", dict(rules=f"""a = rule {{ "A", {RULE} function(s)
        if s.open then return true }}, --!"""),
     "'end' expected near '}'; is an end missing before it?"),
    ("a missing comma", dict(rules=f"""a = rule {{ "A", {RULE} function(s) return s.open end }}
        b = rule {{ "B", {RULE} function(s) return s.open end }}, --!"""), None),
    ("a missing quote", dict(rules=f"""a = rule {{ "A, {RULE} function(s) return s.open end }}, --!"""), None),
    ("= for ==", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) if s.open = true then return true end end }}, --!"""), "'then' expected near '='; two values are compared by =="),
    ("no return", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) local yes = s.open and 1 end }}, --!"""),
     "this function returns nothing; expected return and a value"),
    ("a return that gives nothing", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) local yes = s.open return end }}, --!"""),
     "this function returns nothing; expected return and a value"),
    ("a wrong value of an enum, compared", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.phase == "primry" end }}, --!"""),
     'phase is never "primry"; expected one of primary, secondary; did you mean "primary"?'),
    ("a wrong value of an enum, set", dict(
        events="""["school.moved"] = { title = "M", subject = "school", data = {} },""",
        on="""["school.moved"] = function(s, e)
          s.phase = "secundary" end, --!"""),
     'phase is never "secundary"; expected one of primary, secondary; did you mean "secondary"?'),
    ("an instant compared with a text", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.promised ~= nil and s.promised > "2024-09-01" end }}, --!"""),
     'promised is an instant, no text; write midnight("2024-09-01"), or ask s:reached(...)'),
    ("an instant compared with a number", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.promised ~= nil and s.promised > 2024 end }}, --!"""),
     'promised is an instant, no number; write midnight("2026-09-01"), or ask s:reached(...)'),
    ("a number added to an instant", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.promised ~= nil and s:reached(s.promised + 365) end }}, --!"""),
     'promised is an instant, to which no number is added; expected days(...)'),
    ("a parameter added to an instant", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.promised ~= nil and s:reached(s.param.promise_days + s.promised) end }}, --!"""),
     'promised is an instant, to which no number is added; expected days(s.param.promise_days)'),
    ("a parameter read as a fact", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return #s.leads > s.leads_needed end }}, --!"""),
     "unknown fact or rule 'leads_needed'; a parameter is read as s.param.leads_needed"),
    ("null for nil", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.pupils ~= null end }}, --!"""),
     "null is what a test expects of a decision without a value; whether a fact is there is asked by: if s.NAME then"),
    ("reached with a dot", dict(rules=f"""a = rule {{ "A", {RULE} function(s)
        return s.reached(midnight("2024-09-01")) end }}, --!"""),
     "reached: it is called with a colon: s:reached(...)"),
    ("a date that is none", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.opened_on == "1 September" end }}, --!"""),
     'opened_on is a date; found "1 September", expected a date such as 2026-11-21: a date has four, two and two digits'),
    ("a number compared with a text", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.pupils == "100" end }}, --!"""),
     "pupils is a number, no text; write it without quotes"),
    ("a set compared with a number", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.leads >= 2 end }}, --!"""),
     "leads is a container, no number; to count what is in it, write # before it"),
    ("a dot for a colon", dict(
        events="""["lead.left"] = { title = "L", subject = "school", data = { teacher = person } },""",
        on="""["lead.left"] = function(s, e)
          s.leads.remove(e.data.teacher) end, --!"""),
     "found a text, expected a fact that is a set, list or map; methods are called with a colon: s.leads:add(...)"),
    ("what may be missing, reckoned with", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return s.pupils + 1 > 3 end }}, --!"""),
     "'pupils' is nothing here, and can not be calculated with; where it may be missing, write (... or 0)"),
    ("an unknown fact, set", dict(
        events="""["school.moved"] = { title = "M", subject = "school", data = {} },""",
        on="""["school.moved"] = function(s, e)
          s.opened = true end, --!"""),
     'unknown fact \'opened\'; did you mean "open"?'),
    ("a rule that changes a fact", dict(rules=f"""a = rule {{ "A", {RULE} function(s)
        s.open = true --!
        return true end }},"""),
     "a rule can not change open: facts are changed only by reducers (the functions under `on`)"),
    ("a reducer that reads a rule", dict(
        events="""["school.moved"] = { title = "M", subject = "school", data = {} },""",
        on="""["school.moved"] = function(s, e)
          s.open = s.two_leads end, --!"""),
     "a reducer can not read the rule two_leads: rules judge, reducers record"),
    ("a rule that reads itself", dict(rules=f"""a = rule {{ "A", {RULE} --!
        function(s) return not s.a end }},"""), "rule a reads itself: a -> a"),
    ("rules in a circle", dict(rules=f"""a = all_of {{ "A", "b", {RULE} }}, --!
        b = rule {{ "B", {RULE} function(s) return not s.a end }},"""), "rule a reads itself: a -> b -> a"),
    ("no title", dict(rules=f"""a = rule {{ {RULE} function(s) return s.open end }}, --!"""), None),
    ("no source", dict(rules="""a = rule { "A", function(s) return s.open end }, --!"""),
     'a names no source; expected source = "where this rule comes from"'),
    ("a variable without local", dict(rules=f"""a = rule {{ "A", {RULE} function(s)
        count = 1 --!
        return s.open end }},"""),
     "'count' is assigned without local; a pack has no global variables"),
    ("the clock of the machine", dict(rules=f"""a = rule {{ "A", {RULE}
        function(s) return os.time() > 3 end }}, --!"""), "unknown name 'os': a pack reads no files and no "
     "clock, and runs nothing but itself; what time it is ask by s:reached(...)"),
    ("the same rule twice", dict(rules=f"""a = rule {{ "A", {RULE} function(s) return s.open end }},
        a = rule {{ "A", {RULE} function(s) return s.open end }}, --!"""), None),
    ("dated versions out of order", dict(params="""p = { 1, from = {
        ["2026-09-01"] = 3, --!
        ["2025-09-01"] = 2 } }"""),
     "parameter p: 2026-09-01 stands before an earlier date; expected dates in order, the earliest first"),
    ("a dated version of another type", dict(params="""p = { 1, from = {
        ["2026-09-01"] = "three", --!
        } }"""),
     "parameter p: from 2026-09-01 it is a text, before that a number"),
    ("needs without a comparison", dict(rules=f"""a = rule {{ "A", {RULE} needs = 2, --!
        function(s) return #s.leads end }},"""), None),
    ("a type that there is not", dict(facts="""size = txt, --!"""), 'unknown name \'txt\'; did you mean "text"?'),
    ("a criterion that nothing reaches", dict(rules="""a = criterion { "A", function(s) return s.open end }, --!"""),
     None),
]

# Words of those who made Lua, not of those who write rules.
FOREIGN = re.compile(r"\b(nil|userdata|upvalue|metamethod|metatable|string value|boolean|stack overflow|bad argument)\b")


class Typical(unittest.TestCase):
    def test_each_is_told_with_its_line(self):
        self.assertGreaterEqual(len(MISTAKES), 30)
        for what, parts, message in MISTAKES:
            with self.subTest(what):
                text = small(**parts)
                code, told = problems_of(text)
                self.assertEqual(code, 1)
                self.assertIn(marked_line(text), [line for line, _ in told], told)
                if message:
                    self.assertIn((marked_line(text), message), told)
                for _, said in told:
                    self.assertNotRegex(said, FOREIGN)

    def test_all_are_told_at_once(self):
        text = small(rules=f"""a = rule {{ "A", {RULE} function(s) return s.opne end }},
          b = rule {{ "B", function(s) return s.open end }},
          c = all_of {{ "C", "two_laeds", {RULE} }},""", params="""p = { 1, form = {} },""")
        _, told = problems_of(text)
        for part in ("opne", "names no source", "two_laeds", "form"):
            self.assertTrue(any(part in message for _, message in told), (part, told))


def slip(rng, text):
    """Leave out or double a letter of one word of four letters or more that is not in a comment or text."""
    spots = [m for m in re.finditer(r"\b[a-z_]{4,}\b", text) if is_code(text, m.start())]
    m = rng.choice(spots)
    at = rng.randrange(m.start() + 1, m.end() - 1)
    return text[:at] + text[at + 1:]


def wrong_value(rng, text):
    """Leave out a letter of a text of one word that a function compares with."""
    spots = [m for m in re.finditer(r'[=~]= "([a-z_]{4,})"', text)]
    m = rng.choice(spots)
    return text[:m.start(1) + 1] + text[m.start(1) + 2:]


def without(word):
    def mutate(rng, text):
        spots = [m for m in re.finditer(word, text) if is_code(text, m.start())]
        m = rng.choice(spots)
        return text[:m.start()] + text[m.end():]
    return mutate


def is_code(text, at):
    line = text[text.rfind("\n", 0, at) + 1:at]
    return "--" not in line and line.count('"') % 2 == 0 and line.count("'") % 2 == 0


MUTATIONS = [  # how, and in which files
    (slip, ("rules", "alerts", "moves", "record", "events", "groups", "next_step")),
    (slip, ("rules", "alerts", "moves", "record", "events", "groups", "next_step")),
    (slip, ("rules", "alerts", "moves", "record", "groups", "pack")),
    (wrong_value, ("rules", "alerts", "moves", "record", "groups")),
    (without(r"\bend\b"), ("rules", "alerts", "moves", "record", "groups", "next_step")),
    (without(r"\breturn\b"), ("rules", "alerts", "groups")),
    (without(r","), ("rules", "events", "record", "pack")),
]

# Mutants that mean the same: who changes nothing can not be found. By seed.
EQUIVALENT = {}


class Mutants(unittest.TestCase):
    def test_none_passes_without_a_word_and_none_crashes(self):
        first = number_from("PATHWAY_SEED", 1)
        for seed in range(first, first + number_from("PATHWAY_MUTANTS", 30)):
            if seed in EQUIVALENT:
                continue
            with self.subTest(seed=seed):
                self.check(seed)

    def check(self, seed):
        rng = random.Random(seed)
        mutate, files = MUTATIONS[seed % len(MUTATIONS)]
        with tempfile.TemporaryDirectory() as folder:
            pack = Path(folder) / "national"
            shutil.copytree(RULES / "national", pack)
            file = pack / f"{rng.choice(files)}.lua"
            before = file.read_text()
            after = mutate(rng, before)
            file.write_text(after)
            change = f"{file.name}: {difference(before, after)}"
            done = tool("check", folder)
            self.assertIn(done.returncode, (0, 1), f"{change}\n{done.stderr}")
            if done.returncode == 1:
                self.assertTrue(done.stderr.strip(), change)
                self.assertNotRegex(done.stderr, FOREIGN, change)
                self.assertIn(f"{pack}/", done.stderr, change)
                return
            tests = tool("test", folder)
            self.assertEqual(tests.returncode, 1, f"nobody says a word: {change}")
            self.assertIn("FAILED", tests.stdout)


def difference(before, after):
    """The first line that differs, before and after."""
    for number, (old, new) in enumerate(zip(before.splitlines(), after.splitlines()), 1):
        if old != new:
            return f"{number}: {old.strip()} => {new.strip()}"
    return "nothing"


if __name__ == "__main__":
    unittest.main()
