/* receiver.mjs - a webhook's receiver that verifies all it gets with `standardwebhooks`, for the tests.
 *
 * Standard input holds a JSON object a line, each changing how it behaves from then on:
 *   secret    with which to verify
 *   plan      [{status, headers?, delay_ms?, subject?, stays?}...]: for the next requests (of this subject), one each,
 *             or with `stays` for all of them until there is another plan
 *   status    for all others
 * Standard output: first {port}; then an object for each request, as it is answered.
 */
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

let secret = null;
let plan = [];
let status = 200;

function verify(body, headers) {
  if (!secret) return "no secret yet";
  try {
    new Webhook(secret).verify(body, headers);
    return null;
  } catch (error) {
    return String(error.message ?? error);
  }
}

function step(subject) {
  const at = plan.findIndex((s) => !s.subject || s.subject === subject);
  if (at < 0) return { status };
  return plan[at].stays ? plan[at] : plan.splice(at, 1)[0];
}

const server = createServer(async (request, response) => {
  const pieces = [];
  try {
    for await (const piece of request) pieces.push(piece);
  } catch {
    return; // its sender was killed before it had sent all of it
  }
  const body = Buffer.concat(pieces).toString();
  const entry = JSON.parse(body);
  const { status: answer, headers, delay_ms } = step(entry.subject);
  const say = () => {
    const at = performance.now(); // before its sender can know the answer
    response.writeHead(answer, headers ?? {});
    response.end();
    process.stdout.write(JSON.stringify({
      id: request.headers["webhook-id"], entry, status: answer, fault: verify(body, request.headers),
      path: request.url, type: request.headers["content-type"], at,
      signatures: request.headers["webhook-signature"].split(" ").length,
    }) + "\n");
  };
  if (delay_ms) setTimeout(say, delay_ms);
  else say();
});

createInterface({ input: process.stdin }).on("line", (line) => {
  const change = JSON.parse(line);
  secret = change.secret ?? secret;
  plan = change.plan ?? plan;
  status = change.status ?? status;
  process.stdout.write(JSON.stringify({ changed: true }) + "\n");
}).on("close", () => process.exit(0));

server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () =>
  process.stdout.write(JSON.stringify({ port: server.address().port }) + "\n"));
