import type { SegmentReader } from "./rerun";

/** Reads pictures out of a short video through a `video` element that nobody sees. */
export async function openSegment(video: Blob): Promise<SegmentReader> {
  const url = URL.createObjectURL(video);
  const element = document.createElement("video");
  element.muted = true;
  element.preload = "auto";
  element.src = url;
  const close = (): void => {
    element.removeAttribute("src");
    element.load();
    URL.revokeObjectURL(url);
  };
  try {
    await event(element, "loadeddata");
    // What a browser has recorded says no duration: looking for its end makes the browser measure it.
    if (!Number.isFinite(element.duration)) await seek(element, 1e7);
  } catch (error) {
    close();
    throw error;
  }
  return {
    close,
    pictureAt: async (offsetMs) => {
      const end = Number.isFinite(element.duration) ? element.duration : Infinity;
      await seek(element, Math.min(Math.max(0, offsetMs / 1000), Math.max(0, end - 0.01)));
      return element.videoWidth === 0 ? null : await createImageBitmap(element);
    },
  };
}

async function seek(element: HTMLVideoElement, seconds: number): Promise<void> {
  if (element.currentTime === seconds) return;
  const sought = event(element, "seeked");
  element.currentTime = seconds;
  await sought;
}

function event(element: HTMLVideoElement, name: "loadeddata" | "seeked"): Promise<void> {
  return new Promise((resolve, reject) => {
    element.addEventListener(name, () => resolve(), { once: true });
    element.addEventListener("error", () => reject(new Error("the video cannot be read")), { once: true });
  });
}
