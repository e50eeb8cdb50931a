"""An explanation is true and complete.

True: the events that it says make a difference alone are those, and no others, without which the decision is
another one; those that make one together do, and nothing in the group can be spared; and no fact that it does not name
changes the decision by being otherwise. Complete: when exactly what it lists as missing becomes otherwise, the decision
is yes. The first is held against the national rules and small worlds with late events, voids of voids, successions, and
schools that move between hubs whose overlays contradict each other; the others against rules that are made up from the
seed, where every fact can be turned at will.

PATHWAY_EXPLAIN: how many worlds and rules of each kind (2). PATHWAY_SEED: the first (1).
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
from support import RULES, judge, number_from
from test_hubs import HubWorld, rules_with
from worlds import World

ROUNDS = number_from("PATHWAY_EXPLAIN", 2)
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


def key_of(event):
    return event["source"], event["id"]


class Told:
    """The events that an explanation says can change it, and how."""

    def __init__(self, explanation):
        lists = ("events", "read", "behind")
        keys = {e["seq"]: key_of(e) for which in lists for e in explanation[which]}
        assert len(keys) == sum(len(explanation[which]) for which in lists), "an event is in two lists"
        self.alone = {key_of(e) for e in explanation["events"] if e["alone"]}
        self.together = {key_of(e): frozenset(keys[seq] for seq in e["with"])
                         for e in explanation["events"] if e["alone"] is False}
        self.unknown = {key_of(e) for e in explanation["events"] if e["alone"] is None}
        self.others = {key_of(e) for which in ("read", "behind") for e in explanation[which]}


class Events(unittest.TestCase):
    """The events that are named are those whose removal can change the decision."""

    GROUPS = 8  # of events that make a difference together: tried in each world

    def without(self, keys):
        """What is decided without these events. A decision of a subject that is listed is None where no rule makes it."""
        if keys not in self.tried:
            left = [e for e in self.events if key_of(e) not in keys]
            found = values(judge(left, self.at, self.rules))
            listed = {subject for subject, _ in found}
            self.tried[keys] = {place: found.get(place) for place in self.base if place[0] in listed}
        return self.tried[keys]

    def check(self, seed, events, at, rules=RULES):
        """All that is told about all decisions at a moment; which events make a difference alone."""
        self.events, self.at, self.rules, self.tried = events, at, rules, {}
        self.base = values(judge(events, at, rules))
        told = {}
        with Daemon(now=NOW, rules=rules) as d:
            d.send(events)
            for subject, decision in self.base:
                explanation = explained(self, d, subject, decision, at)
                told[subject, decision] = Told(explanation)
                shown = explanation["value"]
                shown = "" if shown is None else shown if isinstance(shown, str) else json.dumps(shown)
                if "error" not in explanation:
                    self.assertEqual(shown, self.base[subject, decision], (seed, at, subject, decision))
        matter = set()
        for e in events:
            key = key_of(e)
            for place, value in self.without(frozenset([key])).items():
                if value != self.base[place]:
                    matter.add((place, key))
                said = key in told[place].alone or key in told[place].unknown
                self.assertEqual(said, value != self.base[place] or key in told[place].unknown,
                                 f"seed {seed}, at {at}: {place} is {self.base[place]!r}, without {key} {value!r}; "
                                 f"alone {sorted(told[place].alone)}, others {sorted(told[place].others)}")
        groups = self.check_groups(seed, told)
        many = {name: sum(len(getattr(t, name)) for t in told.values()) for name in ("alone", "unknown", "others")}
        print(f"seed {seed}: {len(events)} events, {len(self.base)} decisions; {many['alone']} times an event alone makes "
              f"the difference, {groups[0]} times one together with others ({groups[1]} tried); {many['unknown']} unknown, "
              f"{many['others']} others were looked at")
        return {(place, key[1]) for place, key in matter}

    def check_groups(self, seed, told):
        """Without the others all is as it was; without the event too it is not."""
        groups = [(place, key, others) for place, t in told.items() for key, others in t.together.items()]
        tried = random.Random(str(seed)).sample(sorted(groups, key=str), min(self.GROUPS, len(groups)))
        for place, key, others in tried:
            where = f"seed {seed}, at {self.at}: {place} is {self.base[place]!r}; {key} with {sorted(others)}"
            same, other = self.without(others), self.without(others | {key})
            if place in same:
                self.assertEqual(same[place], self.base[place], where)
            if place in other:
                self.assertNotEqual(other[place], self.base[place], where)
        return len(groups), len(tried)

    def test_any_world(self):
        for seed in range(SEED, SEED + ROUNDS):
            with self.subTest(seed=seed):
                dice = random.Random(seed)
                events = World(seed).draw(dice.choice([25, 35]))
                self.check(seed, events, dice.choice([e["time"] for e in events] + ["2024-12-01", "2025-09-01", NOW]))

    def test_any_world_of_hubs_that_contradict_each_other(self):
        """Which rules there are to be looked at is because of the event that brought the school to its hub."""
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        rules = rules_with(folder.name, "01", "02")
        for seed in range(SEED, SEED + max(1, ROUNDS // 2)):
            with self.subTest(seed=seed):
                dice = random.Random(seed)
                events = HubWorld(seed, stays=False).draw(20)
                self.check(f"hubs {seed}", events, dice.choice(["2024-12-01", "2025-09-01", NOW]), rules)

    # ---- what is easily forgotten ----

    def test_the_hub_is_why_there_is_a_decision_that_its_overlay_adds(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        events = [self.school(), event("school.changed", "school/1", {"hub": "02"}, id="left",
                                       time="2024-03-01T09:00:00Z"),
                  event("school.changed", "school/1", {"hub": "01"}, id="came", time="2024-05-01T09:00:00Z")]
        matter = self.check("hub", events, "2024-06-01", rules_with(folder.name, "01", "02"))
        self.assertIn((("school/1", "h01_count"), "came"), matter)

    def test_either_of_two_is_enough(self):
        """The headteacher's commitment twice, and a lead who was named twice: neither alone, both together."""
        events = [self.school(),
                  event("commitment.given", "school/1", {}, id="g1", time="2023-01-01T00:00:00Z"),
                  event("commitment.given", "school/1", {}, id="g2", time="2023-02-01T00:00:00Z"),
                  event("lead.named", "school/1", {"teacher": "t1"}, id="a1", time="2023-01-02T00:00:00Z"),
                  event("lead.named", "school/1", {"teacher": "t1"}, id="a2", time="2023-01-03T00:00:00Z"),
                  event("lead.named", "school/1", {"teacher": "t2"}, id="b", time="2023-01-04T00:00:00Z")]
        self.check("either", events, "2023-06-01")
        with Daemon(now=NOW) as d:
            d.send(events)
            told = Told(explained(self, d, "school/1", "two_leads", "2023-06-01"))
            self.assertEqual(told.alone, {("urn:test", "b")})
            self.assertEqual(told.together, {("urn:test", "a1"): {("urn:test", "a2")},
                                             ("urn:test", "a2"): {("urn:test", "a1")}})
            told = Told(explained(self, d, "school/1", "eligible_development", "2023-06-01"))
            self.assertEqual(set(told.together), {("urn:test", id) for id in ("g1", "g2", "a1", "a2")})

    def test_two_things_stand_against_it(self):
        """Each of them undone changes nothing; both undone do."""
        events = [self.school(),
                  event("commitment.given", "school/1", {}, id="given", time="2023-01-01T00:00:00Z"),
                  event("commitment.withdrawn", "school/1", {}, id="withdrawn", time="2023-02-01T00:00:00Z"),
                  event("lead.named", "school/1", {"teacher": "t1"}, id="a", time="2023-01-03T00:00:00Z"),
                  event("lead.named", "school/1", {"teacher": "t2"}, id="b", time="2023-01-04T00:00:00Z"),
                  event("lead.stood_down", "school/1", {"teacher": "t2"}, id="down", time="2023-01-05T00:00:00Z")]
        self.check("two things", events, "2023-06-01")
        with Daemon(now=NOW) as d:
            d.send(events)
            told = Told(explained(self, d, "school/1", "eligible_development", "2023-06-01"))
            self.assertEqual(told.together, {("urn:test", "withdrawn"): {("urn:test", "down")},
                                             ("urn:test", "down"): {("urn:test", "withdrawn")}})
            self.assertEqual(told.alone, set())

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
            for name, explanation in told.items():
                self.assertEqual("contradiction" not in explanation, base[name] or rules.can_be_met(name), (seed, name))
                if "contradiction" in explanation:
                    self.assertTrue(explanation["contradiction"], (seed, name))
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
