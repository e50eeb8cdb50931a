--- Tests: the sentence that tells a school what to do now.
local t = import "tests_shared"
local all = t.all

local below = t.assessed("school_systems", "not_yet", "2024-01-01")
local preparing = all { t.committed, below, t.joined("readiness", "2024/25") }
local refining = { t.registered(), t.recorded("refinement") }

local function secure(time)
  local list = {}
  for _, area in ipairs(import("words").areas) do list[#list + 1] = t.assessed(area, "secure", time) end
  return list
end

-- In Development with everything done up to this moment of the first half of the year.
local function on_the_way(but)
  return all { t.developing("2024/25"), t.meetings("2024/25", { 1, 2 }), t.visits("2024/25", { 1 }), but or {} }
end

local function says(name, at, sentence, given)
  return { name, given = given, at = at, expect = { next_step = sentence } }
end

return pack {
  tests = {
    ---- in no phase ----
    says("an unknown school is entered in the register first", "2025-01-01", "Enter the school in the register.",
      { { "commitment.given" } }),
    says("a closed school has nothing to do", "2025-01-01", "Nothing: the school is not open.",
      { t.registered { status = "closed" } }),
    says("a school that another one continues has nothing to do", "2025-01-01",
      "Nothing: this school is continued by school/200002.",
      all { t.able, { "school.succeeded", "2024-06-01", as = "school/200002", predecessor = t.SCHOOL } }),
    says("a secondary school has nothing to do", "2025-01-01",
      "Nothing: the pathway is for schools with primary pupils.", { t.registered { education_phase = "secondary" } }),
    says("the commitment comes first", "2025-01-01", "Ask the headteacher to commit the school to the programme.",
      { t.registered() }),
    says("a committed school names its leads", "2025-01-01", "Name two lead participant teachers.", t.committed),
    says("a school that may joins a Development group", "2025-01-01", "Join a Development Work Group.", t.able),
    says("a school with a place waits for its year", "2024-08-01",
      "Nothing for now: the school has a place in a Development Work Group, whose year has yet to begin.",
      t.developing("2024/25")),
    says("a place whose year is over is none", "2025-10-01", "Join a Development Work Group.",
      all { t.able, t.joined("development", "2023/24", { [2] = "2025-09-30" }) }),
    says("a school that is not ready joins a Readiness group", "2025-01-01", "Join a Mastery Readiness Work Group.",
      all { t.able, below }),

    ---- Preparatory ----
    says("in the Preparatory phase areas are strengthened", "2025-01-01",
      "Work with the Mastery Readiness Lead on the areas that are not yet secure.", preparing),
    says("a school whose areas have become secure names its leads", "2025-03-01", "Name two lead participant teachers.",
      all { preparing, secure("2025-02-01") }),
    says("a school that has become ready joins a Development group", "2025-03-01", "Join a Development Work Group.",
      all {
        preparing, secure("2025-02-01"), { "lead.named", "2025-02-01", teacher = "t1" },
        { "lead.named", "2025-02-01", teacher = "t2" },
      }),
    says("a commitment that was withdrawn is asked for again", "2025-03-01",
      "Ask the headteacher to commit the school to the programme.",
      all { preparing, { "commitment.withdrawn", "2025-02-01" } }),

    ---- Development ----
    says("a school that does well takes part in its group", "2025-01-25",
      "Take part in the Development Work Group: two teachers every half term, a visit every term.", on_the_way()),
    says("a lead who stood down is replaced", "2025-01-25", "Name two lead participant teachers.",
      on_the_way { { "lead.stood_down", "2025-01-22", teacher = "t1" } }),
    says("who came with one teacher comes with two", "2024-12-01",
      "Send two lead participant teachers to every meeting of the Development Work Group.",
      all { t.developing("2024/25"), t.met("2024/25", 1, { "t1" }) }),
    says("a meeting that nobody recorded is looked for", "2024-12-01",
      "Ask the Work Group's lead to record the missing meeting, or to hold it.", t.developing("2024/25")),
    says("a visit that is missing is arranged", "2025-01-25",
      "Arrange the missing support visit with the Mastery Specialist, or have it recorded.",
      all { t.developing("2024/25"), t.meetings("2024/25", { 1, 2 }) }),
    says("a school that left its group agrees what to do", "2025-01-25",
      "Agree with the Maths Hub how the Development phase can be completed.",
      on_the_way { t.left("development", "2024/25", "2025-01-22") }),
    says("a school whose year was not enough agrees what to do", "2025-09-01",
      "Agree with the Maths Hub how the Development phase can be completed.", on_the_way()),
    says("a school that has completed Development joins an Embedding group", "2025-09-01",
      "Join an Embedding Work Group.", t.developed("2024/25")),

    ---- Building ----
    says("in the Building phase the four focuses are worked on", "2025-10-01",
      "Work with the Embedding Work Group on its four focuses.",
      all { t.developed("2024/25"), t.joined("embedding", "2025/26") }),
    says("after a year of Embedding a school joins a Sustaining group", "2026-09-01", "Join a Sustaining Work Group.",
      all { t.developed("2024/25"), t.joined("embedding", "2025/26") }),
    says("a school in the Building phase without a group joins one", "2025-10-01", "Join an Embedding Work Group.",
      { t.registered(), t.recorded("building") }),

    ---- Refinement ----
    says("in the Refinement phase a school joins a group each year", "2025-09-15",
      "Join this year's Sustaining Work Group.", refining),
    says("a school in a Sustaining group goes on", "2025-09-15",
      "Go on with the Sustaining Work Group, year on year.", all { refining, t.joined("sustaining", "2025/26") }),
  },
}
