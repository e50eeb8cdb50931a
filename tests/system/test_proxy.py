"""Behind nginx and HAProxy, configured word for word as docs/proxy.md says: on loopback, under a path, and with requests
that two readers could read differently. `./dev deps` puts both into build/tools, without their services."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from daemon import PATIENCE_S, ROOT, Daemon, event, registered
from support import Reserved, tool
from test_tls import make_pair

TOOLS = ROOT / "build/tools"
PAGE = (ROOT / "docs/proxy.md").read_text()
FOLLOWER = "GET /livez HTTP/1.1\r\nHost: schools.example.org\r\nConnection: close\r\n\r\n"


def program(name):
    """The path of a proxy, and the environment that it runs in; None when it is not there."""
    if shutil.which(name):
        return shutil.which(name), {}
    path = TOOLS / "usr/sbin" / name
    libraries = ":".join(str(p) for p in TOOLS.glob("usr/lib/*-linux-gnu"))
    return (str(path), {"LD_LIBRARY_PATH": libraries}) if path.exists() else None


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def replaced(text, *pairs):
    """What a page says, with a machine's own ports and files: each of them must be there."""
    for old, new in pairs:
        if old not in text:
            raise AssertionError(f"docs/proxy.md does not say '{old}' any more")
        text = text.replace(old, new)
    return text


class Recorder:
    """In place of the daemon: what reaches it, word for word. Each request is answered 200."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.seen = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        rest = b""
        while piece := connection.recv(65536):
            rest += piece
            while b"\r\n\r\n" in rest:
                head, _, rest = rest.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                while length and len(rest) < int(length[1]):
                    rest += connection.recv(65536)
                rest = rest[int(length[1]) if length else 0:]
                while b"transfer-encoding" in head.lower() and b"0\r\n\r\n" not in rest:
                    rest += connection.recv(65536)
                if b"transfer-encoding" in head.lower():
                    rest = rest.partition(b"0\r\n\r\n")[2]
                if b"/readyz" not in head:
                    self.seen.append(head)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def close(self):
        self.server.close()


class Proxy:
    """One of them, in front of `port`; `below` is the port of what serves under a path alone, if it has one."""

    def __init__(self, port):
        self.holder = tempfile.TemporaryDirectory(prefix="pathway-proxy-")
        self.folder = Path(self.holder.name)
        self.certificate, self.key = make_pair(self.folder, "one")
        self.ports = [Reserved() for _ in range(3)]
        self.tls, self.plain, self.below = (p.port for p in self.ports)
        self.path, more = program(self.name)
        self.config = self.folder / "proxy.conf"
        self.config.write_text(self.configuration(port))
        self.environment = os.environ | more
        checked = subprocess.run([self.path, *self.check], capture_output=True, text=True, env=self.environment)
        self.said = checked.stdout + checked.stderr
        if checked.returncode != 0:
            raise AssertionError(self.said + self.config.read_text())
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen([self.path, *self.run], stdout=self.log, stderr=self.log, env=self.environment)
        self.await_port()

    def await_port(self):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.plain), timeout=10).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise AssertionError((self.folder / "log").read_text())
                time.sleep(0.05)

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self.log.close()
        for port in self.ports:
            port.close()
        self.holder.cleanup()

    def connection(self):
        context = ssl.create_default_context(cafile=str(self.certificate))
        return http.client.HTTPSConnection("127.0.0.1", self.tls, timeout=PATIENCE_S, context=context)

    def get(self, path, headers=None, body=None):
        connection = self.connection()
        connection.request("POST" if body else "GET", path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, text

    def raw(self, text):
        """Statuses of the answers to these bytes, up to the end of the connection."""
        out = b""
        context = ssl.create_default_context(cafile=str(self.certificate))
        with context.wrap_socket(socket.create_connection(("127.0.0.1", self.tls), timeout=PATIENCE_S),
                                 server_hostname="127.0.0.1") as s:
            s.sendall(text.encode())
            try:
                while piece := s.recv(65536):
                    out += piece
            except (ConnectionError, ssl.SSLError):
                pass
        return [int(status) for status in re.findall(rb"(?m)^HTTP/1\.[01] (\d+)", out)]


class Nginx(Proxy):
    name = "nginx"

    @property
    def run(self):
        return ["-p", str(self.folder), "-c", str(self.config), "-e", str(self.folder / "error.log")]

    @property
    def check(self):
        return [*self.run, "-t"]

    def configuration(self, port):
        whole, below, *_ = blocks("nginx")
        whole = replaced(whole, ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.tls} ssl http2;"
                                 f"\n    listen 127.0.0.1:{self.plain};"),
                         ("/etc/ssl/schools.pem", str(self.certificate)), ("/etc/ssl/schools.key", str(self.key)),
                         ("127.0.0.1:8087", f"127.0.0.1:{port}"))
        server = whole.rstrip().removesuffix("}") + below + "}\n"
        folders = "".join(f"{kind}_temp_path {self.folder}/{kind};\n"
                          for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;\n" if os.getuid() == 0 else ""
        return (f"{user}daemon off;\npid {self.folder}/pid;\nworker_processes 1;\nevents {{ worker_connections 1024; }}\n"
                f"http {{\naccess_log off;\n{folders}{server}}}\n")


class HaProxy(Proxy):
    name = "haproxy"

    @property
    def run(self):
        return ["-db", "-f", str(self.config)]

    @property
    def check(self):
        return ["-c", "-f", str(self.config)]

    def configuration(self, port):
        whole, below, *_ = blocks("haproxy")
        both = self.folder / "both.pem"
        both.write_text(self.certificate.read_text() + self.key.read_text())
        whole = replaced(whole, ("bind :443 ssl", f"bind 127.0.0.1:{self.plain}\n    bind 127.0.0.1:{self.tls} ssl"),
                         ("/etc/haproxy/schools.pem", str(both)), ("127.0.0.1:8087", f"127.0.0.1:{port}"),
                         ("    default_backend pathwayd", f"{below}    default_backend pathwayd"))
        return f"{whole}\nfrontend below\n    bind 127.0.0.1:{self.below}\n{below}"


class Behind:
    """What holds of both."""

    @classmethod
    def setUpClass(cls):
        if not program(cls.proxy.name):
            raise unittest.SkipTest(f"{cls.proxy.name} is not installed; ./dev deps puts it into build/tools")

    def start(self, port):
        proxy = self.proxy(port)
        self.addCleanup(proxy.close)
        return proxy

    def daemon(self):
        d = Daemon().start()
        self.addCleanup(d.close)
        d.send([registered(100001)])
        return d

    def test_it_serves_what_the_daemon_serves(self):
        d = self.daemon()
        proxy = self.start(d.port)
        self.assertNotIn("warn", proxy.said.lower())
        answer, text = proxy.get("/v1/schools/100001")
        self.assertEqual((answer.status, text), (200, d.request("GET", "/v1/schools/100001").body))
        self.assertEqual(proxy.get("/v1/schools/100001", {"If-None-Match": answer.headers["ETag"]})[0].status, 304)
        many = "".join('{"specversion":"1.0","id":"%d","source":"urn:t","type":"contact.made","subject":"school/100001",'
                       '"time":"2025-10-01T00:00:00Z","data":{"group":"group/g","academic_year":"2025/26"}}\n' % n
                       for n in range(2000))
        sent, said = proxy.get("/v1/events", {"Content-Type": "application/x-ndjson"}, many)
        self.assertEqual(sent.status, 200, said)
        self.assertIn(b'"accepted":2000', said)
        token = tool("token", "add", "t", PATHWAY_URL=f"unix:{d.socket}").stdout.strip()
        self.assertEqual(proxy.get("/v1/schools")[0].status, 401)
        self.assertEqual(proxy.get("/v1/schools", {"Authorization": f"Bearer {token}"})[0].status, 200)

    def see_live(self, d, proxy, path):
        """An entry is shown at once: whoever held it back would do so for as long as nothing follows."""
        head = d.request("GET", "/v1/changes?limit=1").json()["seq"]
        connection = proxy.connection()
        self.addCleanup(connection.close)
        connection.request("GET", f"{path}?after={head}", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/event-stream"))
        urn = 200000 + head
        d.send([registered(urn), event("commitment.given", f"school/{urn}")])
        line = b""
        while not line.startswith(b"data: "):
            line = answer.readline()
            self.assertTrue(line, "the stream has ended")
        self.assertIn(b"pathway.decision.changed", line)

    def test_the_live_feed_passes_at_once(self):
        d = self.daemon()
        self.see_live(d, self.start(d.port), "/v1/changes")

    def test_under_a_path_all_links_lead_there(self):
        d = self.daemon()
        proxy = self.start(d.port)
        page = proxy.get("/pathway/")[1].decode()
        links = re.findall(r'href="([^"]+)"', page)
        self.assertGreater(len(links), 5)
        for link in links:
            self.assertFalse(link.startswith(("/", "http")), link)
            self.assertEqual(proxy.get(f"/pathway/{link}")[0].status, 200, link)
        self.assertEqual(proxy.get("/pathway/v1/schools?limit=1")[1], d.request("GET", "/v1/schools?limit=1").body)
        done = tool("show", "100001", "--url", f"http://127.0.0.1:{proxy.plain}/pathway")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("school/100001", done.stdout)
        self.see_live(d, proxy, "/pathway/v1/changes")

    LENIENT = {
        "both lengths": "POST /v1/events HTTP/1.1\r\nHost: schools.example.org\r\nContent-Length: 5\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a length twice": "POST /v1/events HTTP/1.1\r\nHost: schools.example.org\r\nContent-Length: 2\r\n"
                          "Content-Length: 50\r\n\r\n{}",
        "another encoding": "POST /v1/events HTTP/1.1\r\nHost: schools.example.org\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "a space before the colon": "POST /v1/events HTTP/1.1\r\nHost: schools.example.org\r\nContent-Length : 2\r\n\r\n{}",
        "a line that goes on": "GET /v1/hubs HTTP/1.1\r\nHost: schools.example.org\r\nA: b\r\n Content-Length: 60\r\n\r\n",
        "bare line feeds": "GET /v1/hubs HTTP/1.1\nHost: schools.example.org\nA: b\n\n",
        "a bare line feed in a line": "GET /v1/hubs HTTP/1.1\r\nHost: schools.example.org\r\nA: b\nContent-Length: 60\r\n\r\n",
    }
    REFUSED = {"a length twice", "another encoding", "a space before the colon"}

    def test_what_two_could_read_differently_is_refused_or_written_anew(self):
        recorder = Recorder()
        self.addCleanup(recorder.close)
        proxy = self.start(recorder.port)
        for what, request in self.LENIENT.items():
            with self.subTest(what):
                recorder.seen.clear()
                statuses = proxy.raw(request + FOLLOWER)
                if statuses[0] >= 400:
                    self.assertIn(statuses[0], (400, 501))
                    self.assertEqual((statuses[1:], recorder.seen), ([], []), "what stands behind it was read as a request")
                else:
                    self.assertNotIn(what, self.REFUSED)
                for head in recorder.seen:  # two requests at most, each of which all read alike
                    self.assertNotRegex(head, rb"(?<!\r)\n|\r(?!\n)|\r\n[ \t]")
                    self.assertFalse(b"transfer-encoding" in head.lower() and b"content-length" in head.lower(), head)
                self.assertLessEqual(len(recorder.seen), 2)


class BehindNginx(Behind, unittest.TestCase):
    proxy = Nginx
    REFUSED = Behind.REFUSED | {"both lengths"}


class BehindHaProxy(Behind, unittest.TestCase):
    proxy = HaProxy

    def test_what_is_not_below_the_path_is_not_served(self):
        d = self.daemon()
        proxy = self.start(d.port)

        def status(path):
            connection = http.client.HTTPConnection("127.0.0.1", proxy.below, timeout=PATIENCE_S)
            connection.request("GET", path)
            with connection.getresponse() as answer:
                return answer.status
        self.assertEqual((status("/pathway/v1/schools"), status("/v1/schools"), status("/pathwayx/v1/schools")),
                         (200, 503, 503))


if __name__ == "__main__":
    unittest.main()
