import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { type Chunk, type SessionEvent, type SessionRecord, sortEvents, type VideoSegment } from "./session";

const NAME = "emostream";
const VERSION = 1;

/** Chunks that are held in memory together while a session is read. */
const CHUNKS_AT_A_TIME = 16;

interface StoredVideo extends VideoSegment {
  readonly part: number;
  readonly data: Blob;
}

interface Schema extends DBSchema {
  sessions: { key: string; value: SessionRecord };
  chunks: { key: [string, number]; value: Chunk; indexes: { time: [string, number] } };
  events: { key: [string, string]; value: SessionEvent & { readonly sessionId: string } };
  segments: { key: [string, number]; value: VideoSegment };
  video: { key: [string, number, number]; value: StoredVideo };
}

/** Called with what is kept, in the step that keeps the change. */
export type SessionChange = (record: SessionRecord) => SessionRecord;

/** Why nothing can be kept. */
export type StorageProblem = "full" | "unavailable";

/** Which problem a rejection of the database stands for. */
export function storageProblemOf(error: unknown): StorageProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : "";
  return name === "QuotaExceededError" ? "full" : "unavailable";
}

/** All that is kept in this browser about recorded sessions. Nothing of it leaves it. */
export class SessionDatabase {
  readonly #open: () => Promise<IDBPDatabase<Schema>>;

  constructor(name: string = NAME) {
    let opening: Promise<IDBPDatabase<Schema>> | null = null;
    this.#open = () =>
      (opening ??= openDB<Schema>(name, VERSION, {
        upgrade: (database) => {
          database.createObjectStore("sessions", { keyPath: "id" });
          const chunks = database.createObjectStore("chunks", { keyPath: ["sessionId", "number"] });
          chunks.createIndex("time", ["sessionId", "lastMs"]);
          database.createObjectStore("events", { keyPath: ["sessionId", "id"] });
          database.createObjectStore("segments", { keyPath: ["sessionId", "number"] });
          database.createObjectStore("video", { keyPath: ["sessionId", "number", "part"] });
        },
        // A newer page in another tab, or a browser that cleans up: the next call opens it again.
        blocking: (_current, _blocked, event) => {
          (event.target as IDBDatabase).close();
          opening = null;
        },
        terminated: () => {
          opening = null;
        },
      }).catch((error: unknown) => {
        opening = null;
        throw error;
      }));
  }

  /** The newest first. */
  async sessions(): Promise<readonly SessionRecord[]> {
    const database = await this.#open();
    const records = await database.getAll("sessions");
    return records.sort((a, b) => b.startedAtMs - a.startedAtMs);
  }

  async session(id: string): Promise<SessionRecord | undefined> {
    return await (await this.#open()).get("sessions", id);
  }

  async putSession(record: SessionRecord): Promise<void> {
    await (await this.#open()).put("sessions", record);
  }

  /** Changes a record that is there; does nothing where it has been deleted. */
  async changeSession(id: string, change: SessionChange): Promise<void> {
    const transaction = (await this.#open()).transaction("sessions", "readwrite");
    const record = await transaction.store.get(id);
    if (record !== undefined) await transaction.store.put(change(record));
    await transaction.done;
  }

  /**
   * Keeps rows together with the record that counts them, in one step.
   *
   * @param replacesTo the chunk takes the place of all from its own number to this one
   */
  async putChunk(chunk: Chunk, change: SessionChange, replacesTo: number = chunk.number): Promise<void> {
    const transaction = (await this.#open()).transaction(["sessions", "chunks"], "readwrite");
    const chunks = transaction.objectStore("chunks");
    if (replacesTo > chunk.number) {
      await chunks.delete(IDBKeyRange.bound([chunk.sessionId, chunk.number], [chunk.sessionId, replacesTo]));
    }
    await chunks.put(chunk);
    const sessions = transaction.objectStore("sessions");
    const record = await sessions.get(chunk.sessionId);
    if (record !== undefined) await sessions.put(change(record));
    await transaction.done;
  }

  /**
   * A session's chunks in order, a few in memory at a time: those with rows between the two times.
   */
  async *chunks(id: string, fromMs = -Infinity, toMs = Infinity): AsyncGenerator<Chunk, void, undefined> {
    const database = await this.#open();
    const byTime = IDBKeyRange.bound([id, fromMs], [id, Infinity]);
    let from = (await database.transaction("chunks").store.index("time").openKeyCursor(byTime))?.primaryKey;
    let isSeen = false;
    while (from !== undefined) {
      const range = IDBKeyRange.bound(from, [id, Infinity], isSeen);
      const batch: Chunk[] = await database.getAll("chunks", range, CHUNKS_AT_A_TIME);
      for (const chunk of batch) {
        if (chunk.firstMs > toMs) return;
        yield chunk;
      }
      const last = batch.at(-1);
      from = last === undefined || batch.length < CHUNKS_AT_A_TIME ? undefined : [id, last.number];
      isSeen = true;
    }
  }

  /** The number that the next chunk takes. */
  async nextChunkNumber(id: string): Promise<number> {
    const database = await this.#open();
    const range = IDBKeyRange.bound([id, 0], [id, Infinity]);
    const cursor = await database.transaction("chunks").store.openKeyCursor(range, "prev");
    return cursor === null ? 0 : cursor.primaryKey[1] + 1;
  }

  /** Markers and gaps, by time. */
  async events(id: string): Promise<readonly SessionEvent[]> {
    const database = await this.#open();
    return sortEvents(await database.getAll("events", IDBKeyRange.bound([id, ""], [id, "\uffff"])));
  }

  async putEvent(sessionId: string, event: SessionEvent): Promise<void> {
    await (await this.#open()).put("events", { ...event, sessionId });
  }

  async deleteEvent(sessionId: string, eventId: string): Promise<void> {
    await (await this.#open()).delete("events", [sessionId, eventId]);
  }

  async segments(id: string): Promise<readonly VideoSegment[]> {
    return await (await this.#open()).getAll("segments", IDBKeyRange.bound([id, 0], [id, Infinity]));
  }

  /** Keeps one more part of a stretch of video. */
  async putVideo(segment: VideoSegment, part: number, data: Blob): Promise<void> {
    const transaction = (await this.#open()).transaction(["segments", "video", "sessions"], "readwrite");
    await transaction.objectStore("segments").put(segment);
    await transaction.objectStore("video").put({ ...segment, part, data });
    const sessions = transaction.objectStore("sessions");
    const record = await sessions.get(segment.sessionId);
    if (record !== undefined) {
      await sessions.put({ ...record, hasVideo: true, bytes: record.bytes + data.size });
    }
    await transaction.done;
  }

  /** A stretch of video as one file. */
  async video({ sessionId, number, type }: VideoSegment): Promise<Blob> {
    const database = await this.#open();
    const range = IDBKeyRange.bound([sessionId, number, 0], [sessionId, number, Infinity]);
    const parts = await database.getAll("video", range);
    return new Blob(
      parts.map(({ data }) => data),
      { type },
    );
  }

  /** Deletes a session with all that belongs to it. */
  async deleteSession(id: string): Promise<void> {
    const names = ["sessions", "chunks", "events", "segments", "video"] as const;
    const transaction = (await this.#open()).transaction(names, "readwrite");
    const numbers = IDBKeyRange.bound([id, 0], [id, Infinity]);
    await Promise.all([
      transaction.objectStore("sessions").delete(id),
      transaction.objectStore("chunks").delete(numbers),
      transaction.objectStore("segments").delete(numbers),
      transaction.objectStore("video").delete(IDBKeyRange.bound([id, 0, 0], [id, Infinity, Infinity])),
      transaction.objectStore("events").delete(IDBKeyRange.bound([id, ""], [id, "\uffff"])),
      transaction.done,
    ]);
  }
}

/** A chunk of columns with the times that it spans. @param columns at least one row */
export function chunkOf(
  sessionId: string,
  number: number,
  settings: Chunk["settings"],
  columns: Chunk["columns"],
): Chunk {
  return {
    sessionId,
    number,
    firstMs: columns.capturedAtMs.reduce((a, b) => Math.min(a, b), Infinity),
    lastMs: columns.capturedAtMs.reduce((a, b) => Math.max(a, b), -Infinity),
    settings,
    columns,
  };
}
