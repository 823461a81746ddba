import type { RowColumns } from "./rows";

/** What held for the rows of one chunk. */
export interface RowSettings {
  readonly model: string;
  readonly labels: readonly string[];
  /** In [0, 1). */
  readonly smoothing: number;
  readonly intervalMs: number;
  /** The camera's or file's name; null where it has none. */
  readonly source: string | null;
}

/** A recorded session without its rows. All times are Unix times in ms. */
export interface SessionRecord {
  readonly id: string;
  readonly name: string;
  readonly startedAtMs: number;
  /** Up to where the session is known to have gone. */
  readonly updatedAtMs: number;
  /** Ended in order; a session that is neither ended nor being recorded was interrupted. */
  readonly isEnded: boolean;
  readonly rows: number;
  /** Of rows and video, about. */
  readonly bytes: number;
  /** Names that the person gave to faces, by `face_id`. */
  readonly people: Readonly<Record<number, string>>;
  /** The largest `face_id` so far: a session that is carried on counts on from it. */
  readonly lastFaceId: number;
  readonly settings: RowSettings | null;
  /** Of all models that the session has seen, in the order of their first appearance. */
  readonly labels: readonly string[];
  readonly hasVideo: boolean;
  /** The session whose video was run through the server again; null for one from a camera. */
  readonly rerunOf: string | null;
}

/** Rows in the order of their capture, under the same settings. */
export interface Chunk {
  readonly sessionId: string;
  readonly number: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly settings: RowSettings;
  readonly columns: RowColumns;
}

/** Something that a person marked. */
export interface Marker {
  readonly kind: "marker";
  readonly id: string;
  readonly atMs: number;
  /** 1 to 9 where it was set with that key. */
  readonly key: string | null;
  readonly note: string;
}

export type GapReason = "paused" | "hidden" | "no_server" | "no_camera" | "interrupted";

/** A time from which there can be no rows. */
export interface Gap {
  readonly kind: "gap";
  readonly id: string;
  readonly fromMs: number;
  /** Null while it lasts. */
  readonly toMs: number | null;
  readonly reason: GapReason;
}

export type SessionEvent = Marker | Gap;

/** A stretch of video that can be played by itself. */
export interface VideoSegment {
  readonly sessionId: string;
  readonly number: number;
  /** Of its first picture. */
  readonly startMs: number;
  readonly endMs: number;
  readonly type: string;
}

/** What a marker is called: its note, else its key, else M. */
export function markerLabel({ note, key }: Marker): string {
  return note !== "" ? note : (key ?? "M");
}

/** What a face is called. */
export function personOf(people: SessionRecord["people"], faceId: number): string {
  return people[faceId] ?? `Face ${faceId}`;
}

/** A name or note as it is kept: without controls and what turns text round, at most 200 characters. */
export function cleanText(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/(?![\u200c\u200d])\p{Cf}/gu, "")
    .trim()
    .slice(0, 200);
}

/** People with one more name; an empty one takes the name away. */
export function withName(
  people: SessionRecord["people"],
  faceId: number,
  name: string,
): SessionRecord["people"] {
  const others = Object.entries(people).filter(([id]) => Number(id) !== faceId);
  const cleaned = cleanText(name);
  return Object.fromEntries(cleaned === "" ? others : [...others, [String(faceId), cleaned]]);
}

export function eventTime(event: SessionEvent): number {
  return event.kind === "gap" ? event.fromMs : event.atMs;
}

export function sortEvents(events: readonly SessionEvent[]): readonly SessionEvent[] {
  return [...events].sort((a, b) => eventTime(a) - eventTime(b));
}

/** Gaps that a crash has left open end with the session. */
export function endOpenGaps(events: readonly SessionEvent[], endMs: number): readonly SessionEvent[] {
  return events.map((event) =>
    event.kind === "gap" && event.toMs === null ? { ...event, toMs: Math.max(endMs, event.fromMs) } : event,
  );
}

/** How long nothing was recorded at the person's own wish, or since the page was away, up to a time. */
export function unrecordedMs(events: readonly SessionEvent[], endMs: number): number {
  return events.reduce(
    (sum, event) =>
      event.kind === "gap" && (event.reason === "paused" || event.reason === "interrupted")
        ? sum + Math.max(0, Math.min(event.toMs ?? endMs, endMs) - event.fromMs)
        : sum,
    0,
  );
}
