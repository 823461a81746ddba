"""What a crop costs the page, as it is and turned upright: the page's own code in a worker in Chromium.

    python -m bench.page_crops

Draws out of a frame of 1280 × 720 and encodes JPEG files, as it is and turned by 30°, in turns. Medians.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import httpx
from playwright.sync_api import sync_playwright

from tests.e2e.browser import launched

_WEB = Path(__file__).parents[1] / "web"

#: The worker's code; ``ORIGIN`` and ``REPEATS`` are filled in.
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


def measure(url: str, repeats: int) -> dict[str, float]:
    """Median ms of each kind of crop."""
    for _ in range(300):
        try:
            httpx.get(url, trust_env=False)
            break
        except httpx.TransportError:
            time.sleep(0.2)
    worker = _WORKER.replace("ORIGIN", url).replace("REPEATS", str(repeats))
    with sync_playwright() as playwright, launched(playwright) as browser:
        page = browser.new_page()
        # Any file of the server's will do: the page itself would start the camera.
        page.goto(f"{url}/favicon.svg")
        answer: dict[str, float] = page.evaluate(
            """source => new Promise((resolve, reject) => {
                const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
                const worker = new Worker(address, { type: "module" });
                worker.onmessage = (event) => resolve(event.data);
                worker.onerror = (event) => reject(new Error(event.message));
            })""",
            worker,
        )
        return answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--port", type=int, default=5198)
    options = parser.parse_args()
    command = [str(_WEB / "node_modules" / ".bin" / "vite"), "--port", str(options.port), "--strictPort"]
    vite = subprocess.Popen(command, cwd=_WEB, stdout=subprocess.DEVNULL)
    try:
        times = measure(f"http://localhost:{options.port}", options.repeats)
    finally:
        vite.terminate()
        vite.wait(30)
    print("| crop | ms | ratio |\n| --- | --- | --- |")
    for kind, median in times.items():
        print(f"| {kind} | {median:.2f} | {median / times['as it is']:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
