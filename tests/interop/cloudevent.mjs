// cloudevent.mjs URL - sends the events on standard input, a line each, with npm `cloudevents`: each in binary
// and in structured mode, all of them as a batch; a line for each answer.
import { createInterface } from "node:readline";
import { CloudEvent, HTTP } from "cloudevents";

const url = process.argv[2];
const post = async (mode, { headers, body }) => {
  const answer = await fetch(url, { method: "POST", headers, body });
  console.log(JSON.stringify({ mode, status: answer.status, answer: await answer.json() }));
};

const events = [];
for await (const line of createInterface({ input: process.stdin })) events.push(new CloudEvent(JSON.parse(line)));
for (const event of events) {
  await post("binary", HTTP.binary(event));
  await post("structured", HTTP.structured(event));
}
await post("batch", { headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify(events) });
