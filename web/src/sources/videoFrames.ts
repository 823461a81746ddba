/** Called once for each new video frame, with the time of its capture as Unix time in ms. */
export type OnFrame = (capturedAtMs: number) => void;

/** A capture time that lies further back is not believed, in ms: some cameras count from another origin. */
const MAX_CAPTURE_AGE_MS = 2000;

/**
 * Follows the frames of a playing video. Frames are announced, never kept: who is busy misses them.
 * A hidden page gets none.
 *
 * @returns stops it
 */
export function watchFrames(video: HTMLVideoElement, onFrame: OnFrame): () => void {
  return "requestVideoFrameCallback" in video
    ? watchByVideoCallback(video, onFrame)
    : watchByAnimationFrame(video, onFrame);
}

function watchByVideoCallback(video: HTMLVideoElement, onFrame: OnFrame): () => void {
  let handle = 0;
  const next = (now: DOMHighResTimeStamp, { captureTime = now }: VideoFrameCallbackMetadata): void => {
    handle = video.requestVideoFrameCallback(next);
    const ageMs = performance.now() - captureTime;
    // Date.now() rather than performance.timeOrigin, which is wrong once the computer has slept.
    onFrame(Date.now() - (ageMs >= 0 && ageMs < MAX_CAPTURE_AGE_MS ? ageMs : 0));
  };
  handle = video.requestVideoFrameCallback(next);
  return () => video.cancelVideoFrameCallback(handle);
}

function watchByAnimationFrame(video: HTMLVideoElement, onFrame: OnFrame): () => void {
  let shownTime = -1;
  let handle = 0;
  const next = (): void => {
    handle = requestAnimationFrame(next);
    if (document.hidden || video.currentTime === shownTime) return;
    shownTime = video.currentTime;
    onFrame(Date.now());
  };
  handle = requestAnimationFrame(next);
  return () => cancelAnimationFrame(handle);
}
