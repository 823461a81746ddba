import { Timeline } from "../timeline/timeline";
import type { TimeSpan } from "../timeline/span";
import type { SessionDatabase } from "./database";
import { type Row, rowAt } from "./rows";
import { endOpenGaps, type SessionEvent, type SessionRecord, type VideoSegment } from "./session";

/** A stretch that is read again in full detail is at most so long, in ms. */
const MAX_DETAIL_MS = 8 * 60_000;

/** A row that is older than this says nothing about a moment, in ms. */
const FRESH_MS = 1500;

/** A recorded session that is open: its timeline for all of it, and its rows for any moment. */
export class Replay {
  readonly session: SessionRecord;
  readonly events: readonly SessionEvent[];
  readonly segments: readonly VideoSegment[];
  readonly timeline: Timeline;
  readonly #database: SessionDatabase;
  #detail: { readonly span: TimeSpan; readonly timeline: Timeline } | null = null;
  #detailWanted: TimeSpan | null = null;

  private constructor(
    database: SessionDatabase,
    session: SessionRecord,
    events: readonly SessionEvent[],
    segments: readonly VideoSegment[],
    timeline: Timeline,
  ) {
    this.#database = database;
    this.session = session;
    this.events = endOpenGaps(events, session.updatedAtMs);
    this.segments = segments;
    this.timeline = timeline;
  }

  /** @returns null where there is no such session */
  static async open(database: SessionDatabase, id: string): Promise<Replay | null> {
    const session = await database.session(id);
    if (session === undefined) return null;
    const [events, segments] = await Promise.all([database.events(id), database.segments(id)]);
    const timeline = timelineOf(session);
    for await (const { columns, settings } of database.chunks(id)) {
      timeline.addColumns(columns, settings.labels);
    }
    return new Replay(database, session, events, segments, timeline);
  }

  /** From the first moment to the last. */
  get within(): TimeSpan {
    const { startedAtMs, updatedAtMs } = this.session;
    const [firstMs, lastMs] = this.timeline.spanMs ?? [startedAtMs, updatedAtMs];
    return {
      fromMs: Math.min(startedAtMs, firstMs),
      toMs: Math.max(updatedAtMs, lastMs, startedAtMs + 1000),
    };
  }

  /** The timeline that shows a span best. @param onDetail called where a finer one has been read */
  timelineFor(span: TimeSpan, onDetail: () => void): Timeline {
    const detail = this.#detail;
    if (detail !== null && detail.span.fromMs <= span.fromMs && detail.span.toMs >= span.toMs) {
      return detail.timeline;
    }
    const lengthMs = span.toMs - span.fromMs;
    const isLong = this.within.toMs - this.within.fromMs > MAX_DETAIL_MS;
    if (isLong && lengthMs <= MAX_DETAIL_MS / 2) void this.#readDetail(span, onDetail);
    return this.timeline;
  }

  async #readDetail(span: TimeSpan, onDetail: () => void): Promise<void> {
    const marginMs = (MAX_DETAIL_MS - (span.toMs - span.fromMs)) / 2;
    const wanted = { fromMs: span.fromMs - marginMs, toMs: span.toMs + marginMs };
    const pending = this.#detailWanted;
    if (pending !== null && pending.fromMs <= span.fromMs && pending.toMs >= span.toMs) return;
    this.#detailWanted = wanted;
    const timeline = timelineOf(this.session);
    for await (const chunk of this.#database.chunks(this.session.id, wanted.fromMs, wanted.toMs)) {
      if (this.#detailWanted !== wanted) return;
      timeline.addColumns(chunk.columns, chunk.settings.labels);
    }
    this.#detail = { span: wanted, timeline };
    onDetail();
  }

  /** The faces of the latest frame up to a moment, if it is fresh. */
  async rowsAt(atMs: number): Promise<readonly Row[]> {
    let rows: Row[] = [];
    for await (const { columns, settings } of this.#database.chunks(this.session.id, atMs - FRESH_MS, atMs)) {
      for (let index = 0; index < columns.rows; index++) {
        const capturedAtMs = columns.capturedAtMs[index] ?? 0;
        if (capturedAtMs > atMs || capturedAtMs < atMs - FRESH_MS) continue;
        if (rows[0]?.capturedAtMs !== capturedAtMs) rows = [];
        rows.push(rowAt(columns, settings.labels, index));
      }
    }
    return rows;
  }

  /** The stretch of video that shows a moment; null where none was kept. */
  segmentAt(atMs: number): VideoSegment | null {
    return this.segments.find(({ startMs, endMs }) => startMs <= atMs && atMs < endMs) ?? null;
  }
}

function timelineOf(session: SessionRecord): Timeline {
  const timeline = new Timeline();
  timeline.setLabels(session.labels);
  timeline.setPeople(session.people);
  return timeline;
}
