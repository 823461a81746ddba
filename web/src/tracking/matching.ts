/** Indices into the two matched lists. */
export type Pair = readonly [left: number, right: number];

/** How well two items fit, the higher the better; null where they cannot belong together. */
export type Scorer<T> = (left: T, right: T) => number | null;

/**
 * Pairs each item with at most one of the other list, greedily and best first. Scorers are tried in order: the
 * second only sees what the first has left over. Greedy rather than optimal, since faces are few and far apart.
 */
export function matchBestFirst<T>(
  lefts: readonly T[],
  rights: readonly T[],
  scorers: readonly Scorer<T>[],
): readonly Pair[] {
  const pairs: Pair[] = [];
  const usedLefts = new Set<number>();
  const usedRights = new Set<number>();
  for (const score of scorers) {
    const candidates = lefts.flatMap((left, leftIndex) =>
      rights.flatMap((right, rightIndex) => {
        const value = usedLefts.has(leftIndex) || usedRights.has(rightIndex) ? null : score(left, right);
        return value === null ? [] : [{ leftIndex, rightIndex, value }];
      }),
    );
    candidates.sort((a, b) => b.value - a.value);
    for (const { leftIndex, rightIndex } of candidates) {
      if (usedLefts.has(leftIndex) || usedRights.has(rightIndex)) continue;
      usedLefts.add(leftIndex);
      usedRights.add(rightIndex);
      pairs.push([leftIndex, rightIndex]);
    }
  }
  return pairs;
}
