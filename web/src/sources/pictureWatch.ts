/** A camera that is on and shows nothing: its frames have stopped, or all are black. */
export type PictureTrouble = "frozen" | "black";

/** So long without a new frame, in ms, and the picture is frozen. Cameras in the dark take up to a second for one. */
const FROZEN_AFTER_MS = 3000;
/** So long nothing but black, in ms: cameras begin black, for some tenths of a second. */
const BLACK_AFTER_MS = 2000;
/** A picture is black where no channel of any pixel of its thumbnail is above this, of 255. Dark rooms are noisier. */
const BLACK_MAX = 10;

/** Notices that a camera's picture says nothing, although the camera counts as on. */
export class PictureWatch {
  #lastFrameMs: number | null = null;
  #blackSinceMs: number | null = null;

  /** Forgets what was: another camera, or a page that was hidden. */
  reset(nowMs: number): void {
    this.#lastFrameMs = nowMs;
    this.#blackSinceMs = null;
  }

  onFrame(nowMs: number): void {
    this.#lastFrameMs = nowMs;
  }

  /**
   * @param brightest the highest value of any channel of the picture's thumbnail, 0 to 255; null where there is none
   * @returns what is wrong now
   */
  check(nowMs: number, brightest: number | null): PictureTrouble | null {
    this.#lastFrameMs ??= nowMs;
    if (nowMs - this.#lastFrameMs > FROZEN_AFTER_MS) return "frozen";
    if (brightest === null || brightest > BLACK_MAX) {
      this.#blackSinceMs = null;
      return null;
    }
    this.#blackSinceMs ??= nowMs;
    return nowMs - this.#blackSinceMs >= BLACK_AFTER_MS ? "black" : null;
  }
}

const THUMBNAIL_SIDE_PX = 16;

/** Measures how bright a video's picture is. Keeps one small canvas for its whole life. */
export class BrightnessMeter {
  #context: CanvasRenderingContext2D | null = null;

  /** @returns the highest value of any channel of the thumbnail, 0 to 255; null where there is no picture */
  brightest(video: HTMLVideoElement): number | null {
    if (video.videoWidth === 0) return null;
    this.#context ??= createContext();
    const side = THUMBNAIL_SIDE_PX;
    this.#context.drawImage(video, 0, 0, side, side);
    const { data: rgba } = this.#context.getImageData(0, 0, side, side);
    let brightest = 0;
    for (let at = 0; at < rgba.length; at += 4) {
      brightest = Math.max(brightest, rgba[at] ?? 0, rgba[at + 1] ?? 0, rgba[at + 2] ?? 0);
    }
    return brightest;
  }
}

function createContext(): CanvasRenderingContext2D {
  const side = THUMBNAIL_SIDE_PX;
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (context === null) throw new Error("this browser gives no 2-D canvas");
  return context;
}
