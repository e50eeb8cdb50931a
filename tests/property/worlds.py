"""Small worlds for property tests: a history of events, made from a seed, that tries every road at once.

A world is a few schools, groups and people over a few years, so that its events meet: late ones, voids and
voids of voids, successions (cycles too), duplicates, events of one instant, events that still lie ahead.
"""

import json
import random
import subprocess

from daemon import PATIENCE_S, binary, event

AREAS = ["vision_and_culture", "mathematical_mindsets", "subject_expertise", "school_systems",
         "arithmetical_proficiency"]
KINDS = ["readiness", "development", "embedding", "sustaining"]
FOCUSES = ["systems_and_culture", "subject_knowledge", "lesson_design", "leadership_support"]
WAIVABLE = ["is_open", "committed", "two_leads", "ready", "development_complete", "eligible_preparatory",
            "eligible_development", "eligible_building", "eligible_refinement"]
YEARS = [2018, 2022, 2023, 2024]
BY = {"by": "p.head"}


def academic_year(start):
    return f"{start}/{(start + 1) % 100:02d}"


class World:
    """Draws events from one seed."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.count = 0
        self.made = []
        self.schools = [f"school/{100001 + i}" for i in range(self.dice.randint(2, 5))]
        self.groups = [f"group/g{i}" for i in range(1, self.dice.randint(2, 4))]
        self.teachers = ["t1", "t2", "t3"]
        self.years = self.dice.sample(YEARS, 2)
        # Few instants, so that many events share one; the midnights on which things change by themselves.
        self.instants = [self.any_instant() for _ in range(12)]

    def any_instant(self):
        year = self.dice.choice(self.years)
        day = self.dice.choice(["09-01", "10-31", "11-01", "01-04", "01-15", "03-08", "04-15", "06-03", "07-20",
                                f"{self.dice.randint(1, 12):02d}-{self.dice.randint(1, 28):02d}"])
        here = year if day >= "09" else year + 1
        clock = self.dice.choice(["T00:00:00+01:00", "T00:00:00Z", "T12:00:00Z", "T23:00:00Z", "T23:59:59.999999Z",
                                  "T09:30:00.000001Z"])
        return f"{here}-{day}{clock}"

    def time(self):
        return self.dice.choice(self.instants) if self.dice.random() < 0.5 else self.any_instant()

    def year(self):
        return academic_year(self.dice.choice(self.years))

    def add(self, kind, subject, data=None, time=None):
        more = {"sequence": str(self.dice.randint(1, 3))} if self.dice.random() < 0.2 else {}
        self.count += 1
        made = event(kind, subject, data, id=f"e{self.count}", time=time or self.time(),
                     source=self.dice.choice(["urn:a", "urn:b"]), **more)
        self.made.append(made)
        return made

    # ---- single events ----

    def register(self, school):
        data = {"name": "School " + school[-1], "hub": self.dice.choice(["01", "02"]), "status": "open",
                "education_phase": self.dice.choice(["primary", "infant", "primary", "secondary"])}
        self.add("school.registered", school, data, self.dice.choice(["2015-01-01T00:00:00Z", None]))

    def change(self, school):
        self.add("school.changed", school, self.dice.choice([
            {"hub": self.dice.choice(["01", "02", "03"])}, {"name": f"Renamed {self.count}"},
            {"status": self.dice.choice(["open", "closed", "proposed_to_close"])},
            {"education_phase": self.dice.choice(["primary", "junior", "special"])}]))

    def succeed(self, school):
        self.add("school.succeeded", school, {"predecessor": self.dice.choice(self.schools)})

    def void(self, _):
        if self.made:
            target = self.dice.choice(self.made)
            subject = target["subject"] if self.dice.random() < 0.9 else self.dice.choice(self.schools)
            self.add("event.voided", subject, {"source": target["source"], "id": target["id"]},
                     self.dice.choice([None, target["time"], "2027-01-01T00:00:00Z"]))

    def person(self, school):
        kind = self.dice.choice(["lead.named", "lead.named", "lead.stood_down"])
        self.add(kind, school, {"teacher": self.dice.choice(self.teachers)})

    def specialist(self, school):
        kind = self.dice.choice(["specialist.appointed", "specialist.stood_down"])
        self.add(kind, school, {"person": self.dice.choice(self.teachers)})

    def commitment(self, school):
        self.add(self.dice.choice(["commitment.given", "commitment.withdrawn"]), school, {})

    def assess(self, school):
        self.add("readiness.assessed", school, {"area": self.dice.choice(AREAS), "judgement": self.dice.choice(
            ["not_yet", "developing", "secure"])} | self.dice.choice([{}, BY, {"note": "free text"}]))

    def member(self, school):
        kind = self.dice.choice(["group.joined", "group.joined", "group.left"])
        self.add(kind, school, {"group": self.dice.choice(self.groups), "kind": self.dice.choice(KINDS),
                                "academic_year": self.year()})

    def visit(self, school):
        self.add("school.visited", school, {"group": self.dice.choice(self.groups), "academic_year": self.year(),
                                            "term": self.dice.randint(1, 3)})

    def focus(self, school):
        self.add("focus.worked", school, {"group": self.dice.choice(self.groups), "academic_year": self.year(),
                                          "focus": self.dice.choice(FOCUSES)})

    def contact(self, school):
        self.add("contact.made", school, {"group": self.dice.choice(self.groups), "academic_year": self.year()})

    def waive(self, school):
        data = {"rule": self.dice.choice(WAIVABLE), "reason": "because"}
        if self.dice.random() < 0.5:
            data["until"] = self.any_instant()[:10]
        self.add("waiver.granted", school, data)

    def end_waiver(self, school):
        self.add("waiver.ended", school, {"rule": self.dice.choice(WAIVABLE), "reason": "over"})

    def record(self, school):
        self.add("phase.recorded", school, {"pathway_phase": self.dice.choice(
            ["none", "preparatory", "development", "building", "refinement"])})

    def enter(self, school):
        self.add("programme.entered", school, self.dice.choice([{}, {"academic_year": self.year()}]))

    def close(self, school):
        self.add("school.closed", school, {})

    def form(self, _):
        self.add("group.formed", self.dice.choice(self.groups), {
            "kind": self.dice.choice(KINDS), "hub": "01", "academic_year": self.year()})

    def meet(self, _):
        self.add("group.met", self.dice.choice(self.groups), {
            "kind": self.dice.choice(KINDS), "academic_year": self.year(), "half_term": self.dice.randint(1, 6),
            "attendance": {school: self.dice.sample(self.teachers, self.dice.randint(0, 2))
                           for school in self.dice.sample(self.schools, self.dice.randint(1, len(self.schools)))},
            "observation": self.dice.random() < 0.5})

    # ---- what goes well, so that phases are moved through ----

    def story(self, school):
        """A year of Development as it should be, and what comes before and after."""
        start = self.dice.choice(self.years)
        year, group = academic_year(start), self.dice.choice(self.groups)
        member = {"group": group, "academic_year": year}
        self.add("school.registered", school, {"name": "S", "hub": "01", "education_phase": "primary",
                                               "status": "open"}, f"{start}-01-01T00:00:00Z")
        self.add("commitment.given", school, {}, f"{start}-02-01T00:00:00Z")
        for teacher in ("t1", "t2"):
            self.add("lead.named", school, {"teacher": teacher}, f"{start}-08-01T00:00:00Z")
        self.add("group.formed", group, {"kind": "development", "hub": "01", "academic_year": year},
                 f"{start}-08-15T00:00:00Z")
        self.add("group.joined", school, member | {"kind": "development"}, self.dice.choice(
            [f"{start}-08-20T00:00:00Z", f"{start}-09-12T00:00:00Z"]))
        for half_term, day in enumerate(["10-10", "11-20", "02-01", "03-10", "05-01", "06-20"], 1):
            here = start if day >= "09" else start + 1
            self.add("group.met", group, {"kind": "development", "academic_year": year, "half_term": half_term,
                                          "attendance": {school: ["t1", "t2"]}, "observation": half_term == 2},
                     f"{here}-{day}T15:00:00Z")
        for term, day in enumerate([f"{start}-11-11", f"{start + 1}-02-11", f"{start + 1}-06-11"], 1):
            self.add("school.visited", school, member | {"term": term}, day + "T10:00:00Z")
        for later, kind in ((1, "embedding"), (2, "sustaining")):
            self.add("group.joined", school, {"group": group, "kind": kind, "academic_year": academic_year(
                start + later)}, f"{start + later}-08-25T00:00:00Z")

    def draw(self, size):
        """About `size` events in event order of their times."""
        makers = [self.change, self.succeed, self.void, self.void, self.void, self.person, self.person,
                  self.specialist, self.commitment, self.assess, self.assess, self.member, self.member, self.visit,
                  self.focus, self.contact, self.waive, self.end_waiver, self.record, self.enter, self.close,
                  self.form, self.meet, self.meet]
        makers = self.dice.sample(makers, self.dice.randint(6, len(makers)))
        for school in self.schools:
            if self.dice.random() < 0.8:
                self.register(school)
        for school in self.dice.sample(self.schools, self.dice.randint(1, 2)):
            self.story(school)
        while len(self.made) < size:
            self.dice.choice(makers)(self.dice.choice(self.schools))
        return self.made


class BrittleWorld(World):
    """Events for the pack in tests/data/brittle, whose reducers, moves and rules fail for some values."""

    def turn(self, school):
        data = {"knob": self.dice.choice("abcd"), "n": self.dice.choice([1, 1, 2, 3, 3, 4, 5, 12, 13, 14])}
        if self.dice.random() < 0.2:
            data["other"] = self.dice.choice(self.schools)
        if self.dice.random() < 0.3:
            data["told"] = self.dice.choice(self.groups)
        self.add("knob.turned", school, data)

    def set_due(self, school):
        self.add("due.set", school, self.dice.choice([{}, {"on": self.any_instant()[:10]},
                                                      {"on": self.any_instant()[:10]}]))

    def set_bell(self, school, at=None):
        some = at or self.dice.choice([self.any_instant(), self.time()])
        self.add("bell.set", school, self.dice.choice([{}, {"at": some}, {"at": some}]))

    def name(self, school):
        kind = self.dice.choice(["name.added", "name.added", "name.removed"])
        self.add(kind, school, {"name": self.dice.choice(["x", "y", "z"])})

    def draw(self, size):
        makers = [self.turn] * 6 + [self.set_due, self.set_due, self.set_bell, self.name, self.void, self.void,
                                    self.succeed]
        makers = makers[self.dice.choice([0, 3]):self.dice.choice([len(makers), -1, -3])]
        while len(self.made) < size:
            self.dice.choice(makers)(self.dice.choice(self.schools))
        return self.made


def generated(seed, schools=3):
    """The invented decade of a few schools, with a few events of a small world mixed in."""
    done = subprocess.run([binary("pathway-generate"), "--schools", str(schools), "--seed", str(seed),
                           "--registrations"], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    world = World(seed)
    world.schools = sorted({e["subject"] for e in events if e["subject"].startswith("school/")})
    world.groups = sorted({e["subject"] for e in events if e["subject"].startswith("group/")}) or ["group/g1"]
    world.made = list(events)
    for _ in range(20):
        maker = world.dice.choice([world.void, world.void, world.succeed, world.person, world.change, world.meet])
        maker(world.dice.choice(world.schools))
    return world.made
