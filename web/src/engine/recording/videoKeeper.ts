import { type SessionDatabase, type StorageProblem, storageProblemOf } from "./database";
import type { VideoSegment } from "./session";

/** Formats in the order of preference; browsers differ in what they can write. */
const TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

/** Enough to see a face's expression in 720p. */
const BITS_PER_SECOND = 1_500_000;

/** A part of video is kept this often, in ms. */
const PART_MS = 1000;

/**
 * Each segment is a file of its own, in ms: what a browser records has no index, so only short files can be moved
 * about in.
 */
const SEGMENT_MS = 60_000;

/** The part of `MediaRecorder` that is used here. */
export type VideoRecorder = Pick<MediaRecorder, "start" | "stop" | "mimeType" | "state"> & {
  onstart: ((event: Event) => void) | null;
  ondataavailable: ((event: BlobEvent) => void) | null;
  onstop: ((event: Event) => void) | null;
};

export interface VideoEnvironment {
  now(): number;
  /** @throws Error where the browser cannot record */
  record(stream: MediaStream): VideoRecorder;
}

/** A browser's own recorder. */
export function recordVideo(stream: MediaStream): MediaRecorder {
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
  return new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS_PER_SECOND });
}

/** Keeps a camera's video beside a session's rows, second by second. Nothing of it leaves the browser. */
export class VideoKeeper {
  readonly #database: SessionDatabase;
  readonly #environment: VideoEnvironment;
  readonly #onProblem: (problem: StorageProblem) => void;
  #stopCurrent: (() => Promise<void>) | null = null;

  constructor(
    database: SessionDatabase,
    environment: VideoEnvironment,
    onProblem: (problem: StorageProblem) => void,
  ) {
    this.#database = database;
    this.#environment = environment;
    this.#onProblem = onProblem;
  }

  get isOn(): boolean {
    return this.#stopCurrent !== null;
  }

  start(stream: MediaStream, sessionId: string): void {
    if (this.isOn) return;
    let isWanted = true;
    let stopSegment: () => Promise<void> = () => Promise.resolve();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = async (number: number): Promise<void> => {
      const stopBefore = stopSegment;
      // The next one runs before the last one ends, so that no picture is missing between them.
      stopSegment = this.#record(stream, sessionId, number);
      timer = setTimeout(() => void next(number + 1), SEGMENT_MS);
      await stopBefore();
    };
    const first = this.#database
      .segments(sessionId)
      .then(async (segments) => {
        if (isWanted) await next((segments.at(-1)?.number ?? -1) + 1);
      })
      .catch((error: unknown) => this.#onProblem(storageProblemOf(error)));
    this.#stopCurrent = async () => {
      isWanted = false;
      await first;
      clearTimeout(timer);
      await stopSegment();
    };
  }

  /** Resolves when all is kept. */
  async stop(): Promise<void> {
    const stop = this.#stopCurrent;
    this.#stopCurrent = null;
    await stop?.();
  }

  #record(stream: MediaStream, sessionId: string, number: number): () => Promise<void> {
    const recorder = this.#environment.record(stream);
    let startMs = this.#environment.now();
    let part = 0;
    let writing: Promise<void> = Promise.resolve();
    const stopped = new Promise<void>((resolve) => {
      recorder.onstop = () => resolve();
    });
    recorder.onstart = () => {
      startMs = this.#environment.now();
    };
    recorder.ondataavailable = ({ data }) => {
      if (data.size === 0) return;
      const endMs = this.#environment.now();
      const segment: VideoSegment = { sessionId, number, startMs, endMs, type: recorder.mimeType };
      const mine = part++;
      writing = writing
        .then(() => this.#database.putVideo(segment, mine, data))
        .catch((error: unknown) => this.#onProblem(storageProblemOf(error)));
    };
    recorder.start(PART_MS);
    return async () => {
      if (recorder.state !== "inactive") {
        recorder.stop();
        await stopped;
      }
      await writing;
    };
  }
}
