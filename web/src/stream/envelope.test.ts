import { describe, expect, it } from "vitest";
import { encodeEnvelope } from "./envelope";

const bytes = (...values: number[]): ArrayBuffer => Uint8Array.from(values).buffer;

function decode(message: ArrayBuffer): { header: unknown; images: number[] } {
  const headerLength = new DataView(message).getUint32(0, true);
  const header: unknown = JSON.parse(new TextDecoder().decode(message.slice(4, 4 + headerLength)));
  return { header, images: [...new Uint8Array(message.slice(4 + headerLength))] };
}

describe("encodeEnvelope", () => {
  it("puts the header's length, the header and the images behind one another", () => {
    const message = encodeEnvelope({
      frameId: 1207,
      capturedAtMs: 1790000000123.4,
      faces: [
        { faceId: 3, boxXywh: [412.4, 95.6, 180, 180.2], image: bytes(1, 2, 3) },
        { faceId: 5, boxXywh: [90, 120, 150, 150], image: bytes(4, 5) },
      ],
    });
    expect(decode(message)).toEqual({
      header: {
        frame_id: 1207,
        captured_at: 1790000000123.4,
        faces: [
          { face_id: 3, length: 3, box: [412, 96, 180, 180] },
          { face_id: 5, length: 2, box: [90, 120, 150, 150] },
        ],
      },
      images: [1, 2, 3, 4, 5],
    });
  });

  it("says where the landmarks are, and how large the frame is, where that is known", () => {
    const face = { faceId: 3, boxXywh: [-4.4, 0, 100, 100] as const, image: bytes(1) };
    const message = encodeEnvelope({
      frameId: 1,
      capturedAtMs: 0,
      size: { width: 640, height: 480 },
      faces: [{ ...face, landmarksXy: [[10.04, -20.26]] }],
    });
    expect(decode(message).header).toMatchObject({
      frame_size: [640, 480],
      faces: [{ box: [-4, 0, 100, 100], landmarks: [[10, -20.3]] }],
    });
  });

  it("says by how much a crop was turned, where it was", () => {
    const face = { faceId: 3, boxXywh: [0, 0, 100, 100] as const, image: bytes(1) };
    const faces = [{ ...face, turnDeg: -34.56 }, { ...face, turnDeg: 0 }, face];
    expect(decode(encodeEnvelope({ frameId: 1, capturedAtMs: 0, faces })).header).toMatchObject({
      faces: [
        { turn_deg: -34.6 },
        expect.not.objectContaining({ turn_deg: 0 }),
        expect.not.objectContaining({ turn_deg: 0 }),
      ],
    });
  });

  it("refuses a header that the server would refuse", () => {
    const faces = Array.from({ length: 500 }, (_, faceId) => ({
      faceId,
      boxXywh: [100, 100, 100, 100] as const,
      image: bytes(1),
    }));
    expect(() => encodeEnvelope({ frameId: 1, capturedAtMs: 0, faces })).toThrow(RangeError);
  });
});
