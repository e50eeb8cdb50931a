"""What the tests of the author's tools share: packs written as texts, with a mark in the line that must be told."""

import re
import tempfile
from pathlib import Path

from support import tool

MARK = re.compile(r"[ \t]*--!.*$", re.MULTILINE)

# A whole small pack; what a test is about is put in the places of these words.
PACK = """return pack {
  name = "small", version = "1",
  events = {
    ["school.opened"] = { title = "A school opened", subject = "school",
      data = { phase = enum { "primary", "secondary" }, pupils = optional(int(0, 5000)), on = optional(date) } },
    ["lead.named"] = { title = "A lead was named", subject = "school", data = { teacher = person } },
    ["promise.given"] = { title = "The headteacher promised", subject = "school", data = { by = optional(person) } },
    EVENTS
  },
  facts = { school = {
    open = bool, phase = enum { "primary", "secondary" }, pupils = int(0, 5000), opened_on = date,
    leads = set(person), promised = time,
    FACTS
  } },
  on = { school = {
    ["school.opened"] = function(s, e)
      s.open, s.phase, s.opened_on = true, e.data.phase, e.data.on
      if e.data.pupils then s.pupils = e.data.pupils end
    end,
    ["lead.named"] = function(s, e) s.leads:add(e.data.teacher) end,
    ["promise.given"] = function(s, e) s.promised = e.time end,
    ON
  } },
  params = { leads_needed = 2, promise_days = 365, PARAMS },
  rules = {
    is_open = rule { "The school is open", source = "register", function(s) return s.open end },
    two_leads = rule { "Two leads are named", source = "rules", needs = at_least("leads_needed"),
      function(s) return #s.leads end },
    promise_current = rule { "The promise is current", source = "rules",
      function(s) return s.promised and not s:reached(s.promised + days(s.param.promise_days)) end },
    may_join = all_of { "May join", "is_open", "two_leads", source = "rules" },
    RULES
  },
  tests = {
    { "two leads are enough", given = { { "school.opened", phase = "primary" }, { "lead.named", teacher = "t1" },
      { "lead.named", teacher = "t2" } }, at = "2025-01-01", expect = { may_join = true }, missing = {} },
    TESTS
  },
}
"""
WORDS = ("EVENTS", "FACTS", "ON", "PARAMS", "RULES", "TESTS")


def small(**parts):
    """The small pack with these parts put in."""
    text = PACK
    for word in WORDS:
        text = re.sub(rf"\b{word}\b", lambda _: parts.get(word.lower(), ""), text, count=1)
    return text


def marked_line(text):
    """The number of the line with the mark, or None."""
    for number, line in enumerate(text.splitlines(), 1):
        if "--!" in line:
            return number
    return None


class Folder:
    """A pack's folder for one test; the marks are taken out."""

    def __init__(self, text, name="small"):
        self.holder = tempfile.TemporaryDirectory()
        self.path = Path(self.holder.name) / name
        self.path.mkdir()
        self.file = self.path / "pack.lua"
        self.file.write_text(MARK.sub("", text))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.holder.cleanup()

    def check(self, *options):
        return tool("check", *options, self.path)

    def test(self, *options):
        return tool("test", *options, self.path)


def problems_of(text):
    """What `pathway check` says of a pack: its exit code, and a list of (line, message)."""
    with Folder(text) as folder:
        done = folder.check()
        told = []
        for line in done.stderr.splitlines():
            match = re.match(rf"{re.escape(str(folder.file))}:(\d+): (.*)$", line)
            told.append((int(match[1]), match[2]) if match else (None, line))
        return done.returncode, told
