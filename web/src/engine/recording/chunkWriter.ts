import { chunkOf, type SessionDatabase } from "./database";
import { byteLengthOf, type RecordedFace, RowBuffer } from "./rows";
import type { Chunk, RowSettings } from "./session";

/** Rows of one chunk at most. */
export const ROWS_PER_CHUNK = 4096;

/** So many small chunks are joined to one, even where they have few rows. */
const PARTS_PER_CHUNK = 120;

/** Chunks that may wait for a database that takes none, two minutes' worth; later rows are lost. */
const MAX_WAITING = 120;

interface Waiting {
  readonly chunk: Chunk;
  /** The chunk takes the place of all from its own number to this one. */
  readonly replacesTo: number;
  readonly addedRows: number;
  readonly addedBytes: number;
  readonly lastFaceId: number;
}

/**
 * Gathers rows, and keeps them in small chunks, each as soon as it is cut off; when many have gathered one large chunk
 * takes their place in the same step. So little is lost at any time, and a session of hours has few chunks.
 */
export class ChunkWriter {
  readonly #database: SessionDatabase;
  readonly #sessionId: string;
  readonly #waiting: Waiting[] = [];
  #buffer: RowBuffer | null = null;
  #settings: RowSettings | null = null;
  #firstNumber: number;
  #nextNumber: number;
  #cutRows = 0;
  #lastFaceId = 0;

  /** @param firstNumber of the first chunk to be written */
  constructor(database: SessionDatabase, sessionId: string, firstNumber: number) {
    this.#database = database;
    this.#sessionId = sessionId;
    this.#firstNumber = firstNumber;
    this.#nextNumber = firstNumber;
  }

  /** Whether rows are lost, since the database has taken none for long. */
  get isOverfull(): boolean {
    return this.#waiting.length >= MAX_WAITING;
  }

  add(settings: RowSettings, capturedAtMs: number, faceId: number, face: RecordedFace): void {
    if (this.#settings === null || !sameSettings(this.#settings, settings) || this.#buffer?.isFull === true) {
      this.cut();
      this.#settings = settings;
      this.#begin(settings);
    }
    this.#lastFaceId = Math.max(this.#lastFaceId, faceId);
    this.#buffer?.add(capturedAtMs, faceId, face);
  }

  /** Makes a chunk of what has gathered since the last time. */
  cut(): void {
    const buffer = this.#buffer;
    const settings = this.#settings;
    if (buffer === null || settings === null || buffer.rows === this.#cutRows) return;
    const added = buffer.slice(this.#cutRows);
    const isWhole = buffer.isFull || this.#nextNumber - this.#firstNumber >= PARTS_PER_CHUNK;
    const number = isWhole ? this.#firstNumber : this.#nextNumber;
    if (!this.isOverfull) {
      this.#waiting.push({
        chunk: chunkOf(this.#sessionId, number, settings, isWhole ? buffer.slice() : added),
        replacesTo: this.#nextNumber,
        addedRows: added.rows,
        addedBytes: byteLengthOf(added),
        lastFaceId: this.#lastFaceId,
      });
    }
    this.#nextNumber++;
    this.#cutRows = buffer.rows;
    if (isWhole) this.#begin(settings);
  }

  /** Keeps the chunks that wait. @param nowMs up to where the session has gone @throws what the database throws */
  async drain(nowMs: number): Promise<void> {
    for (let waiting = this.#waiting[0]; waiting !== undefined; waiting = this.#waiting[0]) {
      const { chunk, replacesTo, addedRows, addedBytes, lastFaceId } = waiting;
      await this.#database.putChunk(
        chunk,
        (record) => ({
          ...record,
          rows: record.rows + addedRows,
          bytes: record.bytes + addedBytes,
          lastFaceId: Math.max(record.lastFaceId, lastFaceId),
          settings: chunk.settings,
          labels: [...new Set([...record.labels, ...chunk.settings.labels])],
          updatedAtMs: nowMs,
        }),
        replacesTo,
      );
      this.#waiting.shift();
    }
  }

  #begin({ labels }: RowSettings): void {
    this.#buffer = new RowBuffer(labels, ROWS_PER_CHUNK);
    this.#cutRows = 0;
    this.#firstNumber = this.#nextNumber;
  }
}

function sameSettings(a: RowSettings, b: RowSettings): boolean {
  return (
    a === b ||
    (a.model === b.model &&
      a.smoothing === b.smoothing &&
      a.intervalMs === b.intervalMs &&
      a.source === b.source &&
      a.labels.length === b.labels.length &&
      a.labels.every((label, index) => label === b.labels[index]))
  );
}
