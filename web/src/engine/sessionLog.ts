import type { ResultMessage } from "../stream/protocol";

/** One face in one answer. */
export interface LogEntry {
  /** Unix time in ms. */
  readonly capturedAtMs: number;
  readonly faceId: number;
  readonly emotion: string;
  readonly confidence: number;
  readonly predictions: Readonly<Record<string, number>>;
}

/** An hour of one face at ten answers a second; older entries are overwritten. */
const MAX_ENTRIES = 36_000;

/** What this page has seen, for export. A ring, so that a page that is open all day stays small. */
export class SessionLog {
  readonly #capacity: number;
  readonly #entries: LogEntry[] = [];
  #oldest = 0;

  constructor(capacity: number = MAX_ENTRIES) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.length;
  }

  addResult(result: ResultMessage, nowMs: number): void {
    const capturedAtMs = result.captured_at ?? nowMs;
    for (const { face_id: faceId, emotion, confidence, predictions } of result.faces) {
      this.#add({ capturedAtMs, faceId, emotion, confidence, predictions });
    }
  }

  /** Oldest first. */
  entries(): readonly LogEntry[] {
    return [...this.#entries.slice(this.#oldest), ...this.#entries.slice(0, this.#oldest)];
  }

  #add(entry: LogEntry): void {
    if (this.#entries.length < this.#capacity) {
      this.#entries.push(entry);
      return;
    }
    this.#entries[this.#oldest] = entry;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
  }
}

/** RFC 4180, a row per face and answer, a column per label; times are ISO 8601 in UTC. */
export function toCsv(entries: readonly LogEntry[]): string {
  const labels = [...new Set(entries.flatMap((entry) => Object.keys(entry.predictions)))];
  const rows = entries.map(({ capturedAtMs, faceId, emotion, confidence, predictions }) => [
    new Date(capturedAtMs).toISOString(),
    String(faceId),
    emotion,
    String(confidence),
    ...labels.map((label) => String(predictions[label] ?? "")),
  ]);
  const header = ["captured_at", "face_id", "emotion", "confidence", ...labels];
  return [header, ...rows].map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/** An array of objects with the wire's names. */
export function toJson(entries: readonly LogEntry[]): string {
  return JSON.stringify(
    entries.map(({ capturedAtMs, faceId, emotion, confidence, predictions }) => ({
      captured_at: capturedAtMs,
      face_id: faceId,
      emotion,
      confidence,
      predictions,
    })),
  );
}

function csvField(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
