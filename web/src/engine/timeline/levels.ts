/** Width of the finest bucket, in ms. */
export const FINEST_MS = 250;

/** Each level's buckets are so many times as wide as the level's before. */
const FACTOR = 4;

const LEVELS = 6;

/** Buckets that a level keeps: more than a screen has columns. Older ones are left to the next level. */
const CAPACITY = 2048;

const FIRST_CAPACITY = 64;

/** One level: sums of probabilities in buckets of one width, the newest `CAPACITY` of them. Buckets without rows take no room. */
class Level {
  readonly bucketMs: number;
  readonly #labelCount: number;
  #numbers = new Float64Array(FIRST_CAPACITY);
  #counts = new Uint32Array(FIRST_CAPACITY);
  #sums: Float32Array;
  /** Buckets so far; the newest is at `(total - 1) % capacity`. */
  #total = 0;

  constructor(bucketMs: number, labelCount: number) {
    this.bucketMs = bucketMs;
    this.#labelCount = labelCount;
    this.#sums = new Float32Array(FIRST_CAPACITY * labelCount);
  }

  get size(): number {
    return Math.min(this.#total, this.#numbers.length);
  }

  /** Whether it still has all that was added since that time. */
  reaches(fromMs: number): boolean {
    return this.#total <= CAPACITY || this.#numberAt(0) * this.bucketMs <= fromMs;
  }

  add(atMs: number, probabilities: ArrayLike<number>, offset: number, scale: number): void {
    const number = Math.floor(atMs / this.bucketMs);
    let place = this.#placeOf(number);
    if (place === null) {
      place = this.#next();
      this.#numbers[place] = number;
      this.#counts[place] = 0;
      this.#sums.fill(0, place * this.#labelCount, (place + 1) * this.#labelCount);
    }
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    for (let label = 0; label < this.#labelCount; label++) {
      const at = place * this.#labelCount + label;
      this.#sums[at] = (this.#sums[at] ?? 0) + (probabilities[offset + label] ?? 0) * scale;
    }
  }

  /** Adds this level's buckets in a range of times to others of the same width. */
  collect(fromMs: number, toMs: number, into: Map<number, Bucket>): void {
    for (let index = this.#firstFrom(Math.floor(fromMs / this.bucketMs)); index < this.size; index++) {
      const place = this.#placeAt(index);
      const number = this.#numbers[place] ?? 0;
      if (number * this.bucketMs > toMs) return;
      const sums = this.#sums.subarray(place * this.#labelCount, (place + 1) * this.#labelCount);
      const bucket = into.get(number);
      if (bucket === undefined) into.set(number, { count: this.#counts[place] ?? 0, sums: sums.slice() });
      else {
        bucket.count += this.#counts[place] ?? 0;
        sums.forEach((sum, label) => {
          bucket.sums[label] = (bucket.sums[label] ?? 0) + sum;
        });
      }
    }
  }

  /** The bucket's place where it is the newest or just before: answers come almost in order. */
  #placeOf(number: number): number | null {
    for (let back = 1; back <= Math.min(4, this.size); back++) {
      const place = this.#placeAt(this.size - back);
      if (this.#numbers[place] === number) return place;
    }
    return null;
  }

  #next(): number {
    if (this.#total === this.#numbers.length && this.#total < CAPACITY) this.#grow();
    return this.#total++ % this.#numbers.length;
  }

  #grow(): void {
    const capacity = this.#numbers.length * 2;
    const numbers = new Float64Array(capacity);
    const counts = new Uint32Array(capacity);
    const sums = new Float32Array(capacity * this.#labelCount);
    numbers.set(this.#numbers);
    counts.set(this.#counts);
    sums.set(this.#sums);
    [this.#numbers, this.#counts, this.#sums] = [numbers, counts, sums];
  }

  /** @param index from 0, the oldest, to `size` - 1 */
  #placeAt(index: number): number {
    const oldest = this.#total > this.#numbers.length ? this.#total % this.#numbers.length : 0;
    return (oldest + index) % this.#numbers.length;
  }

  #numberAt(index: number): number {
    return this.#numbers[this.#placeAt(index)] ?? 0;
  }

  /** Index of the first bucket from a number on, by bisection. */
  #firstFrom(number: number): number {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#numberAt(middle) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Bucket {
  count: number;
  readonly sums: Float32Array;
}

/** A line's points: the mean of each bucket, in the order of time. */
export interface Points {
  /** Width of a bucket, in ms. */
  readonly bucketMs: number;
  /** Unix time in ms, the middle of each bucket. */
  readonly timesMs: readonly number[];
  /** One array for each label, in [0, 1]. */
  readonly means: readonly (readonly number[])[];
}

/**
 * One face's probabilities at six widths of time, from a quarter of a second to over four minutes. Each width keeps
 * its newest 2048 buckets, so that hours need no more memory than minutes, and any stretch is drawn with few points.
 */
export class Levels {
  readonly #levels: readonly Level[];

  constructor(labelCount: number) {
    this.#levels = Array.from(
      { length: LEVELS },
      (_, index) => new Level(FINEST_MS * FACTOR ** index, labelCount),
    );
  }

  /** @param probabilities from `offset` on, one for each label, `scale` times their values */
  add(atMs: number, probabilities: ArrayLike<number>, offset = 0, scale = 1): void {
    for (const level of this.#levels) level.add(atMs, probabilities, offset, scale);
  }

  level(index: number): Level {
    const level = this.#levels[index];
    if (level === undefined) throw new RangeError(`there is no level ${index}`);
    return level;
  }

  /** The finest level with at most so many buckets in a stretch, that still has all of it. */
  levelFor(fromMs: number, toMs: number, maxPoints: number): number {
    const index = this.#levels.findIndex(
      (level) => (toMs - fromMs) / level.bucketMs <= maxPoints && level.reaches(fromMs),
    );
    return index < 0 ? LEVELS - 1 : index;
  }
}

/** Points of several faces together: their mean, at the finest width that suits all of them. */
export function pointsOf(
  faces: readonly Levels[],
  labelCount: number,
  fromMs: number,
  toMs: number,
  maxPoints: number,
): Points {
  const index = faces.reduce((widest, face) => Math.max(widest, face.levelFor(fromMs, toMs, maxPoints)), 0);
  const bucketMs = FINEST_MS * FACTOR ** index;
  const buckets = new Map<number, Bucket>();
  for (const face of faces) face.level(index).collect(fromMs - bucketMs, toMs, buckets);
  const ordered = [...buckets].sort(([a], [b]) => a - b);
  return {
    bucketMs,
    timesMs: ordered.map(([number]) => (number + 0.5) * bucketMs),
    means: Array.from({ length: labelCount }, (_, label) =>
      ordered.map(([, { count, sums }]) => (sums[label] ?? 0) / count),
    ),
  };
}
