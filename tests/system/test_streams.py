"""Those who watch live, many of them: filters, heartbeats, slow ones, those who left; and the figures of it all."""

import json
import re
import resource
import select
import shutil
import socket
import subprocess
import time
import unittest

from daemon import PATIENCE_S, ROOT, Daemon, Impatient, event, registered
from support import await_true, make_pair, number_from

READERS = number_from("PATHWAY_READERS", 1000)


def open_stream(d, query="", last=None):
    s = socket.create_connection(("127.0.0.1", d.port), timeout=PATIENCE_S)
    more = f"Last-Event-ID: {last}\r\n" if last is not None else ""
    s.sendall(f"GET /v1/changes{query} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n{more}\r\n".encode())
    return s


def unchunked(raw):
    """The body so far of an answer in chunks."""
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0], head
    out = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        n = int(size, 16) if size else 0
        if n == 0 or len(rest) < n:
            break
        out, rest = out + rest[:n], rest[n + 2:]
    return out


def entries(body):
    """The entries of all events that are whole."""
    body = body[: body.rfind(b"\n\n") + 2] if b"\n\n" in body else b""
    return [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: ")]


def read_until(s, enough, raw=b""):
    """Read a stream until `enough(body)`, `raw` being what was read before; the body, and all that was read."""
    deadline, looked_at, piece = time.monotonic() + PATIENCE_S, -1, b"-"
    while piece != b"" and time.monotonic() < deadline:
        s.settimeout(0.2)
        try:
            piece = s.recv(1 << 20)
            raw += piece
        except TimeoutError:
            piece = None
        if piece and len(raw) < looked_at * 1.25:
            continue  # looking takes long: who does nothing else is a slow reader
        looked_at = len(raw)
        if b"\r\n\r\n" in raw and enough(unchunked(raw)):
            return unchunked(raw), raw
    raise AssertionError(f"not enough came: {raw[-500:]!r}")


def metric(d, name):
    for line in d.request("GET", "/metrics").text().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return None


def await_metric(d, name, value):
    await_true(lambda: metric(d, name) == value, lambda: f"{name} is {metric(d, name)}, not {value}")


class Streams(unittest.TestCase):
    def start(self, http=""):
        d = (Impatient if "patience" in http else Daemon)(http=http)
        self.addCleanup(d.close)
        d.start()
        d.send([registered(100001), registered(100002, hub="09")])
        return d

    def stream(self, d, *where, **more):
        s = open_stream(d, *where, **more)
        self.addCleanup(s.close)
        return s

    def test_filters_show_what_passes_and_nothing_else(self):
        d = self.start()
        streams = {query: self.stream(d, query) for query in ("?hub=09", "?subject=school/100001", "?decision=committed",
                                                              "?hub=09&decision=two_leads")}
        for urn in (100001, 100002):
            d.send([event("commitment.given", f"school/{urn}", id=f"c{urn}"),
                    event("lead.named", f"school/{urn}", {"teacher": "a"}, id=f"a{urn}"),
                    event("lead.named", f"school/{urn}", {"teacher": "b"}, id=f"b{urn}")])
        whole = d.request("GET", "/v1/changes").json()["items"]
        for query, keep in (("?hub=09", lambda e: e["data"]["hub"] == "09"),
                            ("?subject=school/100001", lambda e: e["subject"] == "school/100001"),
                            ("?decision=committed", lambda e: e["data"]["decision"] == "committed"),
                            ("?hub=09&decision=two_leads", lambda e: (e["data"]["hub"], e["data"]["decision"])
                             == ("09", "two_leads"))):
            expected = [e for e in whole if keep(e)]
            self.assertTrue(expected)
            body, _ = read_until(streams[query], lambda b: len(entries(b)) >= len(expected))
            self.assertEqual(entries(body), expected, query)

    def test_a_filter_that_can_not_be_is_refused(self):
        d = self.start()
        for query, told in (("?decision=comitted", 'did you mean "committed"'), ("?subject=scool/1", "scool"),
                            ("?limit=5", "parameters of a stream"), ("?hub=07&hub=09", "twice")):
            answer = d.request("GET", "/v1/changes" + query, headers={"Accept": "text/event-stream"})
            self.assertEqual(answer.status, 400, query)
            self.assertIn(told, answer.json()["detail"])

    def test_a_place_that_is_not_there_is_told(self):
        d = self.start()
        d.send([event("commitment.given", "school/100001")])
        head = d.request("GET", "/v1/changes").json()["seq"]
        s = self.stream(d, last=head + 1000)
        body, raw = read_until(s, lambda b: b"event: resync" in b)
        self.assertIn(f"event: resync\nid: {head}\n", body.decode())
        self.assertIn(f'"after":{head + 1000},"seq":{head}', body.decode())
        d.send([event("commitment.withdrawn", "school/100001", time="2025-09-12T00:00:00Z")])
        read_until(s, lambda b: b"pathway.decision.changed" in b, raw)
        page = d.request("GET", f"/v1/changes?after={head + 1000}").json()
        self.assertEqual((page["items"], page["next"]), ([], head + 1000))
        self.assertLess(page["seq"], page["next"])

    def test_who_comes_back_after_a_restart_has_all_pages_of_what_it_missed(self):
        d = self.start()
        d.send([registered(200000 + n) for n in range(100)])
        d.send([event("commitment.given", f"school/{200000 + n}") for n in range(100)])
        whole = d.request("GET", "/v1/changes?limit=10000").json()["items"]
        self.assertGreater(len(whole), 250)  # several pages of a stream
        d.kill()
        d.start()
        body, _ = read_until(self.stream(d, last=0), lambda b: len(entries(b)) >= len(whole))
        self.assertEqual(entries(body), whole)

    def test_a_heartbeat_shows_life_and_finds_those_who_left(self):
        d = self.start("heartbeat = 1")
        s = open_stream(d)
        read_until(s, lambda b: b"\n:\n" in b)
        await_metric(d, "pathwayd_http_streams", 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # gone without a word
        s.close()
        await_metric(d, "pathwayd_http_streams", 0)

    def test_who_does_not_read_is_cut_off_and_can_resume(self):
        d = self.start("patience = 1\nheartbeat = 1")
        s = socket.socket()
        self.addCleanup(s.close)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", d.port))
        s.sendall(b"GET /v1/changes HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        d.send([registered(200000 + n) for n in range(100)])
        for round in range(100):
            kind = "given" if round % 2 == 0 else "withdrawn"
            d.send([event(f"commitment.{kind}", f"school/{200000 + n}", id=f"s{round}-{n}",
                          time=f"2025-09-10T{10 + round // 60}:{round % 60:02}:00Z") for n in range(100)])
            if metric(d, 'pathwayd_http_cut_total{reason="slow"}'):
                break
            time.sleep(0.05)
        await_metric(d, 'pathwayd_http_cut_total{reason="slow"}', 1)
        await_metric(d, "pathwayd_http_streams", 0)
        whole = [json.loads(line) for line in d.request("GET", "/v1/export/changes?format=ndjson").text().splitlines()]
        seen = self.read_to_its_end(s)
        self.assertLess(len(seen), len(whole))
        deadline = time.monotonic() + PATIENCE_S
        while len(seen) < len(whole) and time.monotonic() < deadline:  # on a busy machine this is a slow reader too
            seen += self.read_to_its_end(self.stream(d, last=len(seen)))
        self.assertEqual(seen, whole)

    def read_to_its_end(self, s):
        """All entries that come before it is cut off, or before a heartbeat says that there are no more."""
        s.settimeout(PATIENCE_S)
        raw = b""
        try:
            while (piece := s.recv(1 << 20)) and not raw.endswith(b"\n:\n\n\r\n"):
                raw += piece
        except OSError:
            pass
        return entries(unchunked(raw)) if b"\r\n\r\n" in raw else []

    def test_a_thousand_watch_at_once(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, READERS * 2 + 500), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        d = self.start()
        head = d.request("GET", "/v1/changes").json()["seq"]
        streams = [self.stream(d, f"?after={head}") for _ in range(READERS)]
        await_metric(d, "pathwayd_http_streams", READERS)
        for number in range(5):
            kind = "given" if number % 2 == 0 else "withdrawn"
            d.send([event(f"commitment.{kind}", "school/100001", id=f"k{number}", time=f"2025-09-1{number}T10:00:00Z")])
        whole = d.request("GET", f"/v1/changes?after={head}").json()["items"]
        left, raw = {s.fileno(): s for s in streams}, {s.fileno(): b"" for s in streams}
        poll = select.poll()
        for fileno in left:
            poll.register(fileno, select.POLLIN)
        deadline = time.monotonic() + PATIENCE_S
        while left and time.monotonic() < deadline:
            for fileno, _ in poll.poll(1000):
                raw[fileno] += left[fileno].recv(65536)
                if len(entries(unchunked(raw[fileno]))) >= len(whole):
                    self.assertEqual(entries(unchunked(raw[fileno])), whole)
                    poll.unregister(fileno)
                    del left[fileno]
        self.assertEqual(len(left), 0)
        self.assertEqual(d.stop(), 0, d.log())


class Figures(unittest.TestCase):
    PLUGINS = "[plugin webhook]\nallow = 127.0.0.0/8\n[plugin spool]\ninterval = 1\nsettle = 0\n[plugin jsonl]\n"

    def promtool(self, *arguments, **more):
        program = shutil.which("promtool") or str(ROOT / "build/tools/usr/bin/promtool")
        return subprocess.run([program, "check", *arguments], capture_output=True, text=True, **more)

    def figures(self):
        """Of a daemon with all plugins, each of which has done something."""
        d = Daemon(http=self.PLUGINS)
        pair = "certificate = %s\nkey = %s\n" % make_pair(d.folder, "own")
        d.config.write_text(d.config.read_text().replace("listen = ", pair + "listen = 127.0.0.2:0 plain:"))
        with d:
            d.request("POST", "/v1/webhooks", '{"name":"a","url":"http://127.0.0.1:1/"}', {"Content-Type": "application/json"})
            d.send([registered(100001), event("commitment.given", "school/100001")])
            (d.folder / "spool/in/.x").write_text("{}\n")
            (d.folder / "spool/in/.x").rename(d.folder / "spool/in/x.ndjson")
            await_metric(d, 'pathwayd_spool_files_total{result="failed"}', 1)
            await_metric(d, 'pathwayd_consumer_open{consumer="webhook/a"}', 1)
            d.request("GET", "/nowhere")
            return d.request("GET", "/metrics").text()

    def test_promtool_finds_nothing_and_each_alert_is_about_figures_that_there_are(self):
        text = self.figures()
        done = self.promtool("metrics", input=text)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        rules = ROOT / "docs/prometheus/pathwayd.rules.yml"
        done = self.promtool("rules", str(rules))
        self.assertEqual(done.returncode, 0, done.stderr)
        series = [line.rpartition(" ")[0] for line in text.splitlines() if line and line[0] != "#"]
        names = {one.split("{")[0] for one in series}
        used = re.findall(r"^ +expr: (.*)", rules.read_text(), re.M)
        self.assertGreater(len(used), 10)
        for expression in used:
            for name, where in re.findall(r"\b(pathwayd_[a-z_]+)(?:\{(\w+)=)?", expression):
                self.assertIn(name, names, expression)
                labels = {label for one in series if one.split("{")[0] == name for label in re.findall(r"(\w+)=", one)}
                self.assertLessEqual({where} - {""}, labels, expression)
        self.assertIn('pathwayd_spool_events_total{status="invalid"} 1', text)
        self.assertIn('pathwayd_consumer_open{consumer="webhook/a"} 1', text)

    def test_what_has_a_figure_has_an_alert_or_a_line_for_the_operator(self):
        told = (ROOT / "docs/operator.md").read_text()
        for name in ("consumer", "plugin", "webhook", "spool", "jsonl"):
            for figure in set(re.findall(rf"^(pathwayd_{name}_[a-z_]+)", self.figures(), re.M)):
                self.assertIn(figure, told)

    def test_all_of_it_is_counted(self):
        with Daemon() as d:
            d.request("GET", "/v1/schools")
            d.request("GET", "/nowhere")
            for counted in ('route="/v1/schools",status="200"', 'route="none",status="404"'):
                await_metric(d, f"pathwayd_http_requests_total{{{counted}}}", 1)  # once its peer has gone
            text = d.request("GET", "/metrics").text()
            for name in ("request_seconds_bucket", "connections", "streams", "cut_total", "received_bytes_total"):
                self.assertIn(f"pathwayd_http_{name}", text)


if __name__ == "__main__":
    unittest.main()
