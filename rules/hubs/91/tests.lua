--- Tests of hub 91's overlay. Schools in them belong to the hub from the beginning.
local DAYS = { "2024-10-10", "2024-11-20", "2025-01-20", "2025-03-05", "2025-05-05", "2025-06-20" }

-- In a Development Work Group in 2024/25, with two teachers at the meetings of these half terms, one at the others.
local function developing(half_terms)
  local both = {}
  for _, half_term in ipairs(half_terms) do both[half_term] = true end
  local list = {
    { "school.registered", "2014-06-01", name = "Ashdown Primary School", hub = "91",
      education_phase = "primary", status = "open" },
    { "commitment.given", "2014-06-01" },
    { "lead.named", "2014-06-01", teacher = "t1" },
    { "lead.named", "2014-06-01", teacher = "t2" },
    { "group.joined", "2024-07-01", group = "group/d", kind = "development", academic_year = "2024/25" },
  }
  for half_term = 1, 6 do
    list[#list + 1] = { "group.met", DAYS[half_term], as = "group/d", kind = "development",
      academic_year = "2024/25", half_term = half_term,
      attendance = { ["school/100001"] = both[half_term] and { "t1", "t2" } or { "t1" } } }
  end
  for term, day in ipairs { "2024-11-25", "2025-02-10", "2025-05-10" } do
    list[#list + 1] = { "school.visited", day, group = "group/d", academic_year = "2024/25", term = term }
  end
  return list
end

return overlay {
  tests = {
    { "five meetings are not enough here", given = developing { 1, 2, 3, 4, 5 }, at = "2025-10-01",
      expect = { development_meetings = 5, development_complete = false, development_incomplete = true } },
    { "six meetings are", given = developing { 1, 2, 3, 4, 5, 6 }, at = "2025-10-01",
      expect = { development_meetings = 6, development_complete = true, h91_absences = 0 } },
    { "two missed meetings put the year at risk", given = developing { 1, 4, 5, 6 }, at = "2025-06-21",
      expect = { h91_absences = 2, h91_attendance_at_risk = true } },
    { "one does not", given = developing { 1, 3, 4, 5, 6 }, at = "2025-06-21",
      expect = { h91_absences = 1, h91_attendance_at_risk = false } },
    { "the fourth half term ends when the hub's fifth begins, and is overdue a week later",
      given = developing { 1, 2, 3, 5, 6 }, at = "2025-05-04T22:59:59Z", expect = { meeting_missed = false } },
    { "and not a moment later", given = developing { 1, 2, 3, 5, 6 }, at = "2025-05-04T23:00:00Z",
      expect = { meeting_missed = true } },
  },
}
