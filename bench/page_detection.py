"""Which faces the page finds, of the sets of ``bench.detection``: its own detector and tracker in Chromium.

    python -m bench.page_detection photographs.tar
    python -m bench.page_detection photographs.tar --half choice      # the half to choose by

Each image is shown for some frames, as a camera would. A face is found if the tracker has it in the last
frame, with an intersection over union of 0.3 with the reference; a false face is one that the tracker has
numbered in any frame. "Upright" is the part of the found faces whose crop is within 30° of upright. Prints
a table, and what a frame costs, as a multiple of one look without a verifier, measured in turn with it.
"""

import argparse
import base64
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from emostream.detection.blazeface import Pixels
from emostream.detection.detector import FaceDetector
from emostream.imaging.boxes import ious
from emostream.process import configure_process
from emostream.settings import read_settings

from bench.detection import Example, conditions, photographs, scenes_640, with_reference, without_faces
from bench.page_worker import Ask, page_worker

_MIN_IOU = 0.3
_MAX_ASKEW_DEG = 30

#: Frames of 0.1 s before anything counts: the page loads the verifier a few seconds after the first face.
_WARM_UP = 60

#: Time between two frames, in s.
_INTERVAL_S = 0.1

_WORKER = """
import { FrameAnalyser } from "ORIGIN/src/detection/analyser.ts";
import { detectorAssets } from "ORIGIN/src/detection/assets.ts";
import { FaceTracker } from "ORIGIN/src/tracking/tracker.ts";
const assets = detectorAssets(new URL("ORIGIN/"));
const analyser = new FrameAnalyser({ backend: "wasm", assets, evenInSoftware: false });
await analyser.start();
// Where it cannot be loaded, a frame with a face costs one look.
const withoutVerifier = { ...assets, verifierUrl: "data:," };
const alone = new FrameAnalyser({ backend: "wasm", assets: withoutVerifier, evenInSoftware: false });
await alone.start();
let nowS = 0;
// Of a frame of another size the page remembers nothing.
const between = await createImageBitmap(new ImageData(64, 64));
self.onmessage = async ({ data: { png, frames, measure } }) => {
  const frame = await createImageBitmap(await (await fetch(png)).blob());
  await analyser.analyse(between, between);
  const tracker = new FaceTracker();
  const ids = new Set();
  const times = [];
  const lookTimes = [];
  let seen = [];
  for (let count = 0; count < frames; count++) {
    nowS += INTERVAL;
    const { detections, detectMs } = await analyser.analyse(frame, frame);
    times.push(detectMs);
    if (measure) lookTimes.push((await alone.analyse(frame, frame)).detectMs);
    const tracks = tracker.update(detections, nowS);
    tracks.forEach(({ faceId }) => ids.add(faceId));
    seen = tracks.filter(({ detection }) => detection !== null)
      .map(({ boxXywh, detection }) => [boxXywh, detections[detection].turnDeg ?? 0]);
  }
  frame.close();
  postMessage({ seen, ids: ids.size, times, lookTimes });
};
postMessage("ready");
"""


def shown(ask: Ask, image: Pixels, frames: int, *, measure: bool = False) -> dict[str, Any]:
    """What the page makes of an image uint8 (H, W, 3) RGB that it sees for so many frames.

    With ``measure`` the same frame is also looked at once more each time, without a verifier.
    """
    png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
    address = "data:image/png;base64," + base64.b64encode(png).decode()
    answer: dict[str, Any] = ask({"png": address, "frames": frames, "measure": measure})
    return answer


def turn_deg(condition: str) -> float:
    """By how much the faces of a condition are turned, clockwise."""
    if "turned by" not in condition:
        return 0.0
    return -float(condition.split("turned by ")[1].removesuffix("°"))


def found(ask: Ask, examples: list[Example], frames: int, expected_deg: float) -> tuple[float, float]:
    """The part of faces that were found, and that of those with an upright crop."""
    hits = upright = 0
    for example in examples:
        reference = np.array([example.box_xywh], np.float32)
        for box, turn in shown(ask, example.image, frames)["seen"]:
            if ious(np.array([box], np.float32), reference)[0, 0] >= _MIN_IOU:
                hits += 1
                upright += abs((turn - expected_deg + 180) % 360 - 180) <= _MAX_ASKEW_DEG
                break
    return hits / len(examples), upright / max(hits, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photographs", type=Path, help="a tar file of JPEG files")
    parser.add_argument("--half", choices=("choice", "report"), default="report")
    parser.add_argument("--number", type=int, default=40, help="photographs for each condition")
    parser.add_argument("--frames", type=int, default=8, help="frames for which the page sees each image")
    parser.add_argument("--scenes", action="store_true", help="also in scenes of 640 × 480")
    parser.add_argument("--only", default="", help="only conditions with this in their names")
    parser.add_argument("--port", type=int, default=5199)
    options = parser.parse_args()
    configure_process()
    settings = read_settings()
    network = FaceDetector.load(settings.faces_dir, settings.min_face_px).network
    examples: list[Example] = []
    for image in photographs(options.photographs, options.half):
        if (example := with_reference(image, network)) is not None:
            examples.append(example)
        if len(examples) == options.number:
            break
    with page_worker(_WORKER.replace("INTERVAL", str(_INTERVAL_S)), options.port) as (_, ask):
        for _ in range(_WARM_UP):
            shown(ask, examples[0].image, 1)
            time.sleep(0.1)
        print(f"{len(examples)} photographs, half: {options.half}, {options.frames} frames each\n")
        print("| | found | of those upright |\n| --- | --- | --- |")
        for name, make in conditions(np.random.default_rng(1)).items():
            if "px" in name or ("scene" in name and not options.scenes) or options.only not in name:
                continue
            part, upright = found(ask, [make(one) for one in examples], options.frames, turn_deg(name))
            print(f"| {name} | {part:.2f} | {upright:.2f} |", flush=True)
        empty = without_faces(options.half)
        false = sum(shown(ask, image, options.frames)["ids"] for image in empty)
        print(f"| false faces in {len(empty)} images without any | {false} | |")
        # The first has a face, of which the detector alone is sure at one look.
        look = 0.0
        for name, image in scenes_640().items():
            answer = shown(ask, image, 120, measure=look == 0)
            times = answer["times"]
            look = look or float(np.mean(answer["lookTimes"]))
            print(
                f"| 640 × 480, {name} | median {np.median(times):.1f} ms, mean {np.mean(times):.1f} ms,"
                f" {np.mean(times) / look:.2f} looks a frame | |"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
