import type { RowColumns } from "../recording/rows";
import { PROBABILITY_SCALE } from "../recording/rows";
import { personOf, type SessionRecord } from "../recording/session";
import { Levels, type Points, pointsOf } from "./levels";

/** Faces that are kept; where more come, those that were last seen longest ago go. */
const MAX_FACES = 256;

/** One person's line of time: all faces that have the same name. */
export interface Lane {
  /** The person's name: no two lanes have the same. */
  readonly name: string;
  readonly faceIds: readonly number[];
  readonly firstMs: number;
  readonly lastMs: number;
  readonly rows: number;
  /** For each label, in [0, 1]: the part of the rows in which it was the likeliest. */
  readonly shares: readonly number[];
}

interface Face {
  readonly levels: Levels;
  readonly counts: Uint32Array;
  firstMs: number;
  lastMs: number;
}

/** What was seen of every face, from seconds to hours, in bounded memory. */
export class Timeline {
  #labels: readonly string[] = [];
  #faces = new Map<number, Face>();
  #people: SessionRecord["people"] = {};
  #firstMs: number | null = null;
  #lastMs: number | null = null;
  #scratch = new Float64Array(0);

  get labels(): readonly string[] {
    return this.#labels;
  }

  /** Unix times in ms of the first and the latest row; null where there is none. */
  get spanMs(): readonly [number, number] | null {
    return this.#firstMs === null || this.#lastMs === null ? null : [this.#firstMs, this.#lastMs];
  }

  /** Begins anew where the labels are others. */
  setLabels(labels: readonly string[]): void {
    if (labels.length === this.#labels.length && labels.every((label, at) => label === this.#labels[at]))
      return;
    this.#labels = labels;
    this.#faces = new Map();
    this.#scratch = new Float64Array(labels.length);
    this.#firstMs = null;
    this.#lastMs = null;
  }

  /** Faces of the same name are one person. */
  setPeople(people: SessionRecord["people"]): void {
    this.#people = people;
  }

  add(faceId: number, atMs: number, predictions: Readonly<Record<string, number>>): void {
    this.#labels.forEach((label, at) => {
      this.#scratch[at] = predictions[label] ?? 0;
    });
    this.#addRow(faceId, atMs, this.#scratch, 0, 1);
  }

  /** @param labels those of the columns, which may be others than the timeline's */
  addColumns(columns: RowColumns, labels: readonly string[]): void {
    const places = this.#labels.map((label) => labels.indexOf(label));
    const isSame = labels.length === this.#labels.length && places.every((place, at) => place === at);
    for (let row = 0; row < columns.rows; row++) {
      const faceId = columns.faceIds[row] ?? 0;
      const atMs = columns.capturedAtMs[row] ?? 0;
      const offset = row * columns.labelCount;
      if (isSame) {
        this.#addRow(faceId, atMs, columns.probabilities, offset, 1 / PROBABILITY_SCALE);
        continue;
      }
      places.forEach((place, at) => {
        this.#scratch[at] = place < 0 ? 0 : (columns.probabilities[offset + place] ?? 0) / PROBABILITY_SCALE;
      });
      this.#addRow(faceId, atMs, this.#scratch, 0, 1);
    }
  }

  /** One for each person, in the order in which they came. */
  lanes(): readonly Lane[] {
    const byName = new Map<string, number[]>();
    for (const faceId of this.#faces.keys()) {
      const name = personOf(this.#people, faceId);
      byName.set(name, [...(byName.get(name) ?? []), faceId]);
    }
    return [...byName]
      .map(([name, faceIds]) => this.#lane(name, faceIds))
      .sort((a, b) => a.firstMs - b.firstMs);
  }

  /** All faces together. @param name what that is called */
  group(name: string): Lane {
    return this.#lane(name, [...this.#faces.keys()]);
  }

  /** The lane's mean probabilities between two times, in at most about so many points. */
  points(lane: Lane, fromMs: number, toMs: number, maxPoints: number): Points {
    const faces = lane.faceIds.flatMap((faceId) => this.#faces.get(faceId)?.levels ?? []);
    return pointsOf(faces, this.#labels.length, fromMs, toMs, maxPoints);
  }

  #lane(name: string, faceIds: readonly number[]): Lane {
    const counts = this.#labels.map(() => 0);
    let [firstMs, lastMs] = [Infinity, -Infinity];
    for (const faceId of faceIds) {
      const face = this.#faces.get(faceId);
      if (face === undefined) continue;
      firstMs = Math.min(firstMs, face.firstMs);
      lastMs = Math.max(lastMs, face.lastMs);
      face.counts.forEach((count, at) => (counts[at] = (counts[at] ?? 0) + count));
    }
    const rows = counts.reduce((sum, count) => sum + count, 0);
    return { name, faceIds, firstMs, lastMs, rows, shares: counts.map((count) => count / Math.max(1, rows)) };
  }

  #addRow(
    faceId: number,
    atMs: number,
    probabilities: Float64Array | Uint16Array,
    offset: number,
    scale: number,
  ): void {
    const face = this.#faces.get(faceId) ?? this.#newFace(faceId, atMs);
    face.levels.add(atMs, probabilities, offset, scale);
    let best = 0;
    for (let label = 1; label < this.#labels.length; label++) {
      if ((probabilities[offset + label] ?? 0) > (probabilities[offset + best] ?? 0)) best = label;
    }
    face.counts[best] = (face.counts[best] ?? 0) + 1;
    face.lastMs = Math.max(face.lastMs, atMs);
    this.#firstMs = Math.min(this.#firstMs ?? atMs, atMs);
    this.#lastMs = Math.max(this.#lastMs ?? atMs, atMs);
  }

  #newFace(faceId: number, atMs: number): Face {
    if (this.#faces.size >= MAX_FACES) {
      const [oldest] = [...this.#faces].reduce((a, b) => (b[1].lastMs < a[1].lastMs ? b : a));
      this.#faces.delete(oldest);
    }
    const count = this.#labels.length;
    const face = { levels: new Levels(count), counts: new Uint32Array(count), firstMs: atMs, lastMs: atMs };
    this.#faces.set(faceId, face);
    return face;
  }
}
