/** A tensor of a file of weights. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** As many as the shape has, the last axis fastest. */
  readonly values: Float32Array;
}

/** Of the header's length, at the file's beginning. */
const LENGTH_BYTES = 8;

/** The header's own, of what is not a tensor. */
const METADATA = "__metadata__";

/**
 * All tensors of a safetensors file: the header's length in 8 bytes, a JSON header with each tensor's type, shape and
 * place, and the values, all little-endian (https://huggingface.co/docs/safetensors). Types F16 and F32.
 *
 * @throws RangeError where it is none, is cut off, or has a tensor of another type
 */
export function readSafetensors(file: ArrayBuffer): ReadonlyMap<string, StoredTensor> {
  const view = new DataView(file);
  if (file.byteLength < LENGTH_BYTES) throw new RangeError("the file of weights is cut off");
  const start = LENGTH_BYTES + Number(view.getBigUint64(0, true));
  if (start > file.byteLength) throw new RangeError("the file of weights is cut off");
  const header: unknown = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, start - LENGTH_BYTES)));
  const entries = Object.entries(header as Record<string, HeaderEntry>).filter(([name]) => name !== METADATA);
  return new Map(entries.map(([name, entry]) => [name, tensorOf(view, start, name, entry)]));
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [from: number, to: number];
}

function tensorOf(
  view: DataView,
  start: number,
  name: string,
  { dtype, shape, data_offsets: [from, to] }: HeaderEntry,
): StoredTensor {
  if (dtype !== "F16" && dtype !== "F32") throw new RangeError(`${name} is of type ${dtype}`);
  const [bytes, read] =
    dtype === "F16"
      ? [2, (at: number) => halfPrecision(view.getUint16(at, true))]
      : [4, (at: number) => view.getFloat32(at, true)];
  const count = shape.reduce((product, side) => product * side, 1);
  if (to - from !== count * bytes) throw new RangeError(`${name} does not have the size of its shape`);
  if (start + to > view.byteLength) throw new RangeError("the file of weights is cut off");
  return {
    shape,
    values: Float32Array.from({ length: count }, (_, index) => read(start + from + bytes * index)),
  };
}

/** The number that 16 bits stand for, as IEEE 754 has it; browsers do not all have Float16Array yet. */
function halfPrecision(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
