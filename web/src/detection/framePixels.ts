import type { SizePx } from "./box";
import { type Canvas2d, createCanvas2d } from "./canvas";
import { INPUT_SIZE_PX } from "./decode";
import { letterboxOf } from "./letterbox";

/** Scales frames to the detector's input. Keeps one canvas and one buffer for its whole life. */
export class FramePixels {
  readonly #context: Canvas2d = createCanvas2d(INPUT_SIZE_PX, INPUT_SIZE_PX, { willReadFrequently: true });
  readonly #input = new Float32Array(INPUT_SIZE_PX * INPUT_SIZE_PX * 3);

  /**
   * The letterboxed frame as (256, 256, 3) RGB in [−1, 1], rows first; the margins are black.
   * The array is overwritten by the next call.
   */
  read(frame: CanvasImageSource, size: SizePx): Float32Array {
    const { scale, padX, padY } = letterboxOf(size, INPUT_SIZE_PX);
    this.#context.fillStyle = "black";
    this.#context.fillRect(0, 0, INPUT_SIZE_PX, INPUT_SIZE_PX);
    this.#context.drawImage(frame, padX, padY, size.width * scale, size.height * scale);
    const { data: rgba } = this.#context.getImageData(0, 0, INPUT_SIZE_PX, INPUT_SIZE_PX);
    const input = this.#input;
    for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
      input[to] = (rgba[from] ?? 0) / 127.5 - 1;
      input[to + 1] = (rgba[from + 1] ?? 0) / 127.5 - 1;
      input[to + 2] = (rgba[from + 2] ?? 0) / 127.5 - 1;
    }
    return input;
  }
}
