/**
 * TensorFlow.js backends that the detector can run on, in the order in which they are tried: WebAssembly first,
 * since it is the smallest, starts within a second everywhere, and is fast enough on most machines. The code of the
 * others is loaded only where they are tried.
 */
export const BACKENDS = ["wasm", "webgl", "webgpu"] as const;

export type BackendName = (typeof BACKENDS)[number];

export function isBackendName(value: string | null): value is BackendName {
  return BACKENDS.some((name) => name === value);
}

/** A backend that works, and how fast. */
export interface BackendSpeed {
  readonly kind: "measured";
  readonly backend: BackendName;
  /** Time to load and to answer for the first time, in ms. */
  readonly startMs: number;
  /** Median time of one detection afterwards, in ms. */
  readonly medianMs: number;
}

/** A backend that does not work here, or not any more. */
export interface BackendFailure {
  readonly kind: "failed";
  readonly backend: BackendName;
  readonly reason: string;
}

export type BackendReport = BackendSpeed | BackendFailure;

/** Bounds of the warm-up of one backend. */
export interface WarmUpLimits {
  /** Detections to time. */
  readonly samples: number;
  /** No further detection is started after this many ms of timed ones; at least one is always timed. */
  readonly budgetMs: number;
}

export const WARM_UP_LIMITS: WarmUpLimits = { samples: 5, budgetMs: 600 };

/**
 * Times a backend. Its first detection is not a sample, since it compiles the shaders.
 *
 * @param load makes the backend ready
 * @param detect one whole detection
 * @param now a clock in ms
 * @throws what `load` or `detect` rejects with
 */
export async function measureBackend(
  backend: BackendName,
  load: () => Promise<void>,
  detect: () => Promise<unknown>,
  now: () => number = () => performance.now(),
  limits: WarmUpLimits = WARM_UP_LIMITS,
): Promise<BackendSpeed> {
  const startedAt = now();
  await load();
  await detect();
  const readyAt = now();
  const samplesMs: number[] = [];
  do {
    const before = now();
    await detect();
    samplesMs.push(now() - before);
  } while (samplesMs.length < limits.samples && now() - readyAt < limits.budgetMs);
  return { kind: "measured", backend, startMs: readyAt - startedAt, medianMs: median(samplesMs) };
}

/** The backends that work, fastest first. */
export function rankBackends(reports: readonly BackendReport[]): BackendName[] {
  return reports
    .filter((report) => report.kind === "measured")
    .sort((a, b) => a.medianMs - b.medianMs)
    .map((report) => report.backend);
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}
