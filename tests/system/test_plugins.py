"""Plugins of others: one built outside the tree against what is installed, and those that go wrong."""

import http.client
import os
import re
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from daemon import PATIENCE_S, ROOT, Daemon, binary, event, registered
from support import await_true

CC = os.environ.get("CC", "cc")


def run(*command, **more):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE_S, **more)


class Plugins(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-plugins-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def build(self, *macros):
        done = run(CC, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{ROOT}/include",
                   *(f"-D{m}" for m in macros), "-o", self.folder / "bad.so", ROOT / "tests/data/plugins/bad.c")
        self.assertEqual(done.returncode, 0, done.stderr)

    def daemon(self, section="[plugin bad]\n"):
        d = Daemon(http=section, daemon=f"plugins = {self.folder}")
        self.addCleanup(d.close)
        return d

    def await_line(self, d, pattern):
        await_true(lambda: re.search(pattern, d.log()), d.log)

    def assert_serves(self, d, urn="100009"):
        self.assertEqual(d.request("GET", "/readyz").status, 200)
        self.assertEqual(d.send([registered(urn)])["accepted"], 1)

    def test_one_that_can_not_be_used_is_told_by_a_check_and_skipped_by_a_start(self):
        for macro, said in (("OTHER_ABI", "was made for plugin ABI 2.2"), ("NEWER_ABI", "was made for plugin ABI 1.3"),
                            ("OTHER_NAME", "holds the plugin 'good', expected 'bad'"),
                            ("NO_START", "it has no start()")):
            self.build(macro)
            d = self.daemon()
            done = run(binary("pathwayd"), "--check", "--config", d.config)
            self.assertEqual(done.returncode, 1, macro)
            self.assertIn(said, done.stderr)
        (self.folder / "bad.so").write_bytes(b"no library")
        self.assertIn("can not load the plugin", run(binary("pathwayd"), "--check", "--config", d.config).stderr)
        self.assert_skipped("can not load the plugin")
        self.build("OTHER_ABI")
        self.assert_skipped("was made for plugin ABI 2.2")

    def assert_skipped(self, reason):
        """The daemon runs without it and says so, unless it is required."""
        d = self.daemon().start()
        fault, = d.request("GET", "/v1/status").json()["plugin_faults"]
        self.assertEqual(fault["name"], "bad")
        self.assertIn(reason, fault["reason"])
        self.assertIn(reason, d.log())
        self.assertEqual(d.stop(), 0)
        d = self.daemon("[plugin bad]\nrequired = yes\n")
        d.start(wait=False)
        self.assertEqual(d.process.wait(PATIENCE_S), 1)
        self.assertIn("the required plugin bad did not start", d.log())

    def test_what_makes_no_sense_in_a_section_is_told_with_its_line_before_anything_starts(self):
        self.build("CHECKS")
        d = self.daemon("max_header = big\nsocket_scopes = raed\nkey = /k\n[plugin spool]\ninterval = soon\nsettle = -1\n"
                        "[plugin jsonl]\nkeep = 0\nfile = /x\n[plugin webhook]\nretry = 5 often\nallow = nowhere\ntimeout = 0\n"
                        "[plugin bad]\nword = blue\nrequired = perhaps\n")
        done = run(binary("pathwayd"), "--check", "--config", d.config)
        self.assertEqual(done.returncode, 1)
        lines = d.config.read_text().splitlines()
        for key, said in (("max_header", "max_header is 'big'; expected a whole number from 1024 to 1048576"),
                          ("socket_scopes", "has the word 'raed'; expected read, write"), ("key", "'certificate' is missing"),
                          ("interval", "'interval' is 'soon'; expected seconds, from 1"), ("settle", "'settle' is '-1'"),
                          ("keep", "'keep' is '0'"), ("retry", "'retry' is '5 often'"), ("allow", "nowhere"),
                          ("timeout", "'timeout' is '0'"), ("word", "'word' is 'blue'; expected red"),
                          ("required", "'required' of [plugin bad] is 'perhaps'")):
            number = next(n for n, line in enumerate(lines, 1) if line.startswith(key + " ="))
            told = [t for t in done.stderr.splitlines() if t.startswith(f"{d.config}:{number}: ")]
            self.assertEqual(len(told), 1, (key, done.stderr))
            self.assertIn(said, told[0])
        self.assertEqual(len(done.stderr.splitlines()), 11, done.stderr)
        d.start(wait=False)
        self.assertEqual(d.process.wait(PATIENCE_S), 1)
        self.assertEqual(d.log(), done.stderr)

    def test_one_made_for_1_0_is_not_asked_what_it_does_not_have(self):
        self.build("OLD_ABI", "CHECKS")
        d = self.daemon("[plugin bad]\nword = blue\n").start()
        self.assertIn("bad", d.request("GET", "/v1/status").json()["plugins"])
        self.assertEqual(d.stop(), 0)

    def test_one_that_fails_to_start_is_skipped_and_told_unless_it_is_required(self):
        self.build("FAILS_TO_START")
        d = self.daemon().start()
        told = d.request("GET", "/v1/status").json()
        self.assertEqual(told["plugin_faults"][0]["name"], "bad")
        self.assertIn("the moon is not full", told["plugin_faults"][0]["reason"])
        self.assertIn('pathwayd_plugin_up{plugin="bad"} 0', d.request("GET", "/metrics").text())
        self.assert_serves(d)
        self.assertEqual(d.stop(), 0)
        d = self.daemon("[plugin bad]\nrequired = yes\n")
        d.start(wait=False)
        self.assertEqual(d.process.wait(PATIENCE_S), 1)
        self.assertIn("the required plugin bad did not start", d.log())

    def test_one_that_gives_up_later_is_told_and_stopped_alone(self):
        self.build("GIVES_UP")
        d = self.daemon().start()
        d.send([registered("100001"), event("commitment.given", "school/100001")])
        d.send([event("commitment.withdrawn", "school/100001", time="2025-09-11T10:00:00Z")])
        self.await_line(d, "host: plugin bad gave up: the other side has hung up")
        faults = d.request("GET", "/v1/status").json()["plugin_faults"]
        self.assertEqual(faults, [{"name": "bad", "reason": "the other side has hung up"}])
        self.assert_serves(d)
        self.assertEqual(d.stop(), 0)

    def test_a_required_one_that_gives_up_ends_the_daemon(self):
        self.build("GIVES_UP")
        d = self.daemon("[plugin bad]\nrequired = yes\n").start()
        try:  # whether it is answered or not
            d.send([registered("100001"), event("commitment.given", "school/100001")])
            d.send([event("commitment.withdrawn", "school/100001", time="2025-09-11T10:00:00Z")])
        except (OSError, RuntimeError, http.client.HTTPException):
            pass
        self.assertEqual(d.process.wait(PATIENCE_S), 1)

    def test_one_that_blocks_is_named_while_it_does(self):
        self.build("BLOCKS")
        d = self.daemon()
        goes_on = d.folder / "goes-on"
        d.environment = {"BAD_GOES_ON": str(goes_on)}
        d.start()
        sent = [registered("100001"), event("commitment.given", "school/100001")]
        sender = threading.Thread(target=d.send, args=(sent,))  # it may be answered when the loop goes on
        sender.start()
        self.await_line(d, r"the loop stands still, nobody is served for_ms=\d+ in=bad")
        goes_on.touch()
        sender.join()
        self.await_line(d, "the loop goes on")
        self.assert_serves(d)
        self.assertRegex(d.request("GET", "/metrics").text(), r"pathwayd_loop_stalls_total [1-9]")

    def test_junk_is_refused_and_harms_nobody(self):
        self.build("JUNK")
        d = self.daemon().start()
        d.send([registered("100001"), event("commitment.given", "school/100001")])
        d.send([event("commitment.withdrawn", "school/100001", time="2025-09-11T10:00:00Z")])
        self.await_line(d, "refused=9")
        deadline = time.monotonic() + PATIENCE_S
        while d.log().count("junk status=") < 7:
            self.assertLess(time.monotonic(), deadline, d.log())
            time.sleep(0.05)
        self.assert_serves(d)
        metrics = d.request("GET", "/metrics").text()
        self.assertIn('pathwayd_bad_thing{what="a \\"quoted\\"\\nname"} 1', metrics)
        self.assertEqual(metrics.count("# TYPE pathwayd_events_total"), 1)
        self.assertIn("'pathwayd_events_total', which is no metric of its own", d.log())
        self.assertEqual(d.stop(), 0)

    def test_one_that_never_stops_or_answers_is_left_behind(self):
        self.build("NEVER_STOPS", "NEVER_ANSWERS")
        d = self.daemon().start()
        self.assertEqual(d.request("POST", "/v1/plugins/bad.nothing").status, 404)
        self.assert_serves(d)
        self.assertEqual(d.stop(), 0)
        self.assertIn("plugin bad did not stop in 10 s", d.log())


class Sample(unittest.TestCase):
    def test_it_is_built_against_what_is_installed_and_never_misses_a_change(self):
        build = os.environ.get("PATHWAY_BUILD", ROOT / "build/release")
        with tempfile.TemporaryDirectory(prefix="pathway-installed-") as folder:
            done = run("cmake", "--install", build, "--prefix", f"{folder}/usr")
            self.assertEqual(done.returncode, 0, done.stderr)
            example = Path(folder) / "usr/share/doc/pathwayd/examples/sample"
            more = os.environ | {"PKG_CONFIG_PATH": f"{folder}/usr/share/pkgconfig"}
            done = run("make", "-C", example, "install", "CFLAGS=-O2 -Wall -Wextra -Werror", env=more)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            header = (Path(folder) / "usr/include/pathway/plugin.h").read_text()
            abi = ".".join(re.search(rf"PW_ABI_{part} (\d+)u", header)[1] for part in ("MAJOR", "MINOR"))
            self.assertEqual(run("pkg-config", "--variable=abi", "pathwayd", env=more).stdout.strip(), abi)
            self.use(Path(folder) / "usr/lib/pathwayd/plugins")

    def use(self, plugins):
        with Daemon(http="[plugin sample]\nprefix = committed\n", daemon=f"plugins = {plugins}") as d:
            d.send([registered("100001")])
            for step in range(6):
                kind = "commitment.given" if step % 2 == 0 else "commitment.withdrawn"
                d.send([event(kind, "school/100001", id=f"c-{step}", time=f"2025-09-10T10:00:0{step}Z")])
                self.await_told(d, 1)
                d.kill()
                d.start()
            deadline = time.monotonic() + PATIENCE_S
            head = d.request("GET", "/v1/status").json()["changes"]
            while d.request("POST", "/v1/plugins/sample.count").json()["place"] < head:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            self.assertIn("pathwayd_sample_told_total", d.request("GET", "/metrics").text())
            lag = 'pathwayd_consumer_lag{consumer="sample/log"} 0\n'
            await_true(lambda: lag in d.request("GET", "/metrics").text(), d.log)
            self.assertEqual(d.stop(), 0)

    def await_told(self, d, count):
        deadline = time.monotonic() + PATIENCE_S
        while d.request("POST", "/v1/plugins/sample.count").json()["told"] < count:
            self.assertLess(time.monotonic(), deadline, d.log())
            time.sleep(0.02)


class Questions(unittest.TestCase):
    def test_each_that_can_be_asked_is_told_of(self):
        table = (ROOT / "daemon/engine/question.c").read_text()
        names = re.findall(r'\{ "(\w+)", answer_', table[: table.index("QUESTION_COUNT")])
        self.assertGreater(len(names), 20)
        told = (ROOT / "docs/questions.md").read_text()
        commands = re.findall(r'"(\w+\.\w+)"', (ROOT / "daemon/host/service.c").read_text())
        for name in {*names, *commands} - {"token.keys"}:  # that one is the host's own
            self.assertRegex(told, rf"(?m)^\| `{name}` \||`{name}`\s*\{{", name)


if __name__ == "__main__":
    unittest.main()
