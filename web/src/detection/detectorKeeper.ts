import { type BackendName, type BackendReport, type BackendSpeed, rankBackends, reasonOf } from "./backends";
import type { CreateDetector } from "./detectorKinds";
import { DetectorHungError, DetectorStoppedError, type FaceDetector } from "./faceDetector";

/** What the detector is doing. `reports` grows while backends are measured, also when one is in use already. */
export type DetectorStatus =
  | { readonly kind: "off" }
  | { readonly kind: "starting"; readonly reports: readonly BackendReport[] }
  | {
      readonly kind: "ready";
      readonly where: FaceDetector["where"];
      readonly backend: BackendName;
      readonly reports: readonly BackendReport[];
    }
  | { readonly kind: "failed"; readonly reports: readonly BackendReport[] };

/** So many failed frames in a row, and the backend counts as broken. */
const MAX_FAILURES = 5;

/**
 * A backend whose detections take no longer than this, in ms, is fast enough: 30 pictures a second, and two thirds of
 * the time left for the rest of the machine. Nothing is loaded, compiled and heated up to be faster than that.
 */
export const FAST_ENOUGH_MS = 12;

/**
 * Keeps one detector running, on the fastest backend. Availability says little about speed: a WebGL that is drawn in
 * software is there, but many times slower than WebAssembly. So backends are timed, in the given order, until one is
 * fast enough; the first that works is used at once, and a faster one replaces it. When the one in use breaks down,
 * the next fastest follows, or one that has not been tried.
 */
export class DetectorKeeper {
  #backends: readonly BackendName[];
  readonly #kinds: readonly CreateDetector[];
  #onStatus: (status: DetectorStatus) => void = () => {};
  #status: DetectorStatus = { kind: "off" };
  #reports: readonly BackendReport[] = [];
  #current: { readonly detector: FaceDetector; readonly speed: BackendSpeed } | null = null;
  #create: CreateDetector | null = null;
  #failures = 0;
  /** Counts starts and stops, so that a measurement notices that it has been overtaken. */
  #run = 0;

  /** @param kinds ways to create a detector; the next one is only tried where no backend works with the first */
  constructor(backends: readonly BackendName[], kinds: readonly CreateDetector[]) {
    this.#backends = backends;
    this.#kinds = kinds;
  }

  /** Null while there is none that could take a frame. */
  get current(): FaceDetector | null {
    return this.#current?.detector ?? null;
  }

  /** Starts measuring, unless that has been done. Resolves when a backend is fast enough, or all are measured. */
  async start(onStatus: (status: DetectorStatus) => void): Promise<void> {
    this.#onStatus = onStatus;
    if (this.#status.kind !== "off" && this.#status.kind !== "failed") return;
    const run = ++this.#run;
    for (const create of this.#kinds) {
      this.#create = create;
      this.#reports = [];
      this.#publish("starting");
      for (const backend of this.#backends) {
        await this.#tryOut(backend, create, run);
        if (run !== this.#run || this.#isFastEnough) return;
      }
      if (this.#current !== null) return;
    }
    this.#publish("failed");
  }

  /** Changes the backends that may be used, and measures anew where it is running. */
  use(backends: readonly BackendName[]): void {
    this.#backends = backends;
    if (this.#status.kind === "off") return;
    this.stop();
    void this.start(this.#onStatus);
  }

  stop(): void {
    this.#run++;
    this.#dropCurrent();
    this.#setStatus({ kind: "off" });
  }

  /** Call after each frame that was analysed. */
  onSuccess(): void {
    this.#failures = 0;
  }

  /** Call after each frame that was not. */
  async onFailure(error: unknown): Promise<void> {
    if (error instanceof DetectorStoppedError || this.#current === null) return;
    this.#failures++;
    if (!(error instanceof DetectorHungError) && this.#failures < MAX_FAILURES) return;
    const run = this.#run;
    this.#report({ kind: "failed", backend: this.#current.detector.backend, reason: reasonOf(error) });
    this.#dropCurrent();
    this.#publish("starting");
    const ranked = rankBackends(this.#reports);
    const untried = this.#backends.filter((name) => !this.#reports.some(({ backend }) => backend === name));
    for (const backend of [...ranked, ...untried]) {
      if (this.#create !== null) await this.#tryOut(backend, this.#create, run);
      if (run !== this.#run || this.current !== null) return;
    }
    this.#publish("failed");
  }

  get #isFastEnough(): boolean {
    return this.#current !== null && this.#current.speed.medianMs <= FAST_ENOUGH_MS;
  }

  /** Times one backend, and uses it from then on where it is the fastest so far. */
  async #tryOut(backend: BackendName, create: CreateDetector, run: number): Promise<void> {
    let detector: FaceDetector | null = null;
    try {
      detector = await create(backend);
      const speed = await detector.start();
      if (
        run !== this.#run ||
        speed.medianMs >= (this.#current?.speed.medianMs ?? Number.POSITIVE_INFINITY)
      ) {
        detector.stop();
      } else {
        this.#dropCurrent();
        this.#current = { detector, speed };
      }
      if (run === this.#run) this.#report(speed);
    } catch (error) {
      detector?.stop();
      if (run === this.#run) this.#report({ kind: "failed", backend, reason: reasonOf(error) });
    }
    if (run === this.#run) this.#publish("starting");
  }

  #dropCurrent(): void {
    this.#current?.detector.stop();
    this.#current = null;
    this.#failures = 0;
  }

  #report(report: BackendReport): void {
    this.#reports = [...this.#reports.filter(({ backend }) => backend !== report.backend), report];
  }

  /** @param without the status where no detector can be used */
  #publish(without: "starting" | "failed"): void {
    const reports = this.#reports;
    if (this.#current === null) {
      this.#setStatus({ kind: without, reports });
    } else {
      const { where, backend } = this.#current.detector;
      this.#setStatus({ kind: "ready", where, backend, reports });
    }
  }

  #setStatus(status: DetectorStatus): void {
    this.#status = status;
    this.#onStatus(status);
  }
}
