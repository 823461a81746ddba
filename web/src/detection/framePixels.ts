import type { SizePx } from "./box";
import { type Canvas2d, createCanvas2d } from "./canvas";
import { INPUT_SIZE_PX } from "./decode";
import { letterboxOf } from "./letterbox";
import { type Look, PLAIN_LOOK } from "./looks";

/** Scales frames to the detector's input. Keeps one canvas and one buffer for its whole life. */
export class FramePixels {
  readonly #context: Canvas2d = createCanvas2d(INPUT_SIZE_PX, INPUT_SIZE_PX, { willReadFrequently: true });
  readonly #input = new Float32Array(INPUT_SIZE_PX * INPUT_SIZE_PX * 3);

  /**
   * The letterboxed frame as (256, 256, 3) RGB in [−1, 1], rows first; the margins are black.
   * The array is overwritten by the next call.
   *
   * @param size of the frame, not turned
   */
  read(frame: CanvasImageSource, size: SizePx, { part, quarters }: Look = PLAIN_LOOK): Float32Array {
    const context = this.#context;
    const { scale, padX, padY } = letterboxOf(size, INPUT_SIZE_PX, part);
    context.fillStyle = "black";
    context.fillRect(0, 0, INPUT_SIZE_PX, INPUT_SIZE_PX);
    context.save();
    // The frame lies in the input's middle, however it is turned.
    context.translate(INPUT_SIZE_PX / 2, INPUT_SIZE_PX / 2);
    context.rotate((-quarters * Math.PI) / 2);
    context.translate(-INPUT_SIZE_PX / 2, -INPUT_SIZE_PX / 2);
    context.drawImage(frame, padX, padY, size.width * scale, size.height * scale);
    context.restore();
    const { data: rgba } = context.getImageData(0, 0, INPUT_SIZE_PX, INPUT_SIZE_PX);
    const input = this.#input;
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
      input[to] = (rgba[from] ?? 0) / 127.5 - 1;
      input[to + 1] = (rgba[from + 1] ?? 0) / 127.5 - 1;
      input[to + 2] = (rgba[from + 2] ?? 0) / 127.5 - 1;
    }
    return input;
  }
}
