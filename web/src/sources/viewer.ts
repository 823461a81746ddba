import { type FrameFeed, imageFeed, videoFeed } from "./frameFeed";
import { BrightnessMeter, type PictureTrouble, PictureWatch } from "./pictureWatch";
import type { SourceState } from "./sourceState";
import type { StillProgress } from "./stillFrames";
import type { OnFrame } from "./videoFrames";

export interface ViewerPorts {
  readonly onFrame: OnFrame;
  /** Whether a frame that is analysed now could be sent. */
  readonly canSend: () => boolean;
  readonly isAnsweredSince: (capturedAtMs: number) => boolean;
  readonly onTrouble: (trouble: PictureTrouble | null) => void;
}

const BRIGHTNESS_EVERY_MS = 500;

/** Looks at what the page shows, a video or an image: hands on its frames, and notices a camera without a picture. */
export class Viewer {
  readonly #ports: ViewerPorts;
  readonly #watch = new PictureWatch();
  readonly #brightness = new BrightnessMeter();
  #feed: FrameFeed | null = null;
  #video: HTMLVideoElement | null = null;
  #isCamera = false;
  #measuredAtMs = 0;
  #brightest: number | null = null;
  #analyses: { readonly atMs: number; readonly sendable: boolean }[] = [];

  constructor(ports: ViewerPorts) {
    this.#ports = ports;
  }

  /** Whether the picture stands still because it is meant to. */
  get isStill(): boolean {
    return this.#feed?.isStill() ?? false;
  }

  /** @returns stops following it */
  attachVideo(video: HTMLVideoElement): () => void {
    this.#video = video;
    return this.#attach(
      videoFeed(video, {
        onFrame: (capturedAtMs) => {
          this.#watch.onFrame(performance.now());
          this.#ports.onFrame(capturedAtMs);
        },
        progress: (sinceMs) => this.#progress(sinceMs),
      }),
    );
  }

  /** @returns stops following it */
  attachImage(image: HTMLImageElement): () => void {
    this.#video = null;
    return this.#attach(
      imageFeed(image, { onFrame: this.#ports.onFrame, progress: (sinceMs) => this.#progress(sinceMs) }),
    );
  }

  async capture(): Promise<ImageBitmap | null> {
    return (await this.#feed?.capture()) ?? null;
  }

  onSource(state: SourceState): void {
    this.#isCamera = state.kind === "live" && state.source === "camera";
    this.#watch.reset(performance.now());
    this.#brightest = null;
    this.#ports.onTrouble(null);
  }

  /** Call after each frame that was analysed. */
  onAnalysis(): void {
    this.#analyses.push({ atMs: Date.now(), sendable: this.#ports.canSend() });
    if (this.#analyses.length > MAX_ANALYSES) this.#analyses.shift();
  }

  /** Call a few times a second. A screen may well stand still or be black; a camera may not. */
  tick(): void {
    const nowMs = performance.now();
    if (!this.#isCamera || document.hidden) {
      this.#watch.reset(nowMs);
      return;
    }
    if (nowMs - this.#measuredAtMs >= BRIGHTNESS_EVERY_MS && this.#video !== null) {
      this.#measuredAtMs = nowMs;
      this.#brightest = this.#brightness.brightest(this.#video);
    }
    this.#ports.onTrouble(this.#watch.check(nowMs, this.#brightest));
  }

  #attach(feed: FrameFeed): () => void {
    this.#feed = feed;
    return () => {
      feed.stop();
      if (this.#feed === feed) this.#feed = null;
    };
  }

  #progress(sinceMs: number): StillProgress {
    const since = this.#analyses.filter(({ atMs }) => atMs >= sinceMs);
    return {
      analysed: since.length,
      sendable: since.filter(({ sendable }) => sendable).length,
      answered: this.#ports.isAnsweredSince(sinceMs),
    };
  }
}

/** As many as a still picture is looked at, and more. */
const MAX_ANALYSES = 100;
