"""An explanation is true and complete.

True: no event that it does not name changes the decision by not having come, and no fact that it does not name
changes it by being otherwise. Complete: when exactly what it lists as missing becomes otherwise, the decision is
yes. The first is held against the national rules and small worlds with late events, voids of voids and
successions; the others against rules that are made up from the seed, where every fact can be turned at will.

PATHWAY_EXPLAIN: how many worlds and rules of each kind (3). PATHWAY_SEED: the first (1).
"""

import csv
import io
import itertools
import json
import random
import tempfile
import unittest
from pathlib import Path

from daemon import Daemon, event
from support import judge, number_from
from worlds import World

ROUNDS = number_from("PATHWAY_EXPLAIN", 3)
SEED = number_from("PATHWAY_SEED", 1)
TRIALS = 60
NOW = "2026-11-21T09:00:00Z"


def values(text):
    return {(row[0], row[1]): row[2] for row in list(csv.reader(io.StringIO(text)))[1:]}


def explained(test, d, subject, decision, at):
    kind, code = subject.split("/")
    answer = d.request("GET", f"/v1/{kind}s/{code}/decisions/{decision}?at={at}")
    test.assertEqual(answer.status, 200, answer.text())
    return answer.json()


def named(explanation):
    """The events that it names, by source and id; those that it says made it so come first."""
    return [{(e["source"], e["id"]) for e in explanation[which]} for which in ("events", "behind")]


class Events(unittest.TestCase):
    """No event that is not named can change the decision by not having come."""

    def check(self, seed, events, at):
        """All that is told about all decisions at a moment, and which events make a difference alone."""
        with Daemon(now=NOW) as d:
            d.send(events)
            base = values(judge(events, at))
            told, many = {}, 0
            for subject, decision in base:
                explanation = explained(self, d, subject, decision, at)
                told[subject, decision] = named(explanation)
                shown = explanation["value"]
                shown = "" if shown is None else shown if isinstance(shown, str) else json.dumps(shown)
                self.assertEqual(shown, base[subject, decision], (seed, at, subject, decision))
                many += len(told[subject, decision][0])
            matter = set()
            for e in events:
                without = values(judge([other for other in events if other is not e], at))
                for place, value in without.items():
                    if place not in base or value == base[place]:
                        continue
                    key = (e["source"], e["id"])
                    matter.add((place, key))
                    self.assertTrue(any(key in which for which in told[place]),
                                    f"seed {seed}, at {at}: {place} is {base[place]!r}, without {key} {value!r}; "
                                    f"named are {told[place]}")
        first = sum(key in told[place][0] for place, key in matter)
        print(f"seed {seed}: {len(events)} events, {len(base)} decisions; {len(matter)} times an event alone makes the "
              f"difference, {first} of them among the {many} that are named first")
        return {(place, key[1]) for place, key in matter}

    def test_any_world(self):
        for seed in range(SEED, SEED + ROUNDS):
            with self.subTest(seed=seed):
                dice = random.Random(seed)
                events = World(seed).draw(dice.choice([30, 45]))
                self.check(seed, events, dice.choice([e["time"] for e in events] + ["2024-12-01", "2025-09-01", NOW]))

    # ---- what is easily forgotten ----

    def school(self, urn=1):
        return event("school.registered", f"school/{urn}", {"name": "S", "hub": "01", "education_phase": "primary",
                                                            "status": "open"}, id=f"reg{urn}", time="2020-01-01T00:00:00Z")

    def test_what_kept_a_school_from_moving_is_named(self):
        """It left the group before its year began: without that it had moved on."""
        member = {"group": "group/g", "kind": "embedding", "academic_year": "2024/25"}
        events = [
            self.school(),
            event("phase.recorded", "school/1", {"pathway_phase": "development"}, id="phase", time="2023-09-01T09:00:00Z"),
            event("waiver.granted", "school/1", {"rule": "development_complete", "reason": "r"}, id="waiver",
                  time="2023-10-01T09:00:00Z"),
            event("group.joined", "school/1", member, id="joined", time="2024-07-01T09:00:00Z"),
            event("group.left", "school/1", member, id="left", time="2024-08-01T09:00:00Z")]
        matter = self.check("kept back", events, "2025-01-01")
        self.assertIn((("school/1", "pathway_phase"), "left"), matter)

    def test_an_event_that_left_no_trace_because_of_another_is_named(self):
        """Two contacts on one day: either is enough, but the earlier one is what the later one looked at."""
        made = {"group": "group/g", "academic_year": "2024/25"}
        events = [self.school()] + [event("contact.made", "school/1", made, id=f"c{hour}",
                                          time=f"2024-10-01T{hour:02d}:00:00Z") for hour in (9, 12)]
        self.check("same day", events, "2024-11-01")

    def test_voids_of_what_was_taken_over_are_named(self):
        """A void about the predecessor, a void of a void, and the succession that brings it all."""
        def void(id, of, subject="school/1"):
            return event("event.voided", subject, {"source": "urn:test", "id": of}, id=id,
                         time=f"2024-0{len(id) + 1}-01T00:00:00Z")
        events = [
            self.school(1), self.school(2),
            event("lead.named", "school/1", {"teacher": "t1"}, id="t1", time="2023-01-01T00:00:00Z"),
            event("lead.named", "school/1", {"teacher": "t2"}, id="t2", time="2023-01-02T00:00:00Z"),
            event("commitment.given", "school/1", {}, id="given", time="2023-01-03T00:00:00Z"),
            void("v", "t1"), void("w", "given"), void("ww", "w"),
            event("school.succeeded", "school/2", {"predecessor": "school/1"}, id="taken", time="2024-07-01T00:00:00Z")]
        matter = self.check("taken over", events, "2025-01-01")
        self.assertLessEqual({(("school/2", "two_leads"), "v"), (("school/2", "committed"), "ww"),
                              (("school/2", "committed"), "taken")}, matter)


class Rules:
    """Rules made up from a seed, over facts that can each be turned by an event."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.facts = [f"f{i}" for i in range(self.dice.randint(4, 9))]
        self.keys = ["a", "b", "c"]
        self.basic, self.composite = {}, {}  # name: body; name: (form, criteria)
        for i in range(self.dice.randint(4, 8)):
            self.basic[f"basic{i}"] = self.body()
        names = list(self.basic)
        for i in range(self.dice.randint(3, 6)):
            form = self.dice.choice(["all_of", "any_of", "unless", "all_of"])
            criteria = self.dice.sample(names, self.dice.randint(1, min(4, len(names))))
            self.composite[f"composite{i}"] = (form, criteria)
            names.append(f"composite{i}")

    def can_be_met(self, name):
        """Is there any way at all? Rules that contradict themselves have none."""
        def met(rule, given):
            form, criteria = self.composite.get(rule, (None, ()))
            inner = [met(c, given) for c in criteria]
            return {None: given.get(rule), "all_of": all(inner), "any_of": any(inner), "unless": not any(inner)}[form]
        return any(met(name, dict(zip(self.basic, given)))
                   for given in itertools.product((False, True), repeat=len(self.basic)))

    def atom(self):
        fact, key = self.dice.choice(self.facts), self.dice.choice(self.keys)
        return self.dice.choice([f"(s.{fact} == true)", f"(s.{fact} == true)", f's.members:has("{key}")',
                                 f'(s.marks["{key}"] == "good")', "(#s.members > 1)"])

    def body(self):
        a, b, c = self.atom(), self.atom(), self.atom()
        return self.dice.choice([f"return {a}", f"return {a} and {b}", f"return {a} or {b}", f"return not {a}",
                                 f"if {a} then return {b} else return {c} end",
                                 f"local n = 0; for m in each(s.members) do n = n + 1 end; return n > 1 and {a}"])

    def text(self):
        lines = ['return pack { name = "made", version = "1",', "  events = {"]
        for fact in self.facts:
            lines.append(f'    ["{fact}.set"] = {{ title = "{fact}", subject = "school", data = {{ to = bool }} }},')
        lines += ['    ["member.set"] = { title = "m", subject = "school", data = { key = text, to = bool } },',
                  '    ["mark.set"] = { title = "k", subject = "school", data = { key = text, to = bool } },', "  },",
                  "  facts = { school = { members = set(text), marks = map(text, { 'good', 'bad' }),"]
        lines += [f"    {fact} = bool," for fact in self.facts]
        lines += ["  } },", "  on = { school = {"]
        lines += [f'    ["{fact}.set"] = function(s, e) s.{fact} = e.data.to end,' for fact in self.facts]
        lines += ['    ["member.set"] = function(s, e) if e.data.to then s.members:add(e.data.key) '
                  "else s.members:remove(e.data.key) end end,",
                  '    ["mark.set"] = function(s, e) s.marks[e.data.key] = e.data.to and "good" or "bad" end,',
                  "  } },", "  rules = {"]
        lines += [f'    {name} = rule {{ "{name}", source = "s", function(s) {body} end }},'
                  for name, body in self.basic.items()]
        for name, (form, criteria) in self.composite.items():
            inner = ", ".join(f'"{c}"' for c in criteria)
            lines.append(f'    {name} = {form} {{ "{name}", {inner}, source = "s" }},')
        return "\n".join(lines + ["  },", "}"])


class Made(unittest.TestCase):
    """No fact that is not named changes the decision; what is missing is all that is missing."""

    SCHOOL = "school/1"

    def setUp(self):
        self.second = 0

    def moment(self):
        """A second later each time."""
        self.second += 1
        return f"2026-01-01T{self.second // 3600:02d}:{self.second // 60 % 60:02d}:{self.second % 60:02d}Z"

    def turn(self, place, to, time):
        fact, key = place
        kind, data = {"members": ("member.set", {"key": key}), "marks": ("mark.set", {"key": key})}.get(
            fact, (f"{fact}.set", {}))
        return event(kind, self.SCHOOL, data | {"to": to}, id=f"{fact}-{key}-{time}", time=time)

    def holds(self, d, at):
        shown = d.request("GET", f"/v1/schools/1?at={at}").json()["decisions"]
        return {name: found["value"] for name, found in shown.items()}

    def check(self, seed):
        rules = Rules(seed)
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        (Path(folder.name) / "national").mkdir()
        (Path(folder.name) / "national" / "pack.lua").write_text(rules.text())
        places = [(fact, None) for fact in rules.facts] + [("members", k) for k in rules.keys] + [
            ("marks", k) for k in rules.keys]
        state = {place: rules.dice.random() < 0.5 for place in places}
        with Daemon(now=NOW, rules=folder.name) as d:
            d.send([self.turn(place, to, self.moment()) for place, to in state.items()])
            base_at = self.moment()
            base = self.holds(d, base_at)
            told = {name: explained(self, d, self.SCHOOL, name, base_at) for name in base}
            events, turned = [], {}
            for place, to in state.items():
                turned[place] = self.moment()
                events += [self.turn(place, not to, turned[place]), self.turn(place, to, self.moment())]
            d.send(events)
            for place, at in turned.items():
                for name, value in self.holds(d, at).items():
                    if value != base[name]:
                        self.assertTrue(self.names(told[name], place), (seed, name, place, told[name]))
            fixed = self.fix(d, rules, seed, base, told, state)
        print(f"seed {seed}: {len(places)} parts of facts, {len(base)} rules, {sum(base.values())} of them met, "
              f"{len(fixed)} others were put right")

    def names(self, explanation, place):
        return any(fact["name"] == place[0] and fact.get("key") in (None, place[1])
                   for rule in explanation["rules"] for fact in rule["facts"])

    def fix(self, d, rules, seed, base, told, state):
        """Turn facts at random: wherever every missing criterion is as it is wanted, and the others are as they were,
        the whole is met."""
        self.assertEqual({name for name in base if told[name]["missing"]}, {n for n in base if not base[n]}, seed)
        dice, events, moments = random.Random(f"fix {seed}"), [], []
        for _ in range(TRIALS):
            moments.append(self.moment())
            events += [self.turn(place, dice.random() < 0.5, moments[-1]) for place in state]
        d.send(events)
        found = set()
        for held in (self.holds(d, at) for at in moments):
            for name, explanation in told.items():
                if not rules.can_be_met(name):
                    continue
                listed = {m["rule"]: m["wanted"] for m in explanation["missing"]}
                basic = {r["rule"]: r["value"] for r in explanation["rules"] if r["form"] == "rule"}
                if listed and all(held[rule] == listed.get(rule, value) for rule, value in basic.items()):
                    found.add(name)
                    self.assertTrue(held[name], (seed, name, listed))
        return found

    def test_any_rules(self):
        for seed in range(SEED, SEED + 3 * ROUNDS):
            with self.subTest(seed=seed):
                self.second = 0
                self.check(seed)


if __name__ == "__main__":
    unittest.main()
