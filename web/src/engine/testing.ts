import type { ResultMessage } from "../stream/protocol";
import type { Track } from "../tracking/tracker";

/** For tests: a track at the given place, seen in the latest frame. */
export function trackOf(faceId: number, side = 100): Track {
  const boxXywh = [10 * faceId, 20, side, side] as const;
  return { faceId, boxXywh, smoothXywh: boxXywh, seenAtS: 0, detection: 0 };
}

/** For tests: an answer that sees the given emotion, with 0.8, in each face. */
export function resultOf(faceIds: readonly number[], emotion = "happiness", capturedAtMs = 0): ResultMessage {
  return {
    type: "result",
    frame_id: 0,
    captured_at: capturedAtMs,
    faces: faceIds.map((face_id) => ({
      face_id,
      emotion,
      confidence: 0.8,
      predictions: { [emotion]: 0.8, other: 0.2 },
    })),
    timing: { queue_ms: 0.5, inference_ms: 4, total_ms: 5, batch_size: faceIds.length },
  };
}
