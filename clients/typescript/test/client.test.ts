// Against a server that runs: URL and KEY say where, and with which key of all scopes.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { BadSignature, Client, Problem, verify } from "../src/index.js";

const url = process.env["URL"]!;
const key = process.env["KEY"]!;
const newsroom = new Client({ url, key });
const PATIENCE = 120_000; // milliseconds

/** Closes a server, so that a test that failed doesn't keep the process waiting. */
const closed = (server: Server): void => {
  server.closeAllConnections();
  server.close();
};
const headline = (): string => `Ferry aground ${crypto.randomUUID()}`;

test("a story is written, sent and taken back", async () => {
  const story = await newsroom.createStory({ body: { headline: headline(), text: "Nobody is hurt." } });
  assert.equal(story.revision, 1);
  const alert = await newsroom.sendAlert({ path: { story_id: story.id }, body: { hold_seconds: 60 } });
  assert.equal(alert.state, "held");
  const back = await newsroom.takeBack({ path: { alert_id: alert.id } });
  assert.equal(back.state, "taken back");
});

test("a change is done once", async () => {
  const given = { body: { headline: headline(), text: "Text." }, idempotencyKey: crypto.randomUUID() };
  const [one, two] = await Promise.all([newsroom.createStory(given), newsroom.createStory(given)]);
  assert.equal(one.id, two.id);
});

test("what is refused is a problem", async () => {
  const wrong = newsroom.createStory({ body: { headline: "", text: "Text." } });
  await assert.rejects(wrong, (error) => {
    assert.ok(error instanceof Problem);
    assert.equal(error.kind, "invalid");
    assert.equal(error.errors[0]?.field, "headline");
    return true;
  });
  const story = await newsroom.createStory({ body: { headline: headline(), text: "Text." } });
  const path = { story_id: story.id };
  await newsroom.changeStory({ path, body: { text: "B" }, ifMatch: 1 });
  await assert.rejects(newsroom.changeStory({ path, body: { text: "C" }, ifMatch: 1 }), { kind: "changed" });
  await assert.rejects(new Client({ url, key: "mf_no" }).listTopics(), { status: 401, kind: "no-key" });
});

test("pages follow each other", async () => {
  const found = new Set<string>();
  for await (const story of newsroom.each("listStories", { query: { limit: 1 } })) found.add(story.id);
  assert.ok(found.size > 2);
});

test("readers are exported line by line", async () => {
  for await (const one of await newsroom.exportReaders()) assert.match(String(one["email"]), /@/);
});

test("a webhook is verified", async (t) => {
  const server = createServer();
  t.after(() => closed(server));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const made = await newsroom.addWebhook({ body: { url: address, events: ["alert.sent"] } });
  const asked = once(server, "request", { signal: AbortSignal.timeout(PATIENCE) });
  await newsroom.testWebhook({ path: { webhook_id: made.id } });
  const [request, response] = (await asked) as [IncomingMessage, { end(): void }];
  let body = "";
  for await (const part of request) body += part;
  response.end();
  const event = await verify(made.secret, request.headers, body);
  assert.equal(event.type, "webhook.test");
  await assert.rejects(verify(made.secret, request.headers, body + " "), BadSignature);
  await assert.rejects(verify(made.secret, request.headers, body, Date.now() / 1000 + 600), BadSignature);
  await newsroom.removeWebhook({ path: { webhook_id: made.id } });
});

test("a busy server is asked again, with the same key", async (t) => {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers["idempotency-key"] as string | undefined);
    if (keys.length < 3) response.writeHead(503, { "Retry-After": "0" }).end();
    else response.writeHead(201, { "Content-Type": "application/json" }).end('{"id": "x"}');
  });
  t.after(() => closed(server));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const there = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Client({ url: there, key }).createStory({ body: { headline: "A", text: "B" } });
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
});
