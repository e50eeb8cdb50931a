--- The programme's own words, shared by the files of this pack.
-- Source: NCETM, "Teaching for mastery in maths: the primary school pathway".
return {
  phases = { "none", "preparatory", "development", "building", "refinement" },

  -- "strengthen five key areas"
  areas = {
    "vision_and_culture", "mathematical_mindsets", "subject_expertise", "school_systems",
    "arithmetical_proficiency",
  },

  -- Mastery Readiness, Development, Embedding and Sustaining Work Groups
  kinds = { "readiness", "development", "embedding", "sustaining" },

  -- Building phase: "Focus is on systems and culture to support mastery, subject knowledge, lesson
  -- design and continued support for school and subject leadership."
  focuses = { "systems_and_culture", "subject_knowledge", "lesson_design", "leadership_support" },

  judgements = { "not_yet", "developing", "secure" },

  education_phases = {
    "nursery", "primary", "infant", "junior", "first", "middle", "all_through", "secondary",
    "special", "other",
  },

  statuses = { "open", "proposed_to_close", "proposed_to_open", "closed" },
}
