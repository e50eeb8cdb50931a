--- Rules, moves and reducers that fail for some values and recover with others, and read time, facts,
-- parameters and each other in every way there is. They mean nothing: tests compare the daemon with itself.
local TEST = "a test"
local KNOBS = { "a", "b", "c", "d" }

return pack {
  name = "national",
  version = "1",

  events = {
    ["knob.turned"] = {
      title = "A knob was turned", subject = "school",
      data = { knob = enum(KNOBS), n = int(0, 20), other = optional(school), told = optional(group) },
    },
    ["due.set"] = { title = "Something will be due", subject = "school", data = { on = optional(date) } },
    ["bell.set"] = { title = "A bell will ring", subject = "school", data = { at = optional(time) } },
    ["name.added"] = { title = "A name was added", subject = "school", data = { name = text } },
    ["name.removed"] = { title = "A name was removed", subject = "school", data = { name = text } },
    ["school.succeeded"] = {
      title = "A school continues another one", subject = "school", data = { predecessor = school },
    },
  },

  params = {
    limit = { 5, from = { ["2023-01-01"] = 2, ["2024-01-01"] = 7, ["2024-09-01"] = 1 } },
    wait = 30,
  },

  facts = {
    school = {
      knobs = map(KNOBS, int(0, 20)),
      by_year = map(year, map(enum(KNOBS), int(0, 1000))),
      turns = int(0, 1000),
      due = date,
      bell = time,
      rung = bool,
      names = set(text),
      rows = list(row { knob = enum(KNOBS), year = year }),
      stage = initially("first", enum { "first", "second", "third" }),
      latched = bool,
      years = set(year),
      entered = set(year),
    },
    group = { turns = int(0, 1000), last = school },
  },

  on = {
    school = {
      ["knob.turned"] = function(s, e)
        if e.subject ~= s.subject then return end
        local y = year_of(e.time)
        s.knobs[e.data.knob] = e.data.n
        s.turns = (s.turns or 0) + 1
        s.by_year[y][e.data.knob] = (s.by_year[y][e.data.knob] or 0) + 1
        if e.data.n == 13 then error("thirteen is not taken in") end -- after half of it has been
        s.rows:add { knob = e.data.knob, year = y }
        if e.data.n == 14 then s.rows:remove { knob = "a" } end
      end,
      ["due.set"] = function(s, e) s.due = e.data.on end,
      ["bell.set"] = function(s, e) s.bell = e.data.at end,
      ["name.added"] = function(s, e) s.names:add(e.data.name) end,
      ["name.removed"] = function(s, e) s.names:remove(e.data.name) end,
    },
    group = {
      ["knob.turned"] = function(g, e)
        if e.data.n == 12 then error("twelve is not for groups") end
        g.turns = (g.turns or 0) + 1
        g.last = e.subject
      end,
    },
  },

  moves = {
    school = {
      latched = once(function(s)
        if s.knobs.d == 4 then error("a move that fails") end
        return s.due and s:reached(midnight(s.due) + days(7)) and s.knobs.a == 1 -- no rule waits for that
      end),
      rung = once(function(s) return s.bell and s:reached(s.bell) and s.knobs.a == 1 end),
      years = gather(function(s)
        local years = {}
        for r in each(s.rows) do
          if r.knob == "c" and s:in_year(r.year) then years[#years + 1] = r.year end
        end
        return years
      end),
      stage = first_of {
        { "third", from = { "second" }, function(s) return s.waited and s.overdue end,
          enter = function(s, at) s.entered:add(year_of(at)) end },
        { "second", from = { "first" }, function(s) return s.waited or s.knobs.b == 2 end },
        { "first", from = { "third" }, function(s) return s.knobs.b == 5 end },
      },
    },
  },

  rules = {
    plain = rule { "The knob a", source = TEST, function(s) return s.knobs.a end },
    fails = rule {
      "Fails at three", source = TEST,
      function(s)
        if s.knobs.b == 3 then error("three: " .. (s.turns or 0)) end
        return s.knobs.b
      end,
    },
    reads_failing = rule { "Reads a rule that fails", source = TEST, function(s) return (s.fails or 0) + 1 end },
    reads_sometimes = rule {
      "Reads it only when a is even", source = TEST,
      function(s)
        if (s.knobs.a or 0) % 2 == 0 then return s.reads_failing end
        return #s.names
      end,
    },
    waited = rule { "The day has come", source = TEST, function(s) return s.due and s:reached(midnight(s.due)) end },
    overdue = rule {
      "It is long past", source = TEST, function(s) return s.due and s:reached(midnight(s.due) + days(s.param.wait)) end,
    },
    fails_when_due = rule {
      "Fails when due", source = TEST,
      function(s)
        if s.waited and not s.overdue then error("due on " .. tostring(s.due)) end
        return s.overdue
      end,
    },
    ringing = rule { "The bell has rung", source = TEST, function(s) return s.bell and s:reached(s.bell) end },
    fails_when_ringing = rule {
      "Fails for some when it rings", source = TEST,
      function(s)
        if s.ringing and s.knobs.b == 3 then error("the bell, at turn " .. (s.turns or 0)) end
        return s.knobs.b
      end,
    },
    after_ringing = rule {
      "Reads that only after it rang", source = TEST,
      function(s) return not s.ringing and "not yet" or (s.fails_when_ringing or 0) .. " " .. #s.names end,
    },
    rung = shown { "It rang while a was 1", source = TEST },
    few = rule { "Not turned too often", source = TEST, needs = at_most("limit"), function(s) return s.turns or 0 end },
    both = all_of { "Both", source = TEST, "few", "waited" },
    either = any_of { "Either", source = TEST, "few", "fails_when_due" },
    this_year = rule {
      "Turns of the running year", source = TEST,
      function(s)
        local sum = 0
        for y, knobs in each(s.by_year) do
          if s:in_year(y) then
            for _, n in each(knobs) do sum = sum + n end
          end
        end
        return sum
      end,
    },
    all_names = rule {
      "The names, in order", source = TEST,
      function(s)
        local all = ""
        for name in each(s.names) do all = all .. name .. " " end
        return all
      end,
    },
    stage = shown { "The stage", source = TEST },
    latched = shown { "Latched", source = TEST },
    gathered = rule { "Years gathered and entered", source = TEST, function(s) return #s.years * 100 + #s.entered end },
    group_turns = rule { "Turns told to it", source = TEST, of = "group", function(g) return g.turns end },
    group_fails = rule {
      "Fails for a school", source = TEST, of = "group",
      function(g)
        if g.last == "school/100002" then error("not this one") end
        return g.last
      end,
    },
  },
}
