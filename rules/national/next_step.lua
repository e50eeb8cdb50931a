--- What a school should do now: one sentence for its headteacher, by the phase that it is in.
local SOURCE = "NCETM, the primary school pathway"

local GROUPS = {
  readiness = "a Mastery Readiness Work Group",
  development = "a Development Work Group",
  embedding = "an Embedding Work Group",
  sustaining = "a Sustaining Work Group",
}

-- Is a membership of this kind running, or still to come?
local function has_place(s, kind)
  local found = false
  for m in each(s.memberships) do
    if m.kind == kind and not s:reached(year_end(m.academic_year)) then found = true end
  end
  return found
end

-- To a school that may join: it would have moved on already if the year of its place had begun.
local function join(s, kind)
  if has_place(s, kind) then
    return "Nothing for now: the school has a place in " .. GROUPS[kind] .. ", whose year has yet to begin."
  end
  return "Join " .. GROUPS[kind] .. "."
end

-- What every school needs before Development; nil when it has it.
local function before_any_group(s)
  if not s.is_primary then return "Nothing: the pathway is for schools with primary pupils." end
  if not s.committed then return "Ask the headteacher to commit the school to the programme." end
end

local NEXT = {
  none = function(s)
    local first = before_any_group(s)
    if first then return first end
    if s.eligible_development then return join(s, "development") end
    if s.eligible_preparatory then return join(s, "readiness") end
    return "Name two lead participant teachers."
  end,
  preparatory = function(s)
    local first = before_any_group(s)
    if first then return first end
    if s.eligible_development then return join(s, "development") end
    if not s.ready then
      return "Work with the Mastery Readiness Lead on the areas that are not yet secure."
    end
    return "Name two lead participant teachers."
  end,
  development = function(s)
    if s.eligible_building then return join(s, "embedding") end
    if s.development_incomplete or not has_place(s, "development") then
      return "Agree with the Maths Hub how the Development phase can be completed."
    end
    if s.lead_missing then return "Name two lead participant teachers." end
    if s.meeting_missed then
      return "Send two lead participant teachers to every meeting of the Development Work Group."
    end
    if s.meeting_unrecorded then
      return "Ask the Work Group's lead to record the missing meeting, or to hold it."
    end
    if s.visit_overdue then
      return "Arrange the missing support visit with the Mastery Specialist, or have it recorded."
    end
    return "Take part in the Development Work Group: two teachers every half term, a visit every term."
  end,
  building = function(s)
    if s.embedded_years:has(s:current_year()) then
      return "Work with the Embedding Work Group on its four focuses."
    end
    if s.eligible_refinement then return join(s, "sustaining") end
    return join(s, "embedding")
  end,
  refinement = function(s)
    if s.sustained_years:has(s:current_year()) then
      return "Go on with the Sustaining Work Group, year on year."
    end
    return "Join this year's Sustaining Work Group."
  end,
}

return pack {
  rules = {
    next_step = rule {
      "What to do now", stricter = "neither", source = SOURCE,
      function(s)
        if s.succeeded_by then return "Nothing: this school is continued by " .. s.succeeded_by .. "." end
        if not s.is_open and not s.registered then return "Enter the school in the register." end
        if not s.is_open then return "Nothing: the school is not open." end
        return NEXT[s.pathway_phase](s)
      end,
    },
  },
}
