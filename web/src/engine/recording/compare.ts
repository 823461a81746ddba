import type { SessionDatabase } from "./database";
import { type Row, rowAt } from "./rows";

/** A stretch through which two recordings of one face name different emotions. */
export interface Difference {
  readonly faceId: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly rows: number;
  readonly first: string;
  readonly second: string;
  /** Mean of how far the two are apart: half the sum of the probabilities' distances, in [0, 1]. */
  readonly distance: number;
}

export interface Comparison {
  /** Rows that both have: of the same face and time. */
  readonly compared: number;
  readonly differing: number;
  /** By their start; the longest where there are too many. */
  readonly differences: readonly Difference[];
}

/** More would not be read. */
const MAX_DIFFERENCES = 500;

/** A pause that ends a stretch, in ms. */
const MAX_PAUSE_MS = 1500;

interface Stretch {
  readonly first: string;
  readonly second: string;
  readonly fromMs: number;
  toMs: number;
  rows: number;
  distance: number;
}

/** Compares two recordings of the same frames, row by row, a few chunks of each in memory. */
export async function compareSessions(
  database: SessionDatabase,
  firstId: string,
  secondId: string,
): Promise<Comparison> {
  const [a, b] = [framesOf(database, firstId), framesOf(database, secondId)];
  const open = new Map<number, Stretch>();
  const found: Difference[] = [];
  let [compared, differing] = [0, 0];
  const close = (faceId: number): void => {
    const stretch = open.get(faceId);
    if (stretch === undefined) return;
    open.delete(faceId);
    found.push({ ...stretch, faceId, distance: stretch.distance / stretch.rows });
  };

  let [left, right] = [await a.next(), await b.next()];
  while (left.done !== true && right.done !== true) {
    const [leftMs, rightMs] = [left.value.atMs, right.value.atMs];
    if (leftMs < rightMs) left = await a.next();
    else if (leftMs > rightMs) right = await b.next();
    else {
      const others = right.value.faces;
      for (const [faceId, row] of left.value.faces) {
        const other = others.get(faceId);
        if (other === undefined) continue;
        compared++;
        const stretch = open.get(faceId);
        if (row.row.emotion === other.row.emotion) {
          close(faceId);
          continue;
        }
        differing++;
        const distance = distanceOf(row, other);
        const continues =
          stretch?.first === row.row.emotion &&
          stretch.second === other.row.emotion &&
          leftMs - stretch.toMs <= MAX_PAUSE_MS;
        if (stretch !== undefined && continues) {
          stretch.toMs = leftMs;
          stretch.rows++;
          stretch.distance += distance;
        } else {
          close(faceId);
          const { emotion: first } = row.row;
          open.set(faceId, {
            first,
            second: other.row.emotion,
            fromMs: leftMs,
            toMs: leftMs,
            rows: 1,
            distance,
          });
        }
      }
      [left, right] = [await a.next(), await b.next()];
    }
  }
  for (const faceId of [...open.keys()]) close(faceId);
  const longest = found.sort((x, y) => y.toMs - y.fromMs - (x.toMs - x.fromMs)).slice(0, MAX_DIFFERENCES);
  return { compared, differing, differences: longest.sort((x, y) => x.fromMs - y.fromMs) };
}

interface LabelledRow {
  readonly row: Row;
  readonly labels: readonly string[];
}

interface Frame {
  readonly atMs: number;
  readonly faces: ReadonlyMap<number, LabelledRow>;
}

async function* framesOf(database: SessionDatabase, id: string): AsyncGenerator<Frame, void, undefined> {
  let atMs = Number.NaN;
  let faces = new Map<number, LabelledRow>();
  for await (const { columns, settings } of database.chunks(id)) {
    for (let index = 0; index < columns.rows; index++) {
      const row = rowAt(columns, settings.labels, index);
      if (row.capturedAtMs !== atMs) {
        if (faces.size > 0) yield { atMs, faces };
        atMs = row.capturedAtMs;
        faces = new Map();
      }
      faces.set(row.faceId, { row, labels: settings.labels });
    }
  }
  if (faces.size > 0) yield { atMs, faces };
}

/** Total variation distance; labels that only one model knows count as well. */
function distanceOf(a: LabelledRow, b: LabelledRow): number {
  const of = ({ row, labels }: LabelledRow, label: string): number =>
    row.probabilities[labels.indexOf(label)] ?? 0;
  const labels = new Set([...a.labels, ...b.labels]);
  return [...labels].reduce((sum, label) => sum + Math.abs(of(a, label) - of(b, label)), 0) / 2;
}
