--- Hub 92: a local readiness criterion, with an event of its own.
-- Before a school joins a Development Work Group, the hub looks at a staff survey on attitudes to maths, which not
-- every school has to take: only those with many pupils, whose staff the hub can not meet one by one.
return overlay {
  hub = "92",
  version = "2026.1",
  title = "A staff survey before Development",
  source = "Hub 92, readiness criteria 2025/26",

  params = {
    h92_survey_days = 365,     -- for how long a survey counts
    h92_survey_needed = 60,    -- of 100
    h92_large_school = 300,    -- pupils
  },

  events = {
    ["h92.survey.taken"] = {
      title = "A school's staff answered the survey on attitudes to maths",
      subject = "school",
      data = { score = int(0, 100), answers = optional(int(0, 1000)), by = optional(person) },
    },
  },

  facts = {
    school = {
      h92_survey_score = int(0, 100),
      h92_surveyed_at = time,
    },
  },

  on = {
    school = {
      ["h92.survey.taken"] = function(s, e)
        s.h92_survey_score, s.h92_surveyed_at = e.data.score, e.time
      end,
    },
  },

  rules = {
    h92_is_small = criterion {
      "The school is small enough for the hub to know its staff", source = "Hub 92, readiness criteria 2025/26",
      function(s) return (s.pupils or 0) < s.param.h92_large_school end,
    },
    h92_survey_good = criterion {
      "A survey of the last year shows good attitudes to maths", source = "Hub 92, readiness criteria 2025/26",
      function(s)
        return s.h92_surveyed_at ~= nil and s.h92_survey_score >= s.param.h92_survey_needed
          and not s:reached(s.h92_surveyed_at + days(s.param.h92_survey_days))
      end,
      advice = "Ask the hub for the staff survey.",
    },
    h92_locally_ready = any_of {
      "Ready by the hub's own criterion", "h92_is_small", "h92_survey_good",
      source = "Hub 92, readiness criteria 2025/26",
    },
    -- What the national pack asks still counts.
    eligible_development = tighten {
      "The hub's own readiness criterion is met", "h92_locally_ready",
      source = "Hub 92, readiness criteria 2025/26",
    },
  },

  alerts = {
    h92_survey_due = alert {
      "The staff survey is due before the school can join Development",
      source = "Hub 92, readiness criteria 2025/26",
      function(s)
        return s.is_open and s.committed and not s.h92_locally_ready
          and (s.pathway_phase == "none" or s.pathway_phase == "preparatory")
      end,
      advice = "Send the survey to the school's staff.",
    },
  },
}
