--- What is decided about a Work Group.
local SIZE = 'NCETM, the primary school pathway, Development phase: "Two lead participant teachers from each of six or seven schools"'
local MEETS = 'NCETM, the primary school pathway, Development phase: "meet every half term as a group"'

return pack {
  rules = {
    group_schools = rule {
      "Schools that are members now", of = "group", source = SIZE,
      function(g) return #g.schools end,
    },
    group_size_ok = rule {
      "A Development Work Group has six or seven schools", of = "group", source = SIZE,
      function(g)
        if g.kind ~= "development" then return true end
        return #g.schools >= g.param.group_min and #g.schools <= g.param.group_max
      end,
      advice = "Bring the group to six or seven schools.",
    },
    group_meetings = rule {
      "Half terms in which the group met", of = "group", source = MEETS,
      function(g)
        if g.academic_year then return #g.meetings[g.academic_year] end
        local count = 0
        for _, half_terms in each(g.meetings) do count = count + #half_terms end
        return count
      end,
    },
    group_meeting_missed = rule {
      "A half term passed without a meeting", of = "group", source = MEETS,
      function(g)
        if g.kind ~= "development" or not g:in_year(g.academic_year) then return false end
        local missed, met = false, g.meetings[g.academic_year]
        for half_term = 1, 6 do
          if not met:has(half_term) and g:reached(half_term_end(g.academic_year, half_term) + days(g.param.grace_days)) then
            missed = true
          end
        end
        return missed
      end,
      advice = "Hold the meeting, or record it if it was held.",
    },
  },
}
