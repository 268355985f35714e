/** Events that the server posts to a webhook of yours (Standard Webhooks 1.0). */

export interface WebhookEvent {
  /** The same id may come twice: take it once. */
  id: string;
  /** Such as `alert.sent`. */
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

/** The request is not the server's, was changed, or is too old. */
export class BadSignature extends Error {
  override readonly name = "BadSignature";
}

const TOLERANCE_SECONDS = 300;

type Headers_ = Headers | Record<string, string | string[] | undefined>;

function header(headers: Headers_, name: string): string {
  const found = headers instanceof Headers ? headers.get(name) : headers[name];
  if (typeof found !== "string") throw new BadSignature(`there is no header ${name}`);
  return found;
}

/**
 * The event in a request. `secret`: of the webhook, `whsec_…`. `headers`: a `Headers`, or an object
 * with names in lower case, as Node.js has it. `body`: as it came, before anything parsed it.
 * Throws `BadSignature`.
 */
export async function verify(
  secret: string,
  headers: Headers_,
  body: string,
  now: number = Date.now() / 1000,
): Promise<WebhookEvent> {
  const id = header(headers, "webhook-id");
  const timestamp = header(headers, "webhook-timestamp");
  if (!(Math.abs(now - Number(timestamp)) <= TOLERANCE_SECONDS)) {
    throw new BadSignature("its timestamp is too old, or ahead");
  }
  const raw = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (one) => one.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, [
    "verify",
  ]);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  for (const one of header(headers, "webhook-signature").split(" ")) {
    const [version, text] = one.split(",");
    if (version !== "v1" || text === undefined) continue;
    let signature: Uint8Array<ArrayBuffer>;
    try {
      signature = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    } catch {
      continue;
    }
    // Compared in constant time.
    if (await crypto.subtle.verify("HMAC", key, signature, signed)) {
      return { id, ...(JSON.parse(body) as Omit<WebhookEvent, "id">) };
    }
  }
  throw new BadSignature("no signature fits");
}
