import { describe, expect, it } from "vitest";
import { parseServerMessage } from "./protocol";

const RESULT = {
  type: "result",
  frame_id: 7,
  captured_at: 1790000000123.4,
  faces: [
    {
      face_id: 3,
      box: [412, 96, 180, 180],
      emotion: "happiness",
      confidence: 0.93,
      predictions: { happiness: 0.93, anger: 0.07 },
    },
  ],
  predictions: { happiness: 0.93, anger: 0.07 },
  emotion: "happiness",
  timing: { queue_ms: 0.7, inference_ms: 4.2, total_ms: 5.6, batch_size: 6 },
};

const parse = (value: unknown) => parseServerMessage(JSON.stringify(value));

describe("parseServerMessage", () => {
  it("reads a result", () => {
    expect(parse(RESULT)).toMatchObject({ type: "result", frame_id: 7, faces: RESULT.faces });
  });

  it("reads how well a face can be seen, and whether it is uncertain, where the server says so", () => {
    const quality = { sharpness: 0.03, brightness: 0.4, size_px: 27, roll_deg: 3.5 };
    const face = { ...RESULT.faces[0], quality, uncertain: true, reasons: ["small", "of a later version"] };
    expect(parse({ ...RESULT, faces: [face] })).toMatchObject({ faces: [face] });
  });

  it("ignores fields that it does not know", () => {
    expect(parse({ ...RESULT, mood_of_the_server: "sunny" })).not.toHaveProperty("mood_of_the_server");
  });

  it("reads a result without faces", () => {
    expect(parse({ ...RESULT, faces: [], predictions: null, emotion: null })).toMatchObject({ faces: [] });
  });

  it("reads an error about no frame in particular", () => {
    expect(parse({ type: "error", code: "unauthorized", message: "no token" })).toEqual({
      type: "error",
      code: "unauthorized",
      message: "no token",
      retryable: false,
    });
  });

  it.each([
    ["a type that it does not know", { type: "session.renamed", name: "x" }],
    ["a result without timing", { ...RESULT, timing: undefined }],
    ["a result whose frame_id is text", { ...RESULT, frame_id: "7" }],
    ["a list", []],
    ["null", null],
  ])("gives null for %s", (_, value) => {
    expect(parse(value)).toBeNull();
  });

  it("gives null for what is no JSON", () => {
    expect(parseServerMessage("hello")).toBeNull();
  });
});
