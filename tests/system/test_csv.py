"""CSV of people: their tables to events, every mistake told by row and column."""

import json
import tempfile
import unittest
from datetime import date, timedelta
from pathlib import Path

from daemon import ROOT, Daemon, event, registered
from support import await_true, tool

MAPPING = {"type": "readiness.assessed", "source": "urn:hub:07:sheet", "subject": "URN",
           "time": {"column": "Date"},
           "data": {"area": "Area", "judgement": {"column": "RAG", "words": {"Green": "secure", "Amber": "developing"}},
                    "by": {"value": "p-07-1"}}}


class Events(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-csv-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def dry(self, *arguments):
        return tool("import", "events", *arguments, "--dry-run", "--rules", ROOT / "rules")

    def test_columns_by_their_names(self):
        table = self.file("leads.csv", "\ufeffURN,Date,teacher,Remarks\r\n100001,10/09/2025,p-1,\"nice,\r\nreally\"\r\n"
                                       "school/100002,2025-09-11T10:00:00Z,p-2,\r\n")
        done = self.dry(table, "--type", "lead.named")
        self.assertEqual(done.returncode, 0, done.stderr)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([(e["subject"], e["time"], e["data"]) for e in events],
                         [("school/100001", "2025-09-09T23:00:00.000000Z", {"teacher": "p-1"}),
                          ("school/100002", "2025-09-11T10:00:00.000000Z", {"teacher": "p-2"})])
        self.assertIn("nothing is taken from column 'Remarks'", done.stderr)
        self.assertEqual(done.stdout, self.dry(table, "--type", "lead.named").stdout)

    def test_columns_by_a_mapping_and_words(self):
        mapping = self.file("map.json", json.dumps(MAPPING))
        table = self.file("rag.csv", "URN,Date,Area,RAG\n100001,2025-09-10,Subject expertise,Green\n"
                                     "100001,2025-09-10,school_systems,not yet\n")
        done = self.dry(table, "--mapping", mapping)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([json.loads(line)["data"] for line in done.stdout.splitlines()],
                         [{"area": "subject_expertise", "judgement": "secure", "by": "p-07-1"},
                          {"area": "school_systems", "judgement": "not_yet", "by": "p-07-1"}])

    def test_every_mistake_is_told_by_row_and_column(self):
        mapping = self.file("map.json", json.dumps(MAPPING))
        table = self.file("rag.csv", "URN,Date,Area,RAG\n100001,31/02/2025,school_systems,Green\n,2025-09-10,x,y\n"
                                     "100001,2025-09-10,shool_systems,Green\n100001,2025-09-10,school_systems,Blue\n"
                                     "100001,2025-09-10,school_systems,Green,9\n10 0001,2025-09-10,school_systems,Green\n")
        done = self.dry(table, "--mapping", mapping)
        self.assertEqual(done.returncode, 1)
        told = done.stderr.splitlines()
        for at, said in enumerate(("rag.csv:2: row 1, column 'Date':", "rag.csv:3: row 2, column 'URN': it is empty",
                                   "rag.csv:4: row 3, column 'Area':", "rag.csv:5: row 4, column 'RAG':",
                                   "rag.csv:6: row 5: it has 5 fields, the header has 4",
                                   "rag.csv:7: row 6, column 'URN':")):
            self.assertIn(said, told[at])
        self.assertIn("school_systems", told[2])
        self.assertIn('found "Blue", expected one of not_yet, developing, secure; words of the mapping: Green, Amber', told[3])
        self.assertIn('found "31/02/2025", expected a day that there is', told[0])
        long = self.file("long.csv", "urn,date,teacher\n100001,2025-09-10," + "p" * 20000 + "\n")
        done = self.dry(long, "--type", "lead.named", "--json")
        self.assertEqual(json.loads(done.stdout)["wrong"],
                         [{"row": 1, "line": 2, "column": "teacher", "detail": "it is 20000 bytes long, expected fewer than 16384"}])

    def test_mappings_and_headers_that_are_wrong(self):
        table = self.file("t.csv", "URN,Date\n100001,2025-09-10\n")
        for change, said in (({"subjct": "URN"}, "unknown 'subjct'; did you mean \"subject\"?"),
                             ({"subject": "UNR"}, "there is no column 'UNR' (for subject); did you mean \"URN\"?"),
                             ({"data": {"aera": "URN"}}, "has no field 'aera'; did you mean \"area\"?"),
                             ({"type": "no.such"}, "there is no type of event 'no.such'"),
                             ({"type": "readyness.assessed"}, "did you mean \"readiness.assessed\"?"),
                             ({"time": 5}, "mapping: time: expected a column's name")):
            mapping = self.file("map.json", json.dumps({"type": "readiness.assessed", "subject": "URN", "time": "Date"} | change))
            done = self.dry(table, "--mapping", mapping)
            self.assertEqual(done.returncode, 3)
            self.assertIn(said, done.stderr)
        for header, said in (("URN;Date", "its columns are set off by semicolons, expected commas"),
                             ("URN,Date,teacher,Teacher", "there are two columns 'teacher', 3 and 4: which is meant")):
            done = self.dry(self.file("t.csv", header + "\n"), "--type", "lead.named")
            self.assertEqual(done.returncode, 3)
            self.assertIn(said, done.stderr)
        done = self.dry(table)
        self.assertEqual(done.returncode, 2)
        self.assertIn("of what type are the events? Say --type TYPE", done.stderr)

    def test_all_rows_or_none_and_again_is_harmless(self):
        with Daemon() as d:
            url = {"PATHWAY_URL": f"unix:{d.socket}"}
            table = self.file("leads.csv", "urn,date,teacher\n100001,2025-09-10,p-1\n100001,2025-09-10,Ann Lee\n")
            bad = tool("import", "events", table, "--type", "lead.named", **url)
            self.assertEqual(bad.returncode, 1)
            self.assertIn("column 'teacher'", bad.stderr)
            self.assertIn("nothing was sent", bad.stderr)
            self.assertEqual(d.request("GET", "/v1/status").json()["events"], 0)
            some = tool("import", "events", table, "--type", "lead.named", "--skip-errors", **url)
            self.assertIn("accepted 1", some.stdout)
            self.file("leads.csv", "urn,date,teacher\n100001,2025-09-10,p-1\n100001,2025-09-10,p-2\n")
            both = tool("import", "events", table, "--type", "lead.named", **url)
            self.assertEqual(both.returncode, 0, both.stderr)
            self.assertIn("2 rows: accepted 1  duplicate 1  refused 0", both.stdout)

    def test_the_spool_reads_it_too(self):
        with Daemon(http="[plugin spool]\nsettle = 0\ninterval = 1\n") as d:
            spool = d.folder / "spool"
            (spool / "mappings").mkdir()
            (spool / "mappings/rag.json").write_text(json.dumps(MAPPING))
            part = spool / "in/.x"
            part.write_text("URN,Date,Area,RAG\n100001,2025-09-10,school_systems,Green\n100001,2025-09-10,school_systems,Blue\n")
            part.rename(spool / "in/rag-2025-09.csv")
            report = spool / "failed/rag-2025-09.csv.report.json"
            await_true(report.exists, d.log)
            told = json.loads(report.read_text())
            self.assertEqual((told["accepted"], told["invalid"]), (1, 1))
            self.assertEqual(told["refused"][0]["row"], 2)
            self.assertIn("column 'RAG'", told["refused"][0]["detail"])


class Spreadsheets(unittest.TestCase):
    def test_it_has_the_mark_and_no_cell_is_a_formula(self):
        with Daemon() as d:
            d.send([registered("100001", name='=HYPERLINK("http://x","y")')])
            url = {"PATHWAY_URL": f"unix:{d.socket}"}
            plain = tool("export", "events", **url).stdout
            done = tool("export", "events", "--spreadsheet", **url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.startswith("\ufeff"))
            self.assertEqual(done.stdout.count("\n"), plain.count("\n"))
            decisions = tool("export", "decisions", "--spreadsheet", **url).stdout
            self.assertIn("school/100001,is_open,true", decisions)
            self.assertEqual(tool("export", "decisions", "--spreadsheet", "--json", **url).returncode, 2)

    def test_over_http_it_is_asked_for_by_its_format(self):
        with Daemon() as d:
            d.send([registered("100001"), event("contact.made", "school/100001", {
                "group": "group/g1", "academic_year": "2025/26"}, id="=cmd()", source="urn:x")])
            for what in ("decisions", "events", "changes"):
                plain = d.request("GET", f"/v1/export/{what}?format=csv")
                self.assertFalse(plain.body.startswith(b"\xef\xbb\xbf"))
                answer = d.request("GET", f"/v1/export/{what}?format=spreadsheet")
                self.assertEqual((answer.status, answer.headers["Content-Type"].split(";")[0]), (200, "text/csv"))
                self.assertEqual(answer.headers["Content-Disposition"], f'attachment; filename="{what}.csv"')
                self.assertTrue(answer.body.startswith(b"\xef\xbb\xbf"), answer.body[:40])
                self.assertEqual(answer.body.count(b"\r\n"), plain.body.count(b"\n"))
                done = tool("export", what, "--spreadsheet", "--url", f"unix:{d.socket}")
                self.assertEqual(done.stdout.encode().replace(b"\r\n", b"\n"), answer.body.replace(b"\r\n", b"\n"))
            self.assertIn(b'"\'=cmd()"', d.request("GET", "/v1/export/events?format=spreadsheet").body)
            self.assertEqual(d.request("GET", "/v1/export/registered?format=spreadsheet").status, 400)
            self.assertIn("spreadsheet", d.request("GET", "/v1/export/events?format=xls").json()["detail"])


class Links(unittest.TestCase):
    def test_simple_ones_are_proposed_and_the_rest_is_told(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write("URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n"
                       "100001,100011,A,Successor,01-09-2022\n100011,100001,A,Predecessor,01-09-2022\n"
                       "100002,100012,B,Successor,\n"
                       "100003,100013,C,Successor - merged,01-09-2022\n"
                       "100004,100014,D,Successor,01-09-2022\n100004,100015,D,Successor,01-09-2022\n"
                       "100005,100016,E,Successor,01-09-2022\n100006,100016,E,Successor,01-09-2022\n"
                       "100007,100017,F,Successor,01-09-2022\n100017,100007,F,Successor,01-09-2022\n"
                       "100008,100018,G,Successor,01-09-2022\n100018,100099,G,Predecessor - merged,01-09-2022\n")
            file.flush()
            done = tool("import", "links", file.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        event, = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((event["subject"], event["time"], event["data"]),
                         ("school/100011", "2022-08-31T23:00:00.000000Z", {"predecessor": "school/100001"}))
        for line, said in ((4, "no date"), (5, "a merger"), (6, "several successors"), (8, "continues several"),
                           (10, "each would continue the other"), (12, "continues several")):
            self.assertRegex(done.stderr, rf":{line}: .*{said}")
        self.assertIn("1 successions proposed, 9 left to a person", done.stderr)

    def by_register(self, *schools, links=None, header="URN,EstablishmentStatus (code),OpenDate,CloseDate"):
        """What is proposed for 100001 to 100011, and what is said of those left, by a register of these rows."""
        with tempfile.TemporaryDirectory() as folder:
            link, register = Path(folder) / "links.csv", Path(folder) / "register.csv"
            link.write_text("URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n"
                            + (links or "100001,100011,A,Successor,01-09-2022\n"))
            register.write_text("".join(line + "\n" for line in (header, *schools)))
            done = tool("import", "links", link, "--register", register)
        return done, [json.loads(line) for line in done.stdout.splitlines()]

    def test_by_the_register_the_one_closed_as_the_other_opened(self):
        closed = date(2022, 8, 31)
        for days, simple in ((-93, False), (-92, True), (0, True), (1, True), (92, True), (93, False)):
            opened = (closed + timedelta(days=days)).strftime("%d-%m-%Y")
            with self.subTest(days=days):
                done, events = self.by_register("100001,2,,31-08-2022", f"100011,1,{opened},")
                self.assertEqual(len(events), int(simple), done.stderr)
                if not simple:
                    self.assertIn("93 days apart", done.stderr)
                    self.assertIn("it closed on 2022-08-31", done.stderr)
                self.assertNotIn("By the links alone", done.stderr)

    def test_what_the_register_does_not_say_is_left_to_a_person(self):
        new = "100011,1,01-09-2022,"
        for rows, said in ((("100001,2,,31-08-2022",), "does not have the successor"), ((new,), "does not have the school"),
                           (("100001,1,,31-08-2022", new), "that the school is closed"),
                           (("100001,3,,31-08-2022", new), "that the school is closed"),
                           (("100001,2,,", new), "when the school closed"),
                           (("100001,2,,01-01-1900", new), "when the school closed"),
                           (("100001,2,,31-08-2022", "100011,1,,"), "when the successor opened")):
            done, events = self.by_register(*rows)
            self.assertEqual((done.returncode, events), (0, []), done.stderr)
            self.assertIn(said, done.stderr)
        done, _ = self.by_register(new, header="URN,Name,OpenDate,CloseDate")
        self.assertEqual(done.returncode, 3)
        self.assertIn("EstablishmentStatus, OpenDate and CloseDate", done.stderr)

    def test_a_successor_that_has_closed_since_did_open(self):
        _, events = self.by_register("100001,2,,31-08-2022", "100011,2,01-09-2022,31-08-2024")
        self.assertEqual(len(events), 1)

    def test_an_undated_link_has_the_day_on_which_the_successor_opened(self):
        _, (event,) = self.by_register("100001,2,,31-12-2022", "100011,1,01-01-2023,",
                                       links="100001,100011,A,Successor,\n")
        self.assertEqual(event["time"], "2023-01-01T00:00:00.000000Z")

    def test_a_real_extract_leaves_to_a_person_what_its_dates_do_not_show(self):
        alone = tool("import", "links", ROOT / "data/links.csv", "--quiet")
        both = tool("import", "links", ROOT / "data/links.csv", "--register", ROOT / "data/schools.csv")
        self.assertIn("By the links alone", alone.stderr)
        self.assertLessEqual(set(both.stdout.splitlines()), set(alone.stdout.splitlines()))
        self.assertGreater(len(both.stdout.splitlines()), 5)

    def test_what_is_proposed_of_a_real_extract_is_accepted(self):
        done = tool("import", "links", ROOT / "data/links.csv", "--quiet")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertGreater(len(events), 20)
        with Daemon() as d:
            self.assertEqual(d.send(events)["accepted"], len(events))


if __name__ == "__main__":
    unittest.main()
