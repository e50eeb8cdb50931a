"""What the tool needs of a daemon, in memory: enough to test the tool's side of each conversation.

Not a second implementation of the rules: events are kept, and only what a school is registered with is
folded.
"""

import json
import socketserver
import threading
from datetime import date, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

FIELDS = ("name", "hub", "education_phase", "la", "postcode", "status", "pupils")


def midnight(day):
    """The start of a day in Europe/London, without a time zone database."""

    def last_sunday(month):
        d = date(day.year, month, 31)
        return d - timedelta(days=(d.weekday() + 1) % 7)

    summer = last_sunday(3) < day <= last_sunday(10)
    return datetime(day.year, day.month, day.day, tzinfo=timezone.utc) - timedelta(hours=1 if summer else 0)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def address_string(self):
        return "unix"

    def answer(self, status, body, kind="application/json", headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, detail, headers=()):
        self.answer(status, {"title": "refused", "detail": detail}, "application/problem+json", headers)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_POST(self):
        body = self.body()
        d = self.server.daemon
        with d.lock:
            d.requests.append((self.path, body))
            if d.busy > 0:
                d.busy -= 1
                return self.refuse(503, "the queue is full", [("Retry-After", "1")])
            counts = {"accepted": 0, "duplicate": 0, "conflict": 0, "invalid": 0}
            results = []
            for index, line in enumerate(body.decode().splitlines()):
                status, detail = d.take(line)
                counts[status] += 1
                if status != "accepted":
                    results.append({"index": index, "status": status, "detail": detail})
            self.answer(200, {**counts, "results": results})

    def do_GET(self):
        d = self.server.daemon
        url = urlsplit(self.path)
        with d.lock:
            d.requests.append((self.path, b""))
            if url.path == "/v1/export/registered":
                at = parse_qs(url.query).get("at")
                lines = d.registered(midnight(date.fromisoformat(at[0])) if at else None)
                return self.answer(200, "".join(json.dumps(s) + "\n" for s in lines).encode(), "application/x-ndjson")
            if url.path.startswith("/v1/people/"):
                person = d.people.get(unquote(url.path.rsplit("/", 1)[1]))
                return self.answer(200, person) if person else self.refuse(404, "nothing is kept under this key")
            if url.path in d.pages:
                return self.answer(200, d.pages[url.path].encode())
        return self.refuse(404, f"there is no {url.path}")

    def do_PUT(self):
        d = self.server.daemon
        d.people[unquote(self.path.rsplit("/", 1)[1])] = json.loads(self.body())
        self.answer(200, {})

    def do_DELETE(self):
        d = self.server.daemon
        if d.people.pop(unquote(self.path.rsplit("/", 1)[1]), None) is None:
            return self.refuse(404, "nothing is kept under this key")
        self.answer(200, {})


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class FakeDaemon:
    def __init__(self, path):
        self.lock = threading.Lock()
        self.events = {}
        self.people = {}
        self.pages = {}
        self.requests = []
        self.busy = 0
        self.server = Server(str(path), Handler)
        self.server.daemon = self
        self.url = f"unix:{path}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def take(self, line):
        try:
            event = json.loads(line)
        except ValueError as e:
            return "invalid", str(e)
        if "type" not in event:
            return "invalid", "type is missing"
        key = event["source"], event["id"]
        if key in self.events:
            return ("duplicate", None) if self.events[key] == event else ("conflict", "other content is there")
        self.events[key] = event
        return "accepted", None

    def registered(self, at):
        schools = {}
        for e in sorted(self.events.values(), key=lambda e: (e["time"], e["source"], e["id"])):
            if at and datetime.fromisoformat(e["time"].replace("Z", "+00:00")) > at:
                continue
            if e["type"] in ("school.registered", "school.changed"):
                schools.setdefault(e["subject"], dict.fromkeys(FIELDS)).update(e["data"])
        return [{"subject": s, **facts} for s, facts in sorted(schools.items())]
