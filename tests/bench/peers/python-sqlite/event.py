"""An event as it is kept in memory."""

import json

from when import instant


class Event:
    __slots__ = ("seq", "source", "id", "type", "subject", "time", "sequence", "data", "line", "key")

    def __init__(self, line, seq=None):
        event = json.loads(line)
        self.seq = seq
        self.source, self.id, self.type = event["source"], event["id"], event["type"]
        self.subject, self.data, self.line = event["subject"], event["data"], line
        self.time, self.sequence = instant(event["time"]), event.get("sequence")
        self.key = (self.time, self.sequence or "", self.source, self.id)  # the order of events

    def touches(self):
        """Its subject, and every group and school that its data holds."""
        named = [self.data[field] for field in ("group", "predecessor") if field in self.data]
        return dict.fromkeys([self.subject, *named, *self.data.get("attendance", ())])
