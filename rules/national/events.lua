--- What may happen: the events that schools, groups and hubs send, and what each must hold.
-- `advice` says, of what a school or hub can bring about, what to do: `pathway advise` looks among these.
local words = import "words"
local kind, phase = enum(words.kinds), enum(words.phases)

return pack {
  events = {
    -- The school itself, from the register of schools.
    ["school.registered"] = {
      title = "A school was entered in the register",
      subject = "school",
      data = {
        name = text, hub = hub, education_phase = enum(words.education_phases),
        status = enum(words.statuses), la = optional(text), postcode = optional(text),
        pupils = optional(int(0, 100000)),
      },
    },
    ["school.changed"] = {
      title = "The register's entry of a school changed",
      subject = "school",
      data = {
        name = optional(text), hub = optional(hub), education_phase = optional(enum(words.education_phases)),
        status = optional(enum(words.statuses)), la = optional(text), postcode = optional(text),
        pupils = optional(int(0, 100000)),
      },
    },
    ["school.closed"] = {
      title = "A school closed", subject = "school", data = { reason = optional(note) },
    },
    ["school.succeeded"] = {
      title = "A school continues another one, as when it becomes an academy",
      subject = "school",
      data = { predecessor = school },
    },

    -- Where a school stood before this record began.
    ["programme.entered"] = {
      title = "A school entered the main programme before records began, or in an unusual way",
      subject = "school",
      data = { academic_year = optional(year) },
    },
    ["phase.recorded"] = {
      title = "The phase a school had reached was taken over from earlier records",
      subject = "school",
      data = { pathway_phase = phase },
    },

    -- The people of a school, by key.
    ["specialist.appointed"] = {
      title = "A Primary Mastery Specialist works at this school",
      subject = "school",
      advice = "Have a teacher train as a Primary Mastery Specialist",
      data = { person = person, cohort = optional(int) },
    },
    ["specialist.stood_down"] = {
      title = "A Primary Mastery Specialist no longer works at this school",
      subject = "school",
      data = { person = person, cohort = optional(int) },
    },
    ["commitment.given"] = {
      title = "The headteacher committed the school", subject = "school",
      advice = "Commit the school, by its headteacher",
      data = { by = optional(person) },
    },
    ["commitment.withdrawn"] = {
      title = "The commitment was withdrawn", subject = "school", data = { by = optional(person) },
    },
    ["lead.named"] = {
      title = "A lead participant teacher was named", subject = "school",
      advice = "Name a lead participant teacher",
      data = { teacher = person },
    },
    ["lead.stood_down"] = {
      title = "A lead participant teacher stood down", subject = "school", data = { teacher = person },
    },

    -- The way through the phases.
    ["readiness.assessed"] = {
      title = "A readiness area was assessed",
      subject = "school",
      advice = "Assess a readiness area",
      data = {
        area = enum(words.areas), judgement = enum(words.judgements), by = optional(person),
        note = optional(note),
      },
    },
    ["group.joined"] = {
      title = "A school joined a Work Group",
      subject = "school",
      advice = "Join a Work Group",
      data = { group = group, kind = kind, academic_year = year },
    },
    ["group.left"] = {
      title = "A school left a Work Group",
      subject = "school",
      data = { group = group, kind = kind, academic_year = year, reason = optional(note) },
    },
    ["school.visited"] = {
      title = "The Mastery Specialist made a support visit",
      subject = "school",
      advice = "Make a support visit",
      data = {
        group = group, academic_year = year, term = int(1, 3), by = optional(person),
        note = optional(note),
      },
    },
    ["focus.worked"] = {
      title = "A school worked on a focus of the Building phase",
      subject = "school",
      advice = "Work on a focus of the Building phase",
      data = { group = group, academic_year = year, focus = enum(words.focuses) },
    },
    ["contact.made"] = {
      title = "The group kept in contact between meetings",
      subject = "school",
      advice = "Get in touch",
      data = { group = group, academic_year = year, note = optional(note) },
    },
    ["waiver.granted"] = {
      title = "The hub waived a rule for a school",
      subject = "school",
      data = { rule = text, reason = note, ["until"] = optional(date), by = optional(person) },
    },
    ["waiver.ended"] = {
      title = "All waivers of a rule ended",
      subject = "school",
      data = { rule = text, reason = note, ["until"] = optional(date), by = optional(person) },
    },

    -- Work Groups.
    ["group.formed"] = {
      title = "A Work Group was formed",
      subject = "group",
      data = { kind = kind, hub = hub, academic_year = year, lead = optional(person) },
    },
    ["group.met"] = {
      title = "A Work Group met",
      subject = "group",
      advice = "Meet as a Work Group",
      data = {
        kind = kind, academic_year = year, half_term = int(1, 6),
        attendance = map(school, set(person)), -- a school with an empty list was absent
        observation = optional(bool),          -- a shared lesson observation was part of it
      },
    },
  },
}
