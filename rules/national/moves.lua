--- How a school moves along the pathway: asked after every event, and at every moment that one of
-- these was waiting for, until nothing changes. What has moved stays moved.
local ORDER = { none = 0, preparatory = 1, development = 2, building = 3, refinement = 4 }

-- Is a membership of this kind running?
local function running(s, kind)
  local found = false
  for m in each(s.memberships) do
    if m.kind == kind and s:in_year(m.academic_year) then found = true end
  end
  return found
end

-- The academic years of the running memberships of this kind.
local function running_years(s, kind)
  local years = {}
  for m in each(s.memberships) do
    if m.kind == kind and s:in_year(m.academic_year) then years[#years + 1] = m.academic_year end
  end
  return years
end

-- Half terms of a year at which enough of the school's teachers met.
local function meetings_counted(s, year)
  local counted = 0
  for _, teachers in each(s.teachers_met[year]) do
    if teachers >= s.param.leads_needed then counted = counted + 1 end
  end
  return counted
end

return pack {
  moves = {
    school = {
      completed = once(function(s)
        if ORDER[s.pathway_phase] < ORDER.development then return false end
        for year in each(s.development_years) do
          if s:reached(year_end(year)) and meetings_counted(s, year) >= s.param.meetings_needed
              and #s.visits[year] >= s.param.visits_needed then
            return true
          end
        end
        return false
      end),

      embedded_years = gather(function(s)
        if ORDER[s.pathway_phase] >= ORDER.building then return running_years(s, "embedding") end
      end),
      sustained_years = gather(function(s)
        if s.pathway_phase == "refinement" then return running_years(s, "sustaining") end
      end),

      pathway_phase = first_of {
        { "refinement", function(s) return running(s, "sustaining") and s.eligible_refinement end },
        { "building", from = { "development" },
          function(s) return running(s, "embedding") and s.eligible_building end },
        { "development", from = { "none", "preparatory" },
          function(s) return running(s, "development") and s.eligible_development end,
          enter = function(s, at) s.years_entered:add(year_of(at)) end },
        { "preparatory", from = { "none" },
          function(s) return running(s, "readiness") and s.eligible_preparatory end },
      },
    },
  },
}
