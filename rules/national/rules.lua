--- What is decided about a school. Each rule says in its title what holds when it is met, where it
-- comes from, and what to do when it is not. `rule` and `all_of` ... are decisions, which people see on
-- the board; a `criterion` only explains them.
local words = import "words"

local PATHWAY = "NCETM, the primary school pathway"
local REGISTER = "Get Information about Schools"
local PREPARATORY = PATHWAY .. ', Preparatory phase: "For schools not yet ready to join the main development phase (eligibility criteria apply)"'
local FIVE_AREAS = PATHWAY .. ', Preparatory phase: "to strengthen five key areas"'
local COMMITMENT = "Maths Hubs, what a Work Group asks of a school: an engaged headteacher, two teachers released, and the intent to go on"
local DEVELOPMENT = PATHWAY .. ', Development phase: "All schools complete this phase, which lasts a whole school year"'
local ONCE = 'Maths Hubs, Development Work Groups: "Schools can only take part in this particular Work Group once"'
local LEADS = PATHWAY .. ', Development phase: "Two lead participant teachers from each of six or seven schools meet every half term as a group"'
local OBSERVATION = PATHWAY .. ', Development phase: "The meetings involve shared lesson observations and discussion"'
local VISITS = PATHWAY .. ', Development phase: "Each school gets a termly bespoke support visit by the Mastery Specialist"'
local CONTACT = PATHWAY .. ', Development phase: "The group keep in contact and share experiences"'
local BUILDING = PATHWAY .. ', Building phase: "Schools who have worked on establishing teaching for mastery become part of an Embedding Work Group"'
local FOCUS = PATHWAY .. ', Building phase: "Focus is on systems and culture to support mastery, subject knowledge, lesson design and continued support for school and subject leadership"'
local REFINEMENT = PATHWAY .. ', Refinement phase: "Open to all schools who entered the main Teaching for Mastery Programme between 2015 and 2018"'
local SUSTAINING = PATHWAY .. ', Refinement phase: "Year-on-year participation in a Sustaining Work Group"'
local SPECIALIST = "NCETM and Maths Hubs, Sustaining Work Groups: open to schools that took part before, or where a Mastery Specialist works"

local PRIMARY = { primary = true, infant = true, junior = true, first = true, middle = true, all_through = true }

local AREA_TITLES = {
  vision_and_culture = "Vision and culture underpinning maths learning",
  mathematical_mindsets = "Mathematical mindsets",
  subject_expertise = "Subject expertise",
  school_systems = "School systems",
  arithmetical_proficiency = "Arithmetical proficiency",
}

-- How many areas are judged below secure.
local function below_secure(s)
  local count = 0
  for _, judgement in each(s.areas) do
    if judgement ~= "secure" then count = count + 1 end
  end
  return count
end

-- The most teachers of this school at one Development meeting of a half term of its development
-- year; nil when no meeting of that half term names the school.
local function teachers(s, half_term)
  local year = s.development_year
  return year and s.teachers_met[year][half_term]
end

local rules = {
  ---- the school ----
  registered_open = criterion {
    "The school is in the register, and open", source = REGISTER,
    function(s) return s.registered and (s.status == "open" or s.status == "proposed_to_close") end,
    advice = "Enter the school in the register, or put its status right.",
  },
  is_open = all_of { "The school is open", "registered_open", source = REGISTER, waivable = true },
  is_primary = rule {
    "The school teaches primary pupils", source = REGISTER,
    function(s) return PRIMARY[s.education_phase or "other"] == true end,
  },
  committed = rule {
    "The headteacher has committed the school", source = COMMITMENT, waivable = true,
    function(s) return s.committed_by_head end,
    advice = "Ask the headteacher for the commitment.",
  },
  two_leads = rule {
    "Two lead participant teachers are named", source = LEADS, waivable = true,
    needs = at_least("leads_needed"),
    function(s) return #s.leads end,
    advice = "Name two lead participant teachers.",
  },

  ---- readiness ----
  areas_secure = rule {
    "How many of the five readiness areas are secure", stricter = "lower", source = FIVE_AREAS,
    function(s)
      local count = 0
      for _, judgement in each(s.areas) do
        if judgement == "secure" then count = count + 1 end
      end
      return count
    end,
  },
  nothing_below_secure = criterion {
    "No readiness area is judged below secure", source = FIVE_AREAS,
    needs = equal_to(0), below_secure,
    advice = "Strengthen the areas that are judged below secure, and have them assessed again.",
  },
  all_secure_if_preparatory = criterion {
    "In the Preparatory phase, all five areas are secure", source = FIVE_AREAS,
    function(s) return s.pathway_phase ~= "preparatory" or s.areas_secure == #words.areas end,
    advice = "Have every readiness area assessed, and strengthen those that are not yet secure.",
  },
  ready = all_of {
    "Nothing known stands against Development", "nothing_below_secure", "all_secure_if_preparatory",
    source = FIVE_AREAS, waivable = true,
  },

  ---- Preparatory ----
  before_development = criterion {
    "The school has not taken part in Development yet", source = ONCE,
    function(s) return s.pathway_phase == "none" or s.pathway_phase == "preparatory" end,
  },
  something_to_strengthen = criterion {
    "At least one readiness area is judged below secure", source = PREPARATORY,
    needs = at_least(1), below_secure,
    advice = "Assess the five readiness areas with the Mastery Readiness Lead.",
  },
  eligible_preparatory = all_of {
    "May join a Mastery Readiness Work Group",
    "is_open", "is_primary", "committed", "before_development", "something_to_strengthen",
    source = PREPARATORY, waivable = true,
  },

  ---- Development ----
  eligible_development = all_of {
    "May join a Development Work Group",
    "is_open", "is_primary", "committed", "two_leads", "ready", "before_development",
    source = DEVELOPMENT, waivable = true,
  },
  development_year = rule {
    "The school's development year", source = DEVELOPMENT,
    function(s)
      local found
      for year in each(s.development_years) do -- in order: the earliest first
        if not found or s:reached(year_start(year)) then found = year end
      end
      return found
    end,
  },
  development_attendance = rule {
    "Its teachers at each half term's meeting: 2 enough, 1 too few, 0 none, - no meeting", stricter = "neither", source = LEADS,
    function(s)
      if not s.development_year then return nil end
      local shown = ""
      for half_term = 1, 6 do
        local n = teachers(s, half_term)
        shown = shown .. (not n and "-" or n >= s.param.leads_needed and "2" or n >= 1 and "1" or "0")
      end
      return shown
    end,
  },
  development_meetings = rule {
    "Half terms in which enough of its teachers came to a meeting", stricter = "lower", source = LEADS,
    function(s)
      local count = 0
      for half_term = 1, 6 do
        if (teachers(s, half_term) or -1) >= s.param.leads_needed then count = count + 1 end
      end
      return count
    end,
  },
  development_observations = rule {
    "Half terms with a shared lesson observation", stricter = "lower", source = OBSERVATION,
    function(s) return s.development_year and #s.observed[s.development_year] or 0 end,
  },
  development_visits = rule {
    "Terms with a support visit", stricter = "lower", source = VISITS,
    function(s) return s.development_year and #s.visits[s.development_year] or 0 end,
  },
  development_complete = rule {
    "The Development phase is completed", source = DEVELOPMENT, waivable = true,
    function(s) return s.completed end,
    advice = "Complete a Development year: two teachers at nearly every meeting, and a visit every term.",
  },

  ---- Building ----
  eligible_building = all_of {
    "May join an Embedding Work Group", "is_open", "development_complete",
    source = BUILDING, waivable = true,
  },
  entered = rule {
    "Academic year in which it entered the main programme", source = REFINEMENT,
    function(s)
      for year in each(s.years_entered) do return year end -- in order: the earliest
    end,
  },
  building_focuses = rule {
    "How many of the four focuses it has worked on", stricter = "lower", source = FOCUS,
    function(s)
      local worked, count = {}, 0
      for year in each(s.embedded_years) do
        for focus in each(s.focuses[year]) do
          if not worked[focus] then worked[focus], count = true, count + 1 end
        end
      end
      return count
    end,
  },
  building_years = rule {
    "Years in an Embedding Work Group that have ended", stricter = "lower", source = BUILDING,
    function(s)
      local count = 0
      for year in each(s.embedded_years) do
        if s:reached(year_end(year)) then count = count + 1 end
      end
      return count
    end,
  },
  last_contact = shown { "Last contact on", source = CONTACT },

  ---- Refinement ----
  entered_early = criterion {
    "Entered the main programme in one of the years that Sustaining is open to", source = REFINEMENT,
    function(s)
      local year = s.entered
      return year ~= nil and year >= s.param.entered_from and year <= s.param.entered_to
    end,
  },
  has_built = criterion {
    "Has ended enough years in an Embedding Work Group", source = REFINEMENT,
    needs = at_least("building_years_needed"),
    function(s) return s.building_years end,
    advice = "Complete a year in an Embedding Work Group.",
  },
  has_specialist = criterion {
    "A Primary Mastery Specialist works at the school", source = SPECIALIST,
    function(s) return #s.specialists > 0 end,
  },
  may_sustain = any_of {
    "Entered early, has worked in an Embedding Work Group, or has a specialist", "entered_early", "has_built", "has_specialist",
    source = REFINEMENT, criterion = true,
  },
  eligible_refinement = all_of {
    "May join a Sustaining Work Group", "is_open", "may_sustain",
    source = REFINEMENT, waivable = true,
  },
  sustaining_years = rule {
    "Years in a Sustaining Work Group", stricter = "lower", source = SUSTAINING,
    function(s) return #s.sustained_years end,
  },

  ---- where it stands ----
  pathway_phase = shown { "Phase of the pathway", stricter = words.phases, source = PATHWAY },
  phase_since = rule {
    "In this phase since", source = PATHWAY,
    function(s)
      local at = s:since "pathway_phase"
      return at and day_of(at)
    end,
  },
  succeeded_by = shown { "School that continues this one", source = REGISTER },
}

for _, area in ipairs(words.areas) do
  rules["readiness_" .. area] = rule {
    AREA_TITLES[area], source = FIVE_AREAS,
    function(s) return s.areas[area] or "not_assessed" end,
  }
end

return pack { rules = rules }
