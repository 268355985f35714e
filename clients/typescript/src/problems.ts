/** What the server refuses (RFC 9457), as errors. */

export interface FieldError {
  /** As in the request; "" for the whole of it. */
  field: string;
  detail: string;
}

const KINDS = [
  "no-key", "scope", "right", "not-approved", "not-found", "invalid", "bad-request", "too-large",
  "media-type", "method", "state", "look-alike", "changed", "key-reused", "in-progress", "too-many",
  "busy", "failed",
] as const;

/** The last part of a problem's type; "" if what answered was not the server. */
export type ProblemKind = (typeof KINDS)[number] | "";

/** A request that was not done. `kind` says why, `errors` which fields are wrong. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly kind: ProblemKind,
    readonly detail: string,
    readonly errors: FieldError[],
    /** What the kind tells beside, such as `alert` of a look-alike, or `scope`. */
    readonly more: Record<string, unknown>,
    /** Names the request in the server's log. */
    readonly requestId: string,
    /** Seconds after which to try again, if the server said so. */
    readonly retryAfter: number | undefined,
  ) {
    super(detail || `status ${status}`);
  }
}

/** The error for a response that is no success. */
export async function problemOf(response: Response): Promise<Problem> {
  const told = await response.json().catch(() => ({}));
  const { type, title, status, detail, errors, ...more } =
    told !== null && typeof told === "object" ? (told as Record<string, any>) : {};
  const kind = String(type ?? "").split("#")[1] ?? "";
  return new Problem(
    response.status,
    (KINDS as readonly string[]).includes(kind) ? (kind as ProblemKind) : "",
    String(detail ?? title ?? ""),
    Array.isArray(errors) ? errors : [],
    more,
    response.headers.get("Request-Id") ?? "",
    secondsOf(response.headers.get("Retry-After")),
  );
}

/** `Retry-After` in seconds; undefined if it is missing or a date. */
export function secondsOf(text: string | null): number | undefined {
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}
