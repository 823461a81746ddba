"""What a crop costs the page, as it is and turned upright: the page's own code in a worker in Chromium.

    python -m bench.page_crops

Draws out of a frame of 1280 × 720 and encodes JPEG files, as it is and turned by 30°, in turns. Medians.
"""

import argparse
import sys

from bench.page_worker import page_worker

#: The worker's code; ``REPEATS`` is filled in.
_WORKER = """
import { CropEncoder } from "ORIGIN/src/detection/cropEncoder.ts";
const size = { width: 1280, height: 720 };
const canvas = new OffscreenCanvas(size.width, size.height);
const context = canvas.getContext("2d");
const noise = context.createImageData(size.width, size.height);
for (let at = 0; at < noise.data.length; at++)
  noise.data[at] = at % 4 === 3 ? 255 : 128 + 100 * Math.sin(at / 97) + 20 * Math.sin(at * at);
context.putImageData(noise, 0, 0);
const frame = await createImageBitmap(canvas);
const encoder = new CropEncoder();
const kinds = {
  "as it is": [[500, 200, 240, 240], 0],
  "turned by 30°": [[500, 200, 240, 240], 30],
  "turned by 30°, in a corner": [[0, 0, 240, 240], 30],
};
const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
for (let repeat = 0; repeat < REPEATS; repeat++) {
  for (const [kind, [square, turn]] of Object.entries(kinds)) {
    const start = performance.now();
    await encoder.encode(frame, size, square, turn);
    times[kind].push(performance.now() - start);
  }
}
postMessage(Object.fromEntries(Object.entries(times).map(
  ([kind, all]) => [kind, all.sort((a, b) => a - b)[Math.floor(all.length / 2)]])));
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--port", type=int, default=5198)
    options = parser.parse_args()
    with page_worker(_WORKER.replace("REPEATS", str(options.repeats)), options.port) as (times, _):
        pass
    print("| crop | ms | ratio |\n| --- | --- | --- |")
    for kind, median in times.items():
        print(f"| {kind} | {median:.2f} | {median / times['as it is']:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
