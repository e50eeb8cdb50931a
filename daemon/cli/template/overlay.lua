--- What hub @HUB@ adds to the national rules.
-- Everything here is an example, and works as it is: change it, or take it out. What you see in comments
-- shows what else is possible. After each change, in the folder above this one:
--
--   pathway check @HUB@      finds mistakes, each with its file and line
--   pathway test @HUB@       runs the tests in tests.lua
--
-- All names that the hub adds begin with @P@_ (events with @P@.), so that they never meet others.
local SOURCE = "Hub @HUB@, agreement with its schools" -- where a rule comes from: each has to say so

return overlay {
  hub = "@HUB@",
  version = "1",
  title = "What hub @HUB@ asks of its schools",
  source = SOURCE,

  -- Numbers that may change, and from when: the value in force at the moment asked about counts.
  params = {
    @P@_briefing_days = { 730, from = { ["2027-09-01"] = 365 } },
  },

  -- What may happen here that the nation does not know. A person is a key such as "t-1", never a name.
  events = {
    ["@P@.briefing.attended"] = {
      title = "A headteacher attended the hub's briefing",
      subject = "school",
      data = { by = optional(person) },
    },
  },

  -- What is remembered of each school. Types: text, bool, int, number, time, date, year, person, school, group,
  -- enum { "a", "b" }, set(person), list(...), map(year, int), row { name = type }.
  facts = {
    school = { @P@_briefed_at = time },
  },

  -- How an event changes what is remembered: s is the school, e the event.
  on = {
    school = {
      ["@P@.briefing.attended"] = function(s, e) s.@P@_briefed_at = e.time end,
    },
  },

  -- What is decided. Time is asked, never counted: when s:reached(...) is not yet true, the school is looked at
  -- again by itself when it becomes true.
  rules = {
    @P@_briefed = rule {
      "The headteacher has attended a briefing lately", source = SOURCE,
      function(s)
        return s.@P@_briefed_at ~= nil and not s:reached(s.@P@_briefed_at + days(s.param.@P@_briefing_days))
      end,
      advice = "Invite the headteacher to the next briefing.",
    },

    -- A national rule that the national pack opens can be made stricter: what it asks still counts, and this too.
    --
    -- eligible_development = tighten { "The headteacher was briefed", "@P@_briefed", source = SOURCE },
  },

  -- What somebody has to look at: true when it needs attention.
  alerts = {
    @P@_briefing_due = alert {
      "A school that is getting ready has not been briefed", source = SOURCE,
      function(s) return s.pathway_phase == "preparatory" and s.is_open and not s.@P@_briefed end,
      advice = "Invite the headteacher to the next briefing.",
    },
  },
}
