/**
 * Break stories and follow alerts with More Follows.
 *
 * A client has a method for each request, by the operation id of the OpenAPI document. A change is
 * sent with an idempotency key, so it is done once however often it has to be repeated. Whatever
 * the server refuses is thrown as a `Problem`.
 */

import { OPERATIONS } from "./operations.js";
import { Problem, problemOf, secondsOf } from "./problems.js";
import type { components, operations } from "./schema.js";

export { Problem, type FieldError, type ProblemKind } from "./problems.js";
export { BadSignature, verify, type WebhookEvent } from "./webhooks.js";
export type Schemas = components["schemas"];

type Id = keyof typeof OPERATIONS & keyof operations;
type Part<T, Name extends string> = T extends { [N in Name]?: infer Found } ? Found : never;
type Parameters_<I extends Id> = operations[I]["parameters"];
type Body_<I extends Id> =
  operations[I] extends { requestBody: { content: infer Content } }
    ? Content extends { "application/json": infer Json } ? Json : UploadBody
    : never;
type Success<I extends Id> = Extract<keyof operations[I]["responses"], 200 | 201 | 202 | 204>;
type Content_<T> = T extends { content: infer Content } ? Content : never;
type Answer<I extends Id> =
  Content_<operations[I]["responses"][Success<I>]> extends infer Content
    ? [Content] extends [never] ? void
      : Content extends { "application/json": infer Json } ? Json
      : AsyncGenerator<Record<string, unknown>>
    : never;
type UploadBody = Blob | Uint8Array | ReadableStream<Uint8Array> | string;
type Given<Name extends string, T> =
  [T] extends [never] ? {} : T extends undefined ? {} : {} extends T ? { [N in Name]?: T } : { [N in Name]: T };

/** What a request takes: `path`, `query` and `body` as the document has them, and options. */
export type Arguments<I extends Id> = Given<"path", NonNullable<Part<Parameters_<I>, "path">>> &
  Given<"query", NonNullable<Part<Parameters_<I>, "query">>> &
  Given<"body", Body_<I>> & CallOptions;

export interface CallOptions {
  /** Of a change; made if left out. */
  idempotencyKey?: string;
  /** The revision that you have read: `Problem` "changed" if somebody saved since. */
  ifMatch?: number;
  /** Of an upload, such as "text/csv". */
  contentType?: string;
  signal?: AbortSignal;
}

type Method<I extends Id> =
  {} extends Arguments<I> ? (given?: Arguments<I>) => Promise<Answer<I>>
    : (given: Arguments<I>) => Promise<Answer<I>>;
type Requests = { [I in Id]: Method<I> };
type PageId = { [I in Id]: Answer<I> extends { items: unknown[]; next_cursor: string | null } ? I : never }[Id];
type ItemOf<I extends Id> = Answer<I> extends { items: (infer Item)[] } ? Item : never;

export interface ClientOptions {
  /** Of the installation, such as "https://alerts.example". */
  url: string;
  /** `mf_…` */
  key: string;
  /** How often a request is sent that got no answer, or 429, 502, 503 or 504. */
  tries?: number;
  /** Milliseconds before the second try; each further wait is twice as long. */
  firstWait?: number;
  /** Milliseconds, also for what `Retry-After` asks for. */
  longestWait?: number;
  /** Milliseconds for a response to begin. */
  timeout?: number;
  fetch?: typeof fetch;
}

const AGAIN = new Set([429, 502, 503, 504]);

class Sender {
  constructor(private readonly options: ClientOptions) {
    for (const id of Object.keys(OPERATIONS) as Id[]) {
      (this as Record<string, unknown>)[id] = (given: CallOptions = {}) => this.call(id, given);
    }
  }

  /** The items of all pages of a list, fetched as they are asked for. */
  async *each<I extends PageId>(id: I, given?: Arguments<I>): AsyncGenerator<ItemOf<I>> {
    let query: Record<string, unknown> = { ...(given as { query?: object } | undefined)?.query };
    for (;;) {
      const found = (await this.call(id, { ...given, query })) as {
        items: ItemOf<I>[];
        next_cursor: string | null;
      };
      yield* found.items;
      if (found.next_cursor === null) return;
      query = { ...query, cursor: found.next_cursor };
    }
  }

  private async call(id: Id, given: CallOptions & Record<string, any>): Promise<unknown> {
    const [method, pattern, type] = OPERATIONS[id];
    const path = pattern.replace(/{(\w+)}/g, (_, name: string) =>
      encodeURIComponent(String(given["path"][name])),
    );
    const address = new URL(`${this.options.url.replace(/\/$/, "")}/api/v1${path}`);
    for (const [name, value] of Object.entries(given["query"] ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== null) address.searchParams.append(name, String(one));
      }
    }
    const headers = this.headers(method, type, given);
    const body = type === "application/json" ? JSON.stringify(given["body"]) : given["body"];
    const response = await this.send(address, { method, headers, body, ...streaming(body) }, given);
    if (response.headers.get("Content-Type")?.startsWith("application/x-ndjson")) {
      return lines(response);
    }
    const text = await response.text();
    return text ? JSON.parse(text) : undefined;
  }

  private headers(method: string, type: string, given: CallOptions): Record<string, string> {
    const made: Record<string, string> = {
      Authorization: `Bearer ${this.options.key}`,
      Accept: "application/json",
    };
    if (type) made["Content-Type"] = given.contentType ?? type;
    if (method !== "GET") made["Idempotency-Key"] = given.idempotencyKey ?? crypto.randomUUID();
    if (given.ifMatch !== undefined) made["If-Match"] = `"${given.ifMatch}"`;
    return made;
  }

  private async send(address: URL, request: RequestInit, given: CallOptions): Promise<Response> {
    const { tries = 5, timeout = 30_000 } = this.options;
    const ask = this.options.fetch ?? fetch;
    const mayRepeat = !(request.body instanceof ReadableStream);
    for (let tried = 1; ; tried++) {
      let response: Response | undefined;
      let failure: unknown;
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(new Error("no answer in time")), timeout);
      const stop = () => limit.abort(given.signal?.reason);
      given.signal?.addEventListener("abort", stop);
      try {
        given.signal?.throwIfAborted();
        response = await ask(address, { ...request, redirect: "error", signal: limit.signal });
      } catch (error) {
        if (given.signal?.aborted) throw error;
        failure = error;
      } finally {
        clearTimeout(timer);
      }
      if (response?.ok) return response;
      const problem = response && (await problemOf(response));
      const again = mayRepeat && tried < tries && (!response || AGAIN.has(response.status));
      const wait = again ? this.wait(tried, response) : undefined;
      if (wait === undefined) throw problem ?? failure;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  private wait(tried: number, response: Response | undefined): number | undefined {
    const { firstWait = 500, longestWait = 30_000 } = this.options;
    const asked = secondsOf(response?.headers.get("Retry-After") ?? null);
    if (asked !== undefined) return asked * 1000 <= longestWait ? asked * 1000 : undefined;
    return Math.min(longestWait, firstWait * 2 ** (tried - 1)) * (0.5 + Math.random() / 2);
  }
}

function streaming(body: unknown): object {
  return body instanceof ReadableStream ? { duplex: "half" } : {};
}

async function* lines(response: Response): AsyncGenerator<Record<string, unknown>> {
  const decoder = new TextDecoder();
  let left = "";
  const reader = response.body!.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (left + decoder.decode(value, { stream: true })).split("\n");
      left = parts.pop()!;
      for (const part of parts) yield JSON.parse(part) as Record<string, unknown>;
    }
  } finally {
    await reader.cancel();
  }
}

/** `new Client({url, key}).createStory({body: {headline, text}})` */
export type Client = Sender & Requests;
export const Client = Sender as unknown as new (options: ClientOptions) => Client;
