--- Looser than hub 01 where it is strict, stricter where it is not.
return overlay {
  hub = "02",
  params = {
    meetings_needed = 6,
    visits_needed = 4, -- more than there are terms: nobody completes Development here
    grace_days = 60,
    contact_days = 300,
    group_min = 1,
    group_max = { 7, from = { ["2022-09-01"] = 12 } },
  },
  calendar = {
    ["2022/23"] = { "2022-09-20", "2022-11-20", "2023-01-20", "2023-02-27", "2023-05-01", "2023-06-20" },
    ["2023/24"] = { "2023-09-20", "2023-11-20", "2024-01-20", "2024-02-27", "2024-05-01", "2024-06-20" },
  },
  events = { ["h02.note"] = { title = "N", subject = "school", data = { n = int(0, 9) } } },
  facts = { school = { h02_sum = initially(0, int) } },
  on = { school = {
    ["h02.note"] = function(s, e)
      if e.data.n == 9 then error("nine") end
      s.h02_sum = s.h02_sum + e.data.n
    end,
    ["school.changed"] = function(s, e) s.h02_sum = s.h02_sum + 1 end,
  } },
  rules = {
    h02_not_noted = criterion { "Not noted", function(s) return s.h02_sum == 0 end },
    eligible_preparatory = tighten { "Not noted", "h02_not_noted", source = "s" },
    eligible_development = tighten { "Not noted", "h02_not_noted", source = "s" },
    h02_sum = shown { "S", source = "s" },
  },
}
