import type { BoxXywh, SizePx } from "./box";
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
   * @param turnDeg by how much that square is turned about its centre; see `cropTurn`
   * @returns a JPEG of 224×224 pixels
   */
  async encode(
    frame: CanvasImageSource,
    size: SizePx,
    squareXywh: BoxXywh,
    turnDeg = 0,
  ): Promise<ArrayBuffer> {
    const [x, y, width, height] = squareXywh;
    if (turnDeg === 0) {
      this.#context.drawImage(frame, x, y, width, height, 0, 0, CROP_SIZE_PX, CROP_SIZE_PX);
    } else {
      this.#drawTurned(frame, size, squareXywh, turnDeg);
    }
    return await toJpeg(this.#context, CROP_JPEG_QUALITY);
  }

  #drawTurned(frame: CanvasImageSource, size: SizePx, [x, y, side]: BoxXywh, turnDeg: number): void {
    const context = this.#context;
    const scale = CROP_SIZE_PX / side;
    context.save();
    context.translate(CROP_SIZE_PX / 2, CROP_SIZE_PX / 2);
    context.rotate((-turnDeg * Math.PI) / 180);
    context.scale(scale, scale);
    context.translate(-(x + side / 2), -(y + side / 2));
    // The corners of a turned square may reach outside of the frame: there its edge is repeated, as the server does.
    const beyond = side / 2;
    const columns = bandsOf(size.width, beyond);
    for (const row of bandsOf(size.height, beyond)) {
      for (const column of columns) {
        const source = [column.from, row.from, column.length, row.length] as const;
        context.drawImage(frame, ...source, column.to, row.to, column.drawn, row.drawn);
      }
    }
    context.restore();
  }
}

/** Along one axis of a frame: where to draw what of it, its first and last pixel repeated, and itself last. */
function bandsOf(length: number, beyond: number) {
  return [
    { from: 0, length: 1, to: -beyond, drawn: beyond + 1 },
    { from: length - 1, length: 1, to: length - 1, drawn: beyond + 1 },
    { from: 0, length, to: 0, drawn: length },
  ];
}
