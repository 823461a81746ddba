import type { ResultMessage } from "../../stream/protocol";
import { createStore, type Store } from "../store";
import { ChunkWriter } from "./chunkWriter";
import { type SessionDatabase, type StorageProblem, storageProblemOf } from "./database";
import { GapKeeper } from "./gaps";
import {
  cleanText,
  endOpenGaps,
  type GapReason,
  type Marker,
  type RowSettings,
  type SessionEvent,
  type SessionRecord,
  sortEvents,
  unrecordedMs,
  withName,
} from "./session";

/** What a page shows about the recording. */
export interface RecordingView {
  readonly kind: "off" | "recording" | "paused";
  /** As it was when it began, with the names of today; null where nothing is recorded. */
  readonly session: SessionRecord | null;
  readonly rows: number;
  /** Without pauses, in ms. */
  readonly recordedMs: number;
  /** Why rows cannot be kept at the moment, or why the recording ended. */
  readonly problem: StorageProblem | null;
  /** Markers and gaps so far, by time. */
  readonly events: readonly SessionEvent[];
}

const OFF: RecordingView = {
  kind: "off",
  session: null,
  rows: 0,
  recordedMs: 0,
  problem: null,
  events: [],
};

/** What the recorder needs of the world. */
export interface RecorderEnvironment {
  /** Unix time in ms. */
  now(): number;
  newId(): string;
  /** Holds a name that other pages can ask for, until the returned function is called. */
  hold(name: string): () => void;
}

/** Rows are kept at least this often, in ms: so much is lost when the browser crashes. */
export const KEEP_EVERY_MS = 1000;

/** The name of the lock that a page holds while it records this session. */
export function lockName(sessionId: string): string {
  return `emostream-recording-${sessionId}`;
}

interface Open {
  readonly sessionId: string;
  readonly release: () => void;
  readonly gaps: GapKeeper;
  readonly writer: ChunkWriter;
  /** Added to the page's `face_id`, which counts from 1 again after a reload. */
  readonly faceIdOffset: number;
  /** Since when it runs, and what it had recorded by then. */
  startedAtMs: number;
  recordedMs: number;
}

/**
 * Records a session as it goes: rows gather in columns of a fixed size and are kept every second; markers and gaps at
 * once. What a crash leaves is whole but for the last second.
 */
export class Recorder {
  readonly view: Store<RecordingView> = createStore(OFF);
  readonly #database: SessionDatabase;
  readonly #environment: RecorderEnvironment;
  /** What is away at the moment, whether or not anything is recorded. */
  readonly #away = new Map<GapReason, number>();
  #open: Open | null = null;
  #settings: RowSettings | null = null;
  /** One step at a time reaches the database, in order. */
  #queue: Promise<void> = Promise.resolve();

  constructor(database: SessionDatabase, environment: RecorderEnvironment) {
    this.#database = database;
    this.#environment = environment;
  }

  /** Session under way; null where nothing is recorded. */
  get sessionId(): string | null {
    return this.#open?.sessionId ?? null;
  }

  /** What holds for the rows to come. */
  setSettings(settings: RowSettings): void {
    this.#settings = settings;
  }

  /** @param name what the session is called @param people names that faces have already, by the page's `face_id` */
  async start(name: string, people: SessionRecord["people"] = {}): Promise<void> {
    const nowMs = this.#environment.now();
    await this.#begin({
      id: this.#environment.newId(),
      name: cleanText(name),
      startedAtMs: nowMs,
      updatedAtMs: nowMs,
      isEnded: false,
      rows: 0,
      bytes: 0,
      people,
      lastFaceId: 0,
      settings: this.#settings,
      labels: [],
      hasVideo: false,
      rerunOf: null,
    });
  }

  /** Goes on with a session that was interrupted or ended; the time between is a gap. */
  async carryOn(id: string): Promise<void> {
    const record = await this.#database.session(id);
    if (record === undefined) return;
    const fromMs = record.updatedAtMs;
    const toMs = this.#environment.now();
    await this.#begin({ ...record, isEnded: false }, [
      ...endOpenGaps(await this.#database.events(id), fromMs),
      { kind: "gap", id: this.#environment.newId(), fromMs, toMs, reason: "interrupted" },
    ]);
  }

  async #begin(record: SessionRecord, events: readonly SessionEvent[] = []): Promise<void> {
    if (this.#open !== null) return;
    try {
      const firstNumber = await this.#database.nextChunkNumber(record.id);
      await this.#database.putSession(record);
      for (const event of events) await this.#database.putEvent(record.id, event);
      this.#open = {
        sessionId: record.id,
        release: this.#environment.hold(lockName(record.id)),
        gaps: new GapKeeper(() => this.#environment.newId()),
        writer: new ChunkWriter(this.#database, record.id, firstNumber),
        faceIdOffset: record.lastFaceId,
        startedAtMs: this.#environment.now(),
        recordedMs: Math.max(
          0,
          record.updatedAtMs - record.startedAtMs - unrecordedMs(events, record.updatedAtMs),
        ),
      };
      this.view.set({ ...OFF, kind: "recording", session: record, rows: record.rows, events });
      for (const reason of this.#away.keys()) this.#setGap(reason, true, this.#environment.now());
      this.#show();
    } catch (error) {
      this.view.set({ ...OFF, problem: storageProblemOf(error) });
    }
  }

  pause(): void {
    const open = this.#open;
    if (open === null || this.view.get().kind !== "recording") return;
    this.#setGap("paused", true, this.#environment.now());
    open.recordedMs = this.#recordedMs(open);
    this.view.set({ ...this.view.get(), kind: "paused" });
    void this.keep();
  }

  resume(): void {
    const open = this.#open;
    if (open === null || this.view.get().kind !== "paused") return;
    open.startedAtMs = this.#environment.now();
    this.#setGap("paused", false, open.startedAtMs);
    this.view.set({ ...this.view.get(), kind: "recording" });
  }

  /** Resolves when all is kept, or cannot be. */
  async stop(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    for (const gap of open.gaps.close(this.#environment.now())) this.#keepEvent(gap);
    await this.keep();
    if (this.#open !== open) return;
    this.#open = null;
    await this.#enqueue(() =>
      this.#database.changeSession(open.sessionId, (kept) => ({ ...kept, isEnded: true })),
    );
    open.release();
    this.view.set({ ...OFF, problem: this.view.get().problem });
  }

  /** Tells what has gone, or has come back, also while nothing is recorded. @param sinceMs when it did */
  setAway(reason: GapReason, isAway: boolean, sinceMs: number = this.#environment.now()): void {
    if (isAway) this.#away.set(reason, sinceMs);
    else this.#away.delete(reason);
    this.#setGap(reason, isAway, sinceMs);
  }

  addResult(result: ResultMessage, nowMs: number): void {
    const open = this.#open;
    const view = this.view.get();
    if (open === null || this.#settings === null || view.kind !== "recording") return;
    const capturedAtMs = result.captured_at ?? nowMs;
    for (const face of result.faces) {
      open.writer.add(this.#settings, capturedAtMs, open.faceIdOffset + face.face_id, face);
    }
    this.view.set({ ...view, rows: view.rows + result.faces.length });
  }

  /** Marks this moment. @param key 1 to 9, or null @returns the marker; null where nothing is recorded */
  mark(key: string | null, note = ""): Marker | null {
    if (this.#open === null) return null;
    const id = this.#environment.newId();
    const marker: Marker = {
      kind: "marker",
      id,
      atMs: this.#environment.now(),
      key,
      note: cleanText(note),
    };
    this.#keepEvent(marker);
    return marker;
  }

  /** Writes on a marker that is there. */
  annotate(markerId: string, note: string): void {
    const marker = this.view.get().events.find((event) => event.id === markerId);
    if (marker?.kind === "marker") this.#keepEvent({ ...marker, note: cleanText(note) });
  }

  /** @param faceId the page's own @param name empty takes the name away */
  namePerson(faceId: number, name: string): void {
    const open = this.#open;
    const { session } = this.view.get();
    if (open === null || session === null) return;
    const people = withName(session.people, open.faceIdOffset + faceId, name);
    this.view.set({ ...this.view.get(), session: { ...session, people } });
    void this.#enqueue(() =>
      this.#database.changeSession(open.sessionId, (record) => ({ ...record, people })),
    );
  }

  /** Keeps what has gathered; call every second, and when the page may be about to go. */
  async keep(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#show();
    open.writer.cut();
    const updatedAtMs = this.#environment.now();
    await this.#enqueue(async () => {
      await open.writer.drain(updatedAtMs);
      await this.#database.changeSession(open.sessionId, (record) => ({ ...record, updatedAtMs }));
    });
    // Rows that cannot be kept are not recorded: so it ends, and says why, rather than count on.
    if (open.writer.isOverfull && this.#open === open) {
      this.#open = null;
      open.release();
      this.view.set({ ...OFF, problem: this.view.get().problem });
    }
  }

  #setGap(reason: GapReason, isAway: boolean, nowMs: number): void {
    const gap = this.#open?.gaps.set(reason, isAway, nowMs);
    if (gap !== null && gap !== undefined) this.#keepEvent(gap);
  }

  #keepEvent(event: SessionEvent): void {
    const open = this.#open;
    if (open === null) return;
    const view = this.view.get();
    const others = view.events.filter(({ id }) => id !== event.id);
    this.view.set({ ...view, events: sortEvents([...others, event]) });
    void this.#enqueue(() => this.#database.putEvent(open.sessionId, event));
  }

  async #enqueue(step: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(step).then(
      () => this.#setProblem(null),
      (error: unknown) => this.#setProblem(storageProblemOf(error)),
    );
    await this.#queue;
  }

  #setProblem(problem: StorageProblem | null): void {
    if (this.view.get().problem !== problem) this.view.set({ ...this.view.get(), problem });
  }

  #show(): void {
    const open = this.#open;
    if (open !== null) this.view.set({ ...this.view.get(), recordedMs: this.#recordedMs(open) });
  }

  #recordedMs(open: Open): number {
    const isRunning = this.view.get().kind === "recording";
    return open.recordedMs + (isRunning ? this.#environment.now() - open.startedAtMs : 0);
  }
}
