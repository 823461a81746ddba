/** Decimal places of probabilities on the wire: with them a 16-bit integer holds each exactly. */
export const PROBABILITY_SCALE = 10_000;

/** Why a face counts as uncertain; a row keeps them as bits, in this order. */
export const REASONS = ["small", "blurred", "dark", "turned", "cut_off", "covered", "ambiguous"] as const;

/** A face's quality, in the order in which a row keeps it. Units are in the names; the others are in [0, 1]. */
export const QUALITY_FIELDS = [
  "sharpness",
  "brightness",
  "size_px",
  "roll_deg",
  "yaw_deg",
  "pitch_deg",
  "visible",
] as const;

export type QualityField = (typeof QUALITY_FIELDS)[number];

/** What a row keeps of a face in an answer; the wire's names. */
export interface RecordedFace {
  readonly face_id: number;
  readonly box?: readonly number[] | null | undefined;
  readonly emotion: string;
  readonly predictions: Readonly<Record<string, number>>;
  readonly quality?: Readonly<Partial<Record<QualityField, number | null | undefined>>> | null | undefined;
  readonly uncertain?: boolean | null | undefined;
  readonly reasons?: readonly string[] | null | undefined;
}

const BOX_SIDES = 4;
const NO_BOX = -32_768;
const MAX_INT16 = 32_767;
const NO_LABEL = 255;
const UNKNOWN = 2;

/** Rows as columns: what a session keeps of each face in each answer, in about 70 bytes. */
export interface RowColumns {
  readonly rows: number;
  readonly labelCount: number;
  /** Unix time in ms. */
  readonly capturedAtMs: Float64Array;
  readonly faceIds: Uint32Array;
  /** Four a row, in pixels of the frame. */
  readonly boxesXywh: Int16Array;
  /** `labelCount` a row, times 10,000. */
  readonly probabilities: Uint16Array;
  /** Index of the label that the server names. */
  readonly emotions: Uint8Array;
  /** One for each of `QUALITY_FIELDS` a row; NaN where it was not measured. */
  readonly quality: Float32Array;
  /** 0 or 1; 2 where the server does not say. */
  readonly uncertain: Uint8Array;
  /** A bit for each of `REASONS`. */
  readonly reasons: Uint8Array;
}

/** One row, taken out of its columns. */
export interface Row {
  readonly capturedAtMs: number;
  readonly faceId: number;
  readonly boxXywh: readonly [number, number, number, number] | null;
  readonly emotion: string;
  /** In [0, 1], of `emotion`. */
  readonly confidence: number;
  /** In [0, 1], in the labels' order. */
  readonly probabilities: readonly number[];
  /** In the order of `QUALITY_FIELDS`; null where it was not measured. */
  readonly quality: readonly (number | null)[];
  readonly uncertain: boolean | null;
  readonly reasons: readonly string[];
}

function emptyColumns(capacity: number, labelCount: number): RowColumns {
  return {
    rows: capacity,
    labelCount,
    capturedAtMs: new Float64Array(capacity),
    faceIds: new Uint32Array(capacity),
    boxesXywh: new Int16Array(capacity * BOX_SIDES),
    probabilities: new Uint16Array(capacity * labelCount),
    emotions: new Uint8Array(capacity),
    quality: new Float32Array(capacity * QUALITY_FIELDS.length),
    uncertain: new Uint8Array(capacity),
    reasons: new Uint8Array(capacity),
  };
}

/** Rows that are being gathered, in columns of a fixed size: no object for any of them is kept. */
export class RowBuffer {
  readonly labels: readonly string[];
  readonly capacity: number;
  readonly #columns: RowColumns;
  readonly #labelIndex: ReadonlyMap<string, number>;
  #rows = 0;

  constructor(labels: readonly string[], capacity: number) {
    this.labels = labels;
    this.capacity = capacity;
    this.#columns = emptyColumns(capacity, labels.length);
    this.#labelIndex = new Map(labels.map((label, index) => [label, index]));
  }

  get rows(): number {
    return this.#rows;
  }

  get isFull(): boolean {
    return this.#rows === this.capacity;
  }

  /** @throws RangeError where it is full */
  add(capturedAtMs: number, faceId: number, face: RecordedFace): void {
    if (this.isFull) throw new RangeError("the buffer is full");
    const row = this.#rows++;
    const columns = this.#columns;
    columns.capturedAtMs[row] = capturedAtMs;
    columns.faceIds[row] = faceId;
    for (let side = 0; side < BOX_SIDES; side++) {
      const value = face.box?.[side];
      columns.boxesXywh[BOX_SIDES * row + side] = value === undefined ? NO_BOX : toInt16(value);
    }
    this.labels.forEach((label, index) => {
      const scaled = Math.round((face.predictions[label] ?? 0) * PROBABILITY_SCALE);
      columns.probabilities[this.labels.length * row + index] = Math.min(Math.max(scaled, 0), 65_535);
    });
    columns.emotions[row] = this.#labelIndex.get(face.emotion) ?? NO_LABEL;
    QUALITY_FIELDS.forEach((field, index) => {
      columns.quality[QUALITY_FIELDS.length * row + index] = face.quality?.[field] ?? Number.NaN;
    });
    columns.uncertain[row] = typeof face.uncertain !== "boolean" ? UNKNOWN : Number(face.uncertain);
    columns.reasons[row] = REASONS.reduce(
      (bits, reason, bit) => (face.reasons?.includes(reason) === true ? bits | (1 << bit) : bits),
      0,
    );
  }

  /** A copy of the rows from `start` on. */
  slice(start = 0): RowColumns {
    const end = this.#rows;
    const { labelCount, ...columns } = this.#columns;
    return {
      rows: end - start,
      labelCount,
      capturedAtMs: columns.capturedAtMs.slice(start, end),
      faceIds: columns.faceIds.slice(start, end),
      boxesXywh: columns.boxesXywh.slice(BOX_SIDES * start, BOX_SIDES * end),
      probabilities: columns.probabilities.slice(labelCount * start, labelCount * end),
      emotions: columns.emotions.slice(start, end),
      quality: columns.quality.slice(QUALITY_FIELDS.length * start, QUALITY_FIELDS.length * end),
      uncertain: columns.uncertain.slice(start, end),
      reasons: columns.reasons.slice(start, end),
    };
  }
}

/** The row at an index, with the names of its labels. */
export function rowAt(columns: RowColumns, labels: readonly string[], row: number): Row {
  const { labelCount } = columns;
  const probabilities = Array.from(
    columns.probabilities.subarray(labelCount * row, labelCount * (row + 1)),
    (scaled) => scaled / PROBABILITY_SCALE,
  );
  const named = columns.emotions[row] ?? NO_LABEL;
  const emotion = named < labels.length ? named : indexOfLargest(probabilities);
  const box = columns.boxesXywh.subarray(BOX_SIDES * row, BOX_SIDES * (row + 1));
  const [x = NO_BOX, y = 0, width = 0, height = 0] = box;
  const uncertain = columns.uncertain[row];
  const bits = columns.reasons[row] ?? 0;
  return {
    capturedAtMs: columns.capturedAtMs[row] ?? 0,
    faceId: columns.faceIds[row] ?? 0,
    boxXywh: x === NO_BOX ? null : [x, y, width, height],
    emotion: labels[emotion] ?? "",
    confidence: probabilities[emotion] ?? 0,
    probabilities,
    quality: Array.from(
      columns.quality.subarray(QUALITY_FIELDS.length * row, QUALITY_FIELDS.length * (row + 1)),
      (value) => (Number.isNaN(value) ? null : Math.round(value * 10_000) / 10_000),
    ),
    uncertain: uncertain === undefined || uncertain === UNKNOWN ? null : uncertain === 1,
    reasons: REASONS.filter((_, bit) => (bits & (1 << bit)) !== 0),
  };
}

/** Size of the columns in memory, and about that on disk, in bytes. */
export function byteLengthOf(columns: RowColumns): number {
  return Object.values(columns).reduce<number>(
    (sum, column: number | ArrayBufferView) => sum + (typeof column === "number" ? 0 : column.byteLength),
    0,
  );
}

function toInt16(value: number): number {
  return Math.min(Math.max(Math.round(value), NO_BOX + 1), MAX_INT16);
}

function indexOfLargest(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > (values[best] ?? 0) ? index : best), 0);
}
