--- Hub 91: stricter attendance, and the hub's own calendar.
-- Every one of the six half terms counts here, and what is missing is asked for after a week. The county's schools
-- have their half terms later than most.
return overlay {
  hub = "91",
  version = "2026.1",
  title = "Stricter attendance in hub 91",
  source = "Hub 91, agreement with its schools, September 2024",

  params = {
    -- National: five meetings of six. Years that ended before the agreement are judged as they were.
    meetings_needed = { 5, from = { ["2024-09-01"] = 6 } },
    grace_days = { 14, from = { ["2024-09-01"] = 7 } },
    h91_absences_allowed = 1,
  },

  -- Only the years that differ; for all others the national calendar holds.
  calendar = {
    ["2024/25"] = { "2024-09-02", "2024-11-04", "2025-01-06", "2025-02-24", "2025-04-28", "2025-06-09" },
    ["2025/26"] = { "2025-09-01", "2025-11-03", "2026-01-05", "2026-02-23", "2026-04-20", "2026-06-08" },
  },

  rules = {
    h91_absences = rule {
      "Half terms of the development year with too few teachers at the meeting",
      source = "Hub 91, agreement with its schools",
      function(s)
        local shown, missed = s.development_attendance or "", 0
        for half_term = 1, #shown do
          local mark = shown:sub(half_term, half_term)
          if mark == "0" or mark == "1" then missed = missed + 1 end
        end
        return missed
      end,
    },
  },

  alerts = {
    h91_attendance_at_risk = alert {
      "The school has missed more meetings than its development year allows",
      source = "Hub 91, agreement with its schools",
      function(s)
        local year = s.development_year
        return s.pathway_phase == "development" and year ~= nil and s:in_year(year)
          and s.h91_absences > s.param.h91_absences_allowed
      end,
      advice = "Call the headteacher, and agree how the teachers will be released.",
    },
  },
}
