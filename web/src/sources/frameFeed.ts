import { StillFrames, type StillProgress } from "./stillFrames";
import { type OnFrame, watchFrames } from "./videoFrames";

/** Where the pump's pictures come from: what the page shows. */
export interface FrameFeed {
  /** Null where there is no picture at the moment. */
  capture(): Promise<ImageBitmap | null>;
  /** Whether the picture stands still because it is meant to. What is known of its faces then stays true. */
  isStill(): boolean;
  stop(): void;
}

export interface FeedListener {
  readonly onFrame: OnFrame;
  readonly progress: (sinceMs: number) => StillProgress;
}

/** A camera, a screen, or a film that can be paused. */
export function videoFeed(video: HTMLVideoElement, { onFrame, progress }: FeedListener): FrameFeed {
  const isStill = () => video.srcObject === null && (video.paused || video.ended) && video.readyState >= 2;
  const still = new StillFrames(onFrame, progress);
  const listening = new AbortController();
  const listen = (event: string, listener: () => void) =>
    video.addEventListener(event, listener, { signal: listening.signal });
  for (const event of ["pause", "ended", "seeked"]) {
    listen(event, () => {
      if (isStill()) still.show();
    });
  }
  for (const event of ["play", "emptied"]) listen(event, () => still.stop());
  const stopWatching = watchFrames(video, onFrame);
  return {
    capture: async () => (video.videoWidth === 0 ? null : await createImageBitmap(video)),
    isStill,
    stop: () => {
      stopWatching();
      still.stop();
      listening.abort();
    },
  };
}

/** @param image may still be loading */
export function imageFeed(image: HTMLImageElement, { onFrame, progress }: FeedListener): FrameFeed {
  const still = new StillFrames(onFrame, progress);
  still.show();
  return {
    capture: async () => (image.naturalWidth === 0 ? null : await createImageBitmap(image)),
    isStill: () => true,
    stop: () => still.stop(),
  };
}
