--- What needs somebody's attention, at the moment asked about.
local PATHWAY = "NCETM, the primary school pathway"
local LEADS = PATHWAY .. ', Development phase: "Two lead participant teachers from each of six or seven schools meet every half term as a group"'
local VISITS = PATHWAY .. ', Development phase: "Each school gets a termly bespoke support visit by the Mastery Specialist"'
local YEAR = PATHWAY .. ', Development phase: "All schools complete this phase, which lasts a whole school year"'
local CONTACT = PATHWAY .. ', Development phase: "The group keep in contact"'
local SUSTAINING = PATHWAY .. ', Refinement phase: "Year-on-year participation in a Sustaining Work Group"'
local REGISTER = "Get Information about Schools: a new legal establishment has a new URN"

local ORDER = { none = 0, preparatory = 1, development = 2, building = 3, refinement = 4 }
local PHASE_OF = { readiness = 1, development = 2, embedding = 3, sustaining = 4 } -- as in ORDER

-- In the Development phase, and in a Development Work Group for its development year.
local function developing(s)
  local year, found = s.development_year, false
  if s.pathway_phase ~= "development" or not year or not s:in_year(year) then return false end
  for m in each(s.memberships) do
    if m.kind == "development" and m.academic_year == year then found = true end
  end
  return found
end

-- At or after the midnight `grace_days` days after something ended.
local function overdue(s, ended) return s:reached(ended + days(s.param.grace_days)) end

-- Does an overdue half term of the development year show one of these marks?
local function overdue_half_term(s, marks)
  local found = false
  for half_term = 1, 6 do
    local mark = s.development_attendance:sub(half_term, half_term)
    if marks[mark] and overdue(s, half_term_end(s.development_year, half_term)) then found = true end
  end
  return found
end

return pack {
  alerts = {
    lead_missing = alert {
      "A lead participant teacher is missing", source = LEADS,
      function(s) return developing(s) and not s.two_leads end,
      advice = "Name two lead participant teachers.",
    },
    meeting_missed = alert {
      "Too few of its teachers came to a meeting", source = LEADS,
      function(s) return developing(s) and overdue_half_term(s, { ["0"] = true, ["1"] = true }) end,
      advice = "Send two lead participant teachers to the next meeting.",
    },
    meeting_unrecorded = alert {
      "A half term passed without a meeting on record", source = LEADS,
      function(s) return developing(s) and overdue_half_term(s, { ["-"] = true }) end,
      advice = "Hold the meeting, or record it if it was held.",
    },
    visit_overdue = alert {
      "A term passed without a support visit", source = VISITS,
      function(s)
        if not developing(s) then return false end
        local found, visited = false, s.visits[s.development_year]
        for term = 1, 3 do
          if not visited:has(term) and overdue(s, term_end(s.development_year, term)) then found = true end
        end
        return found
      end,
      advice = "Arrange the visit with the Mastery Specialist, or record it if it was made.",
    },
    development_incomplete = alert {
      "The development year ended and the phase is not completed", source = YEAR,
      function(s)
        return s.pathway_phase == "development" and s.development_year ~= nil
          and s:reached(year_end(s.development_year)) and not s.development_complete
      end,
      advice = "Agree how the phase can be completed, or waive development_complete with a reason.",
    },
    out_of_order = alert {
      "In a Work Group of a phase that it has not reached", source = PATHWAY,
      function(s)
        local found = false
        for m in each(s.memberships) do
          if PHASE_OF[m.kind] > ORDER[s.pathway_phase] and s:in_year(m.academic_year) then found = true end
        end
        return found
      end,
      advice = "See what the school lacks for that phase, or find it a group of the phase that it is in.",
    },
    out_of_contact = alert {
      "Nobody has been in contact with the school for too long", source = CONTACT,
      function(s)
        local found = false
        for m in each(s.memberships) do
          if (m.kind == "development" or m.kind == "embedding") and s:in_year(m.academic_year) then
            local since = day_of(year_start(m.academic_year))
            if s.last_contact and s.last_contact > since then since = s.last_contact end
            if s:reached(midnight(since) + days(s.param.contact_days)) then found = true end
          end
        end
        return found
      end,
      advice = "Get in touch with the school.",
    },
    sustaining_lapsed = alert {
      "Not in a Sustaining Work Group this year", source = SUSTAINING,
      function(s)
        if s.pathway_phase ~= "refinement" then return false end
        local year = s:current_year()
        return s:reached(midnight(year:sub(1, 4) .. "-11-01")) and not s.sustained_years:has(year)
      end,
      advice = "Join this year's Sustaining Work Group.",
    },
    stale_urn = alert {
      "Events still arrive for a URN that another school continues", source = REGISTER,
      function(s) return s.stale_urn_seen end,
      advice = "Send them for the school that continues this one, and void those sent by mistake.",
    },
  },
}
