--- Tests of hub @HUB@'s rules: what happened, and what must come out of it at a moment.
-- Schools in them belong to the hub. An event is its type, its day, and its fields.
local function school(events)
  local list = {
    { "school.registered", "2020-09-01", name = "Ashdown Primary School", hub = "@HUB@",
      education_phase = "primary", status = "open" },
  }
  for _, event in ipairs(events or {}) do list[#list + 1] = event end
  return list
end

local function briefed(day) return { "@P@.briefing.attended", day, by = "t-1" } end

return overlay {
  tests = {
    { "a school that nobody briefed is not briefed", given = school(), at = "2025-01-01",
      expect = { @P@_briefed = false }, missing = { "@P@_briefed" } },
    { "after the briefing it is", given = school { briefed("2024-10-01") }, at = "2025-01-01",
      expect = { @P@_briefed = true } },
    { "two years later it is no longer, from that moment on", given = school { briefed("2024-10-01") },
      at = "2026-10-01", expect = { @P@_briefed = false } },
    { "and the day before it still was", given = school { briefed("2024-10-01") }, at = "2026-09-30",
      expect = { @P@_briefed = true } },
    { "a school in the Preparatory phase is to be invited",
      given = school { { "phase.recorded", "2024-09-01", pathway_phase = "preparatory" } }, at = "2025-01-01",
      expect = { @P@_briefing_due = true } },
    { "one that was briefed is not",
      given = school { { "phase.recorded", "2024-09-01", pathway_phase = "preparatory" }, briefed("2024-10-01") },
      at = "2025-01-01", expect = { @P@_briefing_due = false } },
  },
}
