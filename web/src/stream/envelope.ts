import type { BoxXywh, PointXy, SizePx } from "../detection/box";

/** One face of a frame: its crop as an image file, and where the detector saw it. */
export interface FaceCrop {
  readonly faceId: number;
  readonly boxXywh: BoxXywh;
  /** In pixels of the frame; see `Detection`. */
  readonly landmarksXy?: readonly PointXy[] | undefined;
  /** By how much the crop was turned upright, in degrees; see `cropTurn`. */
  readonly turnDeg?: number | undefined;
  readonly image: ArrayBuffer;
}

export interface Frame {
  /** Unsigned, below 2^53. */
  readonly frameId: number;
  /** Unix time in ms. */
  readonly capturedAtMs: number;
  /** Of the frame that the boxes are in. */
  readonly size?: SizePx | undefined;
  readonly faces: readonly FaceCrop[];
}

const LENGTH_BYTES = 4;
const MAX_HEADER_BYTES = 16_384;

/**
 * The binary message that carries a frame: the header's length as u32, little-endian, the header as UTF-8 JSON,
 * then the images, back to back, in the header's order.
 *
 * @throws RangeError where the header is longer than the protocol allows
 */
export function encodeEnvelope({ frameId, capturedAtMs, size, faces }: Frame): ArrayBuffer {
  const header = new TextEncoder().encode(
    JSON.stringify({
      frame_id: frameId,
      captured_at: capturedAtMs,
      // JSON leaves out what is undefined.
      frame_size: size && [size.width, size.height],
      faces: faces.map(({ faceId, image, boxXywh, landmarksXy, turnDeg = 0 }) => ({
        face_id: faceId,
        length: image.byteLength,
        box: boxXywh.map(Math.round),
        landmarks: landmarksXy?.map((point) => point.map(toTenths)),
        turn_deg: turnDeg === 0 ? undefined : toTenths(turnDeg),
      })),
    }),
  );
  if (header.byteLength > MAX_HEADER_BYTES) {
    throw new RangeError(`the header has ${header.byteLength} bytes, of at most ${MAX_HEADER_BYTES}`);
  }
  const imageBytes = faces.reduce((sum, { image }) => sum + image.byteLength, 0);
  const message = new Uint8Array(LENGTH_BYTES + header.byteLength + imageBytes);
  new DataView(message.buffer).setUint32(0, header.byteLength, true);
  message.set(header, LENGTH_BYTES);
  let offset = LENGTH_BYTES + header.byteLength;
  for (const { image } of faces) {
    message.set(new Uint8Array(image), offset);
    offset += image.byteLength;
  }
  return message.buffer;
}

function toTenths(value: number): number {
  return Math.round(10 * value) / 10;
}
