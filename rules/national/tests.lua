return pack {
  tests = {
    { "one lead is not enough", given = { { "lead.named", teacher = "t1" } }, at = "2025-11-01",
      expect = { two_leads = false }, missing = { "two_leads" } },
    { "two leads are enough",
      given = { { "lead.named", teacher = "t1" }, { "lead.named", teacher = "t2" } },
      at = "2025-11-01", expect = { two_leads = true } },
  },
}
