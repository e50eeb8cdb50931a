// follow.mjs URL - the feed with npm `eventsource`, as a browser would: a line for each entry and resync.
import { EventSource } from "eventsource";

const source = new EventSource(process.argv[2]);
source.onmessage = (e) => console.log(JSON.stringify({ id: e.lastEventId, entry: JSON.parse(e.data) }));
source.addEventListener("resync", (e) => console.log(JSON.stringify({ resync: JSON.parse(e.data) })));
source.onopen = () => console.log(JSON.stringify({ open: true }));
source.onerror = (e) => console.log(JSON.stringify({ error: e.message ?? "", code: e.code ?? null, state: source.readyState }));
process.stdin.resume().on("end", () => process.exit(0));
