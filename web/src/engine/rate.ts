/** What became of a video frame. */
export type FrameFate =
  /** It was sent. */
  | "sent"
  /** One was due, and the detector was still busy with an earlier one. */
  | "detector_busy"
  /** One was due, and as many as may be were on their way to the server or back. */
  | "stream_busy"
  /** None was due, or no face was in it. */
  | "passed";

/** What keeps the rate where it is. */
export type RateLimit = "setting" | "server_limit" | "camera" | "detector" | "server" | "network";

export interface Rate {
  /** Frames a second that are sent, over the last seconds. */
  readonly sentPerSecond: number;
  readonly limitedBy: RateLimit;
}

export interface RateConditions {
  /** What is asked for, in ms. */
  readonly intervalMs: number;
  /** Frames a second that the server takes from one session; 0 where it has said nothing. */
  readonly serverMaxPerSecond: number;
  /** What the latest frame took in the server, and from capture to display, in ms. */
  readonly serverMs: number | null;
  readonly ageMs: number | null;
}

const WINDOW_MS = 3000;
/** So near to a bound, the bound is what limits. */
const NEAR = 0.9;

/** Counts what becomes of frames over a sliding window, and says what limits the rate. */
export class RateMeter {
  #frames: { readonly atMs: number; readonly fate: FrameFate }[] = [];
  #startedAtMs: number | null = null;

  add(fate: FrameFate, nowMs: number): void {
    this.#startedAtMs ??= nowMs;
    this.#frames.push({ atMs: nowMs, fate });
    this.#forget(nowMs);
  }

  /** Null where nothing was sent lately. */
  read(nowMs: number, conditions: RateConditions): Rate | null {
    this.#forget(nowMs);
    const count = (wanted: FrameFate) => this.#frames.filter(({ fate }) => fate === wanted).length;
    const sent = count("sent");
    if (sent === 0 || this.#startedAtMs === null) {
      if (this.#frames.length === 0) this.#startedAtMs = null;
      return null;
    }
    const elapsedMs = Math.min(WINDOW_MS, Math.max(nowMs - this.#startedAtMs, 500));
    const sentPerSecond = (1000 * sent) / elapsedMs;
    const busy = { detector: count("detector_busy"), stream: count("stream_busy") };
    return { sentPerSecond, limitedBy: limitOf(sentPerSecond, busy, conditions) };
  }

  #forget(nowMs: number): void {
    const from = this.#frames.findIndex(({ atMs }) => nowMs - atMs < WINDOW_MS);
    this.#frames = from < 0 ? [] : this.#frames.slice(from);
  }
}

function limitOf(
  sentPerSecond: number,
  busy: { readonly detector: number; readonly stream: number },
  { intervalMs, serverMaxPerSecond, serverMs, ageMs }: RateConditions,
): RateLimit {
  const wanted = 1000 / intervalMs;
  if (serverMaxPerSecond > 0 && serverMaxPerSecond < wanted && sentPerSecond >= NEAR * serverMaxPerSecond) {
    return "server_limit";
  }
  if (sentPerSecond >= NEAR * wanted) return "setting";
  if (busy.detector === 0 && busy.stream === 0) return "camera";
  if (busy.detector > busy.stream) return "detector";
  // Of the way there and back, the part that the server reports for itself.
  return serverMs !== null && ageMs !== null && serverMs < ageMs / 2 ? "network" : "server";
}
