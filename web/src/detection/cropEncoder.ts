import type { BoxXywh } from "./box";
import { type Canvas2d, createCanvas2d, toJpeg } from "./canvas";
import { CROP_JPEG_QUALITY, CROP_SIZE_PX } from "./crop";

/** Cuts squares out of a frame and encodes them as JPEG. Keeps one canvas for its whole life. */
export class CropEncoder {
  readonly #context: Canvas2d;

  constructor() {
    // Encoding reads the pixels back, so a canvas in main memory is the quicker one.
    this.#context = createCanvas2d(CROP_SIZE_PX, CROP_SIZE_PX, { alpha: false, willReadFrequently: true });
    this.#context.imageSmoothingQuality = "high";
  }

  /**
   * @param frame unmirrored
   * @param squareXywh `[x, y, side, side]` inside the frame, as `cropSquare` gives it
   * @returns a JPEG of 224×224 pixels
   */
  async encode(frame: CanvasImageSource, [x, y, width, height]: BoxXywh): Promise<ArrayBuffer> {
    this.#context.drawImage(frame, x, y, width, height, 0, 0, CROP_SIZE_PX, CROP_SIZE_PX);
    return await toJpeg(this.#context, CROP_JPEG_QUALITY);
  }
}
