--- Tests of hub 92's overlay.
local function large(more)
  local list = {
    { "school.registered", "2024-06-01", name = "Ashdown Primary School", hub = "92",
      education_phase = "primary", status = "open", pupils = 420 },
    { "commitment.given", "2024-06-01" },
    { "lead.named", "2024-06-01", teacher = "t1" },
    { "lead.named", "2024-06-01", teacher = "t2" },
  }
  for _, event in ipairs(more or {}) do list[#list + 1] = event end
  return list
end

local function survey(score, time) return { "h92.survey.taken", time, score = score } end

return overlay {
  tests = {
    { "a large school needs the survey", given = large(), at = "2025-06-01",
      expect = { eligible_development = false, h92_locally_ready = false, h92_survey_due = true },
      missing = { "h92_is_small", "h92_survey_good" } },
    { "a small one does not", given = large { { "school.changed", "2024-07-01", pupils = 90 } }, at = "2025-06-01",
      expect = { eligible_development = true, h92_survey_due = false } },
    { "a good survey will do", given = large { survey(60, "2025-05-01") }, at = "2025-06-01",
      expect = { eligible_development = true } },
    { "a poor one will not", given = large { survey(59, "2025-05-01") }, at = "2025-06-01",
      expect = { eligible_development = false } },
    { "the last one counts", given = large { survey(90, "2025-05-01"), survey(30, "2025-05-20") },
      at = "2025-06-01", expect = { eligible_development = false } },
    { "for a year", given = large { survey(90, "2025-05-01") }, at = "2026-04-30T22:59:59Z",
      expect = { eligible_development = true } },
    { "and no longer", given = large { survey(90, "2025-05-01") }, at = "2026-05-01",
      expect = { eligible_development = false } },
    { "a survey does not help a school that lacks what the national pack asks",
      given = large { survey(90, "2025-05-01"), { "commitment.withdrawn", "2025-05-02" } }, at = "2025-06-01",
      expect = { eligible_development = false }, missing = { "committed" } },
  },
}
