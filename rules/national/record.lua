--- What is remembered of a school and of a group, and how each event changes it.
-- Reducers only record; whether something is allowed, enough or late is for the rules to say.
local words = import "words"

local REGISTER = { "name", "hub", "education_phase", "la", "postcode", "status", "pupils" }

-- The last value of each field wins; a field that is not given stays as it was.
local function take_register(s, e)
  for _, field in ipairs(REGISTER) do
    if e.data[field] ~= nil then s[field] = e.data[field] end
  end
end

local function contact(s, time)
  local day = day_of(time)
  if not s.last_contact or day > s.last_contact then s.last_contact = day end
end

return pack {
  facts = {
    school = {
      -- the register
      registered = bool,
      name = text, hub = hub, education_phase = enum(words.education_phases), la = text,
      postcode = text, status = enum(words.statuses), pupils = int(0, 100000),
      succeeded_by = school,
      stale_urn_seen = bool,

      -- people
      committed_by_head = bool,
      leads = set(person),
      specialists = set(person),

      -- the pathway
      pathway_phase = initially("none", enum(words.phases)),
      completed = bool,               -- of the Development phase; latched
      years_entered = set(year),      -- by programme.entered, or by moving into Development
      embedded_years = set(year),
      sustained_years = set(year),

      -- work
      areas = map(words.areas, enum(words.judgements)),
      memberships = list(row { group = group, kind = enum(words.kinds), academic_year = year }),
      development_years = set(year),  -- for which it joined a Development group, whether or not it left
      teachers_met = map(year, map(int(1, 6), int(0, 1000))), -- most teachers at one Development meeting
      observed = map(year, set(int(1, 6))),
      visits = map(year, set(int(1, 3))),
      focuses = map(year, set(enum(words.focuses))),
      last_contact = date,
    },

    group = {
      kind = enum(words.kinds),       -- by group.formed; a group that was never formed has none
      hub = hub,
      academic_year = year,
      lead = person,
      schools = set(school),
      meetings = map(year, set(int(1, 6))),
    },
  },

  on = {
    school = {
      ["school.registered"] = function(s, e)
        s.registered = true
        take_register(s, e)
      end,
      ["school.changed"] = take_register,
      ["school.closed"] = function(s, e) s.status = "closed" end,

      ["school.succeeded"] = function(s, e)
        local continues, is_own = false, e.as[1] == s.subject
        for _, me in ipairs(e.as) do continues = continues or e.subject == me end
        if continues then
          s.status = "open"
        elseif is_own then -- what ends here for a predecessor is not taken over by its successors
          s.succeeded_by = e.subject
          s.memberships:clear()
        end
      end,

      ["programme.entered"] = function(s, e)
        s.years_entered:add(e.data.academic_year or year_of(e.time))
      end,
      ["phase.recorded"] = function(s, e)
        local phase = e.data.pathway_phase
        s.pathway_phase = phase
        if phase == "building" or phase == "refinement" then s.completed = true end
      end,

      ["specialist.appointed"] = function(s, e) s.specialists:add(e.data.person) end,
      ["specialist.stood_down"] = function(s, e) s.specialists:remove(e.data.person) end,
      ["commitment.given"] = function(s, e) s.committed_by_head = true end,
      ["commitment.withdrawn"] = function(s, e) s.committed_by_head = false end,
      ["lead.named"] = function(s, e) s.leads:add(e.data.teacher) end,
      ["lead.stood_down"] = function(s, e) s.leads:remove(e.data.teacher) end,
      ["readiness.assessed"] = function(s, e) s.areas[e.data.area] = e.data.judgement end,

      ["group.joined"] = function(s, e)
        s.memberships:add { group = e.data.group, kind = e.data.kind, academic_year = e.data.academic_year }
        if e.data.kind == "development" then s.development_years:add(e.data.academic_year) end
      end,
      ["group.left"] = function(s, e)
        s.memberships:remove_if(function(m) return m.group == e.data.group end)
      end,

      ["school.visited"] = function(s, e)
        s.visits[e.data.academic_year]:add(e.data.term)
        contact(s, e.time)
      end,
      ["focus.worked"] = function(s, e) s.focuses[e.data.academic_year]:add(e.data.focus) end,
      ["contact.made"] = function(s, e) contact(s, e.time) end,

      ["group.met"] = function(s, e)
        for _, me in ipairs(e.as) do -- this school, or the predecessors that it took over
          local teachers = e.data.attendance[me]
          if teachers and #teachers > 0 then contact(s, e.time) end
          if teachers and e.data.kind == "development" then
            local met, half_term = s.teachers_met[e.data.academic_year], e.data.half_term
            met[half_term] = math.max(met[half_term] or 0, #teachers)
            if e.data.observation and #teachers > 0 then
              s.observed[e.data.academic_year]:add(half_term)
            end
          end
        end
      end,

      ["waiver.granted"] = function(s, e)
        s:waive { rule = e.data.rule, last_day = e.data["until"], by = e.data.by }
      end,
      ["waiver.ended"] = function(s, e) s:end_waivers(e.data.rule) end,

      -- Whatever is still sent for the old URN once another school continues this one. An event that was
      -- taken over from a predecessor was sent for that one.
      ["*"] = {
        function(s, e)
          if s.succeeded_by and e.as[1] == s.subject then s.stale_urn_seen = true end
        end,
        except = { "school.registered", "school.changed", "school.closed", "school.succeeded", "event.voided" },
      },
    },

    group = {
      ["group.formed"] = function(g, e)
        g.kind, g.hub, g.academic_year = e.data.kind, e.data.hub, e.data.academic_year
        if e.data.lead then g.lead = e.data.lead end
      end,
      ["group.joined"] = function(g, e) g.schools:add(e.subject) end,
      ["group.left"] = function(g, e) g.schools:remove(e.subject) end,
      ["group.met"] = function(g, e) g.meetings[e.data.academic_year]:add(e.data.half_term) end,
    },
  },
}
