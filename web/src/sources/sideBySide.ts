import type { JoinStreams } from "./camera";

/**
 * Draws two cameras side by side, equally high, into one canvas, and hands that on as a stream: everything that takes
 * a camera's picture takes this one. A hidden page draws nothing, as it analyses nothing.
 */
export const joinSideBySide: JoinStreams = (...streams) => {
  const videos = streams.map(playing);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) throw new Error("this browser gives no 2-D canvas");

  let drawnTimes = "";
  let handle = 0;
  const next = (): void => {
    handle = requestAnimationFrame(next);
    const times = videos.map((video) => video.currentTime).join();
    if (times === drawnTimes || videos.some((video) => video.videoHeight === 0)) return;
    drawnTimes = times;
    draw(videos, canvas, context);
  };
  next();
  const stream = canvas.captureStream();
  return {
    stream,
    stop: () => {
      cancelAnimationFrame(handle);
      for (const track of stream.getTracks()) track.stop();
      for (const video of videos) video.srcObject = null;
    },
  };
};

function playing(stream: MediaStream): HTMLVideoElement {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  video.srcObject = stream;
  // Rejected only where the stream is taken away again before it begins.
  video.play().catch(() => {});
  return video;
}

function draw(
  videos: readonly HTMLVideoElement[],
  canvas: HTMLCanvasElement,
  context: CanvasRenderingContext2D,
): void {
  const height = Math.max(...videos.map((video) => video.videoHeight));
  const widths = videos.map((video) => Math.round((video.videoWidth * height) / video.videoHeight));
  const width = widths.reduce((sum, each) => sum + each, 0);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  let left = 0;
  videos.forEach((video, index) => {
    context.drawImage(video, left, 0, widths[index] ?? 0, height);
    left += widths[index] ?? 0;
  });
}
