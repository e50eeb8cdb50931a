--- Hub 93: the two-year Introductory group, which it runs since 2025/26 in place of one year of Development.
-- To the national pack the school is in a Development Work Group for two years, one after the other: the hub
-- sends group.joined for each of them, so that attendance, visits, alerts and the phase work as everywhere. What is
-- different stands here: six to twelve schools in a group, none that was engaged before, and Development is
-- completed only when both years are.
local SOURCE = 'Hub 93, "Teaching for Mastery (Introductory)", a two-year commitment, 6 to 12 schools'

-- The academic year after this one.
local function following(year) return year_of(year_end(year)) end

-- Were there enough meetings and visits in this year?
local function worked(s, year)
  local meetings = 0
  for _, teachers in each(s.teachers_met[year]) do
    if teachers >= s.param.leads_needed then meetings = meetings + 1 end
  end
  return meetings >= s.param.meetings_needed and #s.visits[year] >= s.param.visits_needed
end

return overlay {
  hub = "93",
  version = "2026.1",
  title = "The two-year Introductory group",
  source = SOURCE,

  params = {
    group_max = { 7, from = { ["2025-09-01"] = 12 } },
    h93_first_introductory_year = "2025/26",
  },

  events = {
    ["h93.introductory.joined"] = {
      title = "A school joined an Introductory group, for two years",
      subject = "school",
      data = { group = group, academic_year = year }, -- the first of the two
    },
    ["h93.introductory.left"] = {
      title = "A school left its Introductory group",
      subject = "school",
      data = { group = group, reason = optional(note) },
    },
  },

  facts = {
    school = {
      h93_introductory_from = year,         -- the first of its two years; none: in no Introductory group
      h93_introductory_completed = bool,    -- latched: later changes do not undo it
    },
    group = { h93_is_introductory = bool },
  },

  on = {
    school = {
      ["h93.introductory.joined"] = function(s, e) s.h93_introductory_from = e.data.academic_year end,
      ["h93.introductory.left"] = function(s, e) s.h93_introductory_from = nil end,
    },
    group = {
      ["h93.introductory.joined"] = function(g, e) g.h93_is_introductory = true end,
    },
  },

  moves = {
    school = {
      h93_introductory_completed = once(function(s)
        local first = s.h93_introductory_from
        return first ~= nil and s:reached(year_end(following(first)))
          and worked(s, first) and worked(s, following(first))
      end),
    },
  },

  rules = {
    h93_introductory_year = rule {
      "Which of its two years in the Introductory group is running", source = SOURCE,
      function(s)
        local first = s.h93_introductory_from
        if not first then return nil end
        return s:in_year(first) and 1 or s:in_year(following(first)) and 2 or nil
      end,
    },

    -- Who may join: "primaries not previously engaged".
    h93_new = criterion {
      "The school was not in the programme before", source = SOURCE,
      function(s)
        for year in each(s.years_entered) do
          if year < s.param.h93_first_introductory_year then return false end
        end
        return true
      end,
    },
    eligible_development = tighten {
      "Introductory groups are for schools that were not in the programme before", "h93_new", source = SOURCE,
    },

    -- Schools that were in Development before there were Introductory groups completed it as everywhere.
    h93_not_introductory = criterion {
      "The school is in no Introductory group", source = SOURCE,
      function(s) return s.h93_introductory_from == nil end,
    },
    h93_both_years = criterion {
      "Both years of the Introductory group are completed", source = SOURCE,
      function(s) return s.h93_introductory_completed end,
      advice = "Complete the second year: two teachers at nearly every meeting, and a visit every term.",
    },
    h93_completed = any_of {
      "Development is completed as this hub runs it", "h93_not_introductory", "h93_both_years",
      source = SOURCE, criterion = true,
    },
    development_complete = tighten {
      "Both years of an Introductory group are completed", "h93_completed", source = SOURCE,
    },

    h93_introductory_schools = rule {
      "Schools in the Introductory group", of = "group", source = SOURCE,
      function(g) return g.h93_is_introductory and #g.schools or nil end,
    },
  },

  alerts = {
    h93_second_year_missing = alert {
      "The first year ends soon, and the second is not entered", source = SOURCE,
      function(s)
        local first = s.h93_introductory_from
        if not first or not s:in_year(first) then return false end
        return s:reached(midnight(following(first):sub(1, 4) .. "-06-01"))
          and not s.development_years:has(following(first))
      end,
      advice = "Enter the group's second year: group.joined, kind development, for the following year.",
    },
  },
}
