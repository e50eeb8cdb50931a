"""Everything that leaves and comes, at once, while the daemon is stopped and killed: live readers, webhooks, files in
and files out. In the end each reader and receiver has had the feed, each file was taken once.

PATHWAY_STOPS: how often the daemon is stopped or killed (4). PATHWAY_READERS (12) and PATHWAY_RECEIVERS (4) follow the
feed, PATHWAY_FILES (12) lie in the spool. PATHWAY_SEED: chooses the moments (1).
"""

import asyncio
import json
import random
import threading
import time
import unittest

from daemon import PATIENCE_S, Daemon, event, registered
from proof import fault, logged_keys
from support import await_wakes, number_from

STOPS = number_from("PATHWAY_STOPS", 4)
READERS = number_from("PATHWAY_READERS", 12)
RECEIVERS = number_from("PATHWAY_RECEIVERS", 4)
FILES = number_from("PATHWAY_FILES", 12)
SEED = number_from("PATHWAY_SEED", 1)
EVENTS = 30  # of a file
SECTIONS = ("[plugin spool]\ninterval = 1\nsettle = 0\n[plugin jsonl]\nmax_kib = 64\nkeep = 100000\n"
            "[plugin webhook]\nallow = 127.0.0.0/8\nretry = 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n")
MAPPING = {"type": "commitment.given", "source": "urn:csv", "subject": "URN", "time": "Time", "id": "Id"}


class Crowd:
    """Readers of the live feed and receivers of webhooks, on a thread of their own."""

    def __init__(self):
        self.port, self.listening = None, None
        self.read = [[] for _ in range(READERS)]       # numbers, in the order in which they came
        self.taken = [[] for _ in range(RECEIVERS)]    # (number, subject) that were acknowledged
        self.doubled, self.loop, self.is_ready = 0, asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.run(),), daemon=True)
        self.thread.start()
        self.is_ready.wait(PATIENCE_S)

    async def run(self):
        server = await asyncio.start_server(self.receive, "127.0.0.1", 0)
        self.listening = server.sockets[0].getsockname()[1]
        self.end = asyncio.Event()
        self.is_ready.set()
        readers = [asyncio.ensure_future(self.follow(numbers)) for numbers in self.read]
        await self.end.wait()
        server.close()
        everything = asyncio.all_tasks() - {asyncio.current_task()}
        for task in everything:
            task.cancel()
        await asyncio.gather(*everything, *readers, return_exceptions=True)

    async def receive(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                              if line.startswith(b"content-length"))
                entry = json.loads(await reader.readexactly(length))
                taken = self.taken[int(head.split(b" ")[1].rpartition(b"/")[2])]
                taken.append((entry["data"]["seq"], entry["subject"]))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def follow(self, numbers):
        while True:
            try:
                await self.stream(numbers)
            except (OSError, asyncio.IncompleteReadError, ValueError):  # cut off, in a chunk's head perhaps
                pass
            await asyncio.sleep(0.05)

    async def stream(self, numbers):
        if not self.port:
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            last = numbers[-1] if numbers else 0
            writer.write(f"GET /v1/changes HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nLast-Event-ID: {last}\r\n\r\n"
                         .encode())
            await reader.readuntil(b"\r\n\r\n")
            text = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                *lines, text = (text + (await reader.readexactly(size + 2))[:size]).split(b"\n")
                numbers.extend(json.loads(line[6:])["data"]["seq"] for line in lines if line.startswith(b"data: "))
        finally:
            writer.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.end.set)
        self.thread.join(PATIENCE_S)
        self.loop.close()


def events_of(number):
    """Of one file: each school goes on and off, in turn."""
    urns = range(100001, 100001 + EVENTS)
    return [event("commitment.given" if number % 2 == 0 else "commitment.withdrawn", f"school/{urn}", id=f"{number}-{urn}",
                  source="urn:csv" if number % 6 == 4 else "urn:file", time=f"2025-10-01T{number // 60:02}:{number % 60:02}:00Z")
            for urn in urns]


def write_file(folder, number, events):
    """As lines, as an array, or as a table."""
    if number % 6 == 4:
        text = "URN,Time,Id\r\n" + "".join(f"{e['subject'][7:]},{e['time']},{e['id']}\r\n" for e in events)
        name = f"table-{number}.csv"
    elif number % 3 == 1:
        text, name = json.dumps(events, indent=1), f"{number}.json"
    else:
        text, name = "".join(json.dumps(e) + "\n" for e in events), f"{number}.ndjson"
    (folder / ("." + name)).write_text(text)
    (folder / ("." + name)).rename(folder / name)


class AllAtOnce(unittest.TestCase):
    def await_all(self, condition, what):
        deadline = time.monotonic() + 5 * PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), deadline, what())
            time.sleep(0.1)

    def start(self):
        self.crowd.port = None
        self.d.start()
        self.crowd.port = self.d.port

    def test_nothing_is_lost_or_doubled(self):
        dice = random.Random(SEED)
        self.d = Daemon(http=SECTIONS)
        self.addCleanup(self.d.close)
        self.crowd = Crowd()
        self.addCleanup(self.crowd.close)
        spool = self.d.folder / "spool"
        self.start()
        first = [registered(str(100001 + i)) for i in range(EVENTS)]
        self.d.send(first)
        (spool / "mappings").mkdir()
        (spool / "mappings/table.json").write_text(json.dumps(MAPPING))
        for i in range(RECEIVERS):
            body = {"name": f"r{i}", "url": f"http://127.0.0.1:{self.crowd.listening}/{i}", "from": "start"}
            answer = self.d.request("POST", "/v1/webhooks", json.dumps(body), {"Content-Type": "application/json"})
            self.assertEqual(answer.status, 201, answer.text())
        files = [events_of(n) for n in range(FILES)]
        for number, events in enumerate(files):
            write_file(spool / "in", number, events)
        for _ in range(STOPS):
            time.sleep(dice.random())
            self.crowd.port = None  # somebody else's, perhaps, as soon as the daemon has gone
            if dice.random() < 0.5:
                self.assertEqual(self.d.stop(), 0, self.d.log())
            else:
                self.d.kill()
            self.start()
        self.await_all(lambda: len(list((spool / "done").glob("*.report.json"))) == FILES,
                       lambda: sorted(spool.rglob("*")))
        await_wakes(self.d)  # what came late and was left for later
        head = self.d.request("GET", "/v1/changes?after=0&limit=1").json()["seq"]
        self.assertGreater(head, FILES * EVENTS // 2)
        whole = list(range(1, head + 1))
        self.await_all(lambda: all(len(n) >= head for n in self.crowd.read), lambda: [len(n) for n in self.crowd.read])
        self.await_all(lambda: all(len({s for s, _ in t}) >= head for t in self.crowd.taken),
                       lambda: [len({s for s, _ in t}) for t in self.crowd.taken])
        self.await_all(lambda: len(self.written()) >= head, lambda: len(self.written()))
        for numbers in self.crowd.read:
            self.assertEqual(numbers, whole)
        for taken in self.crowd.taken:
            self.check_taken(taken, whole)
        self.await_all(lambda: self.written() == whole, self.written)
        wanted = {(e["source"], e["id"]) for events in [first, *files] for e in events}
        keys = logged_keys(self.d.database)
        self.assertEqual((len(keys), set(keys)), (len(wanted), wanted))
        self.assertEqual([p for p in (spool / "in").iterdir()] + [p for p in (spool / "failed").iterdir()], [])
        self.assertEqual(self.d.stop(), 0, self.d.log())
        self.assertIsNone(fault(self.d.database))
        print(f"{head} changes to {READERS} readers and {RECEIVERS} receivers, {FILES} files, {STOPS} stops; "
              f"{sum(map(len, self.crowd.taken)) - RECEIVERS * head} deliveries came again", flush=True)

    def check_taken(self, taken, whole):
        """Each at least once; those of one subject in order, when what comes again is left out."""
        seen, last = set(), {}
        for number, subject in taken:
            if number not in seen:
                self.assertGreater(number, last.get(subject, 0))
                last[subject] = number
            seen.add(number)
        self.assertEqual(sorted(seen), whole)

    def written(self):
        """What the files out hold, older ones first."""
        older = sorted(self.d.folder.glob("feed.jsonl.*"))
        try:
            lines = "".join(p.read_text() for p in [*older, self.d.folder / "feed.jsonl"] if p.exists()).splitlines()
        except FileNotFoundError:
            return []  # it has just got another name
        return [json.loads(line)["data"]["seq"] for line in lines if line.endswith("}")]


if __name__ == "__main__":
    unittest.main()
