/** How far back the trace reaches, in ms. */
export const TRACE_MS = 30_000;

/** Closer points would not be seen, in ms. It bounds a face's trace to 300 points. */
const MIN_SPACING_MS = 100;

/** Columns for a chart: times as Unix seconds, ascending, then one column of probabilities per label. */
export type TraceColumns = readonly [timesS: readonly number[], ...probabilities: (readonly number[])[]];

interface Point {
  readonly atMs: number;
  readonly predictions: Readonly<Record<string, number>>;
}

/** The last half minute of every face that is present. */
export class Traces {
  readonly #points = new Map<number, Point[]>();

  add(faceId: number, atMs: number, predictions: Readonly<Record<string, number>>): void {
    const points = this.#points.get(faceId) ?? [];
    const last = points.at(-1);
    if (last !== undefined && atMs - last.atMs < MIN_SPACING_MS) return;
    const from = points.findIndex((point) => atMs - point.atMs <= TRACE_MS);
    this.#points.set(faceId, [...(from < 0 ? [] : points.slice(from)), { atMs, predictions }]);
  }

  /** Forgets all other faces. */
  keepOnly(faceIds: ReadonlySet<number>): void {
    for (const faceId of this.#points.keys()) {
      if (!faceIds.has(faceId)) this.#points.delete(faceId);
    }
  }

  columns(faceId: number | null, labels: readonly string[]): TraceColumns {
    const points = (faceId === null ? undefined : this.#points.get(faceId)) ?? [];
    return [
      points.map((point) => point.atMs / 1000),
      ...labels.map((label) => points.map((point) => point.predictions[label] ?? 0)),
    ];
  }
}
