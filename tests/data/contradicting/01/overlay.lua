--- Stricter than hub 02 in all that is loose there.
return overlay {
  hub = "01",
  params = {
    leads_needed = { 2, from = { ["2023-09-01"] = 3 } },
    grace_days = 3,
    contact_days = { 90, from = { ["2023-01-01"] = 10 } },
    h01_days = 20,
  },
  calendar = {
    ["2023/24"] = { "2023-09-01", "2023-11-08", "2024-01-10", "2024-02-28", "2024-04-25", "2024-06-12" },
  },
  events = { ["h01.note"] = { title = "N", subject = "school", data = { n = int(0, 9), on = optional(date) } } },
  facts = {
    school = { h01_notes = map(year, set(int(0, 9))), h01_due = time, h01_latched = bool, h01_seen = initially(0, int) },
    group = { h01_met = initially(0, int) },
  },
  on = {
    school = {
      ["h01.note"] = function(s, e)
        s.h01_notes[year_of(e.time)]:add(e.data.n)
        s.h01_due = e.time + days(20)
      end,
      ["lead.named"] = function(s, e) s.h01_seen = s.h01_seen + #s.leads end,
      ["school.registered"] = function(s, e) s.h01_seen = s.h01_seen + 100 end,
    },
    group = { ["group.met"] = function(g, e) g.h01_met = g.h01_met + 1 end },
  },
  moves = { school = { h01_latched = once(function(s) return s.h01_due and s:reached(s.h01_due) end) } },
  rules = {
    h01_noted = criterion { "Noted", function(s) return #s.h01_notes["2023/24"] > 0 or #s.h01_notes["2022/23"] > 0 end },
    eligible_development = tighten { "Noted", "h01_noted", source = "s" },
    h01_count = rule { "C", source = "s", function(s)
      local n = s.h01_seen
      for _, notes in each(s.h01_notes) do n = n + #notes end
      return n
    end },
    h01_latched = shown { "L", source = "s" },
    h01_fails = rule { "F", source = "s", function(s) if #s.leads > 1 then error("two leads") end return s.two_leads end },
    h01_met = shown { "M", of = "group", source = "s" },
  },
  alerts = { h01_late = alert { "D", source = "s", function(s)
    return s.h01_due ~= nil and s:reached(s.h01_due) and not s:reached(s.h01_due + days(s.param.h01_days)) end } },
}
