--- Teaching for Mastery in maths: the primary school pathway, as all Maths Hubs share it.
-- This file names the pack and holds its numbers. The others hold, in the order in which a school
-- meets them: events (what may arrive), record (what is remembered), moves (how a school moves
-- along), rules and groups (what is decided), alerts (what needs somebody), next_step (what to do
-- now), and tests.
return pack {
  name = "national",
  version = "2026.1",
  title = "Teaching for Mastery in maths: the primary school pathway",

  -- A number that changes from a date on is written { 2, from = { ["2027-09-01"] = 3 } }: the value in
  -- force at the moment asked about counts, also for meetings that lie in the past.
  params = {
    leads_needed = 2,            -- "Two lead participant teachers from each of six or seven schools"
    group_min = 6,
    group_max = { 7, stricter = "lower" },
    meetings_needed = 5,         -- of six: one missed half term does not undo a school's year
    visits_needed = 3,           -- "Each school gets a termly bespoke support visit"
    building_years_needed = 1,   -- Embedding Work Groups usually last one year
    entered_from = "2015/16",    -- "entered the main Teaching for Mastery Programme between 2015 and
    entered_to = "2018/19",      --  2018"
    grace_days = { 14, stricter = "lower" },   -- time to record what happened before it counts as overdue
    contact_days = { 90, stricter = "lower" }, -- "The group keep in contact"
  },

  -- What a hub may change in its overlay; all else is the same everywhere. `tighten`: it may ask for more. A higher
  -- number is the stricter one, unless the parameter says otherwise. `loosen`: it may ask for less.
  open = {
    leads_needed = tighten,
    meetings_needed = tighten,
    visits_needed = tighten,
    building_years_needed = tighten,
    grace_days = freely,
    contact_days = freely,
    group_min = loosen,          -- small groups where schools are far apart
    group_max = loosen,          -- the Introductory group takes up to twelve
    eligible_preparatory = tighten,
    eligible_development = tighten,
    development_complete = tighten,
    eligible_building = tighten,
    eligible_refinement = tighten,
  },
}
