import * as tf from "@tensorflow/tfjs-core";
import { type BackendName, reasonOf } from "./backends";
import { createCanvas } from "./canvas";

/** More threads than this gain nothing on a network of this size, and starve the rest of the machine. */
const MAX_WASM_THREADS = 4;

/** Of the backend's WebAssembly, by the names that TensorFlow.js gives to its variants. */
export type WasmUrls = Readonly<Record<`tfjs-backend-wasm${"" | "-simd" | "-threaded-simd"}.wasm`, string>>;

/**
 * Loads the code of a TensorFlow.js backend and makes it the current one.
 *
 * @param wasmUrls absolute addresses
 * @param evenInSoftware whether to take a WebGL that the browser draws without graphics hardware, which is many times
 *   slower than WebAssembly
 * @returns tells, when asked, whether the backend's device has been taken away since
 * @throws Error where the browser lacks it
 */
export async function loadBackend(
  backend: BackendName,
  wasmUrls: WasmUrls,
  evenInSoftware: boolean,
): Promise<() => boolean> {
  switch (backend) {
    case "wasm":
      return await loadWasm(wasmUrls);
    case "webgl":
      return await loadWebGl(evenInSoftware);
    case "webgpu":
      return await loadWebGpu();
    default:
      return backend satisfies never;
  }
}

async function loadWasm(wasmUrls: WasmUrls): Promise<() => boolean> {
  const { setThreadsCount, setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  // Both are only allowed before the first use.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- it is null then, whatever its type says
  if (tf.findBackend("wasm") === null) {
    setWasmPaths(wasmUrls);
    setThreadsCount(Math.min(MAX_WASM_THREADS, navigator.hardwareConcurrency));
  }
  await setBackend("wasm");
  return () => false;
}

async function loadWebGl(evenInSoftware: boolean): Promise<() => boolean> {
  if (!evenInSoftware && !hasGraphicsHardware()) throw new Error("no graphics hardware for WebGL");
  const { MathBackendWebGL } = await import("@tensorflow/tfjs-backend-webgl");
  await setBackend("webgl");
  const current = tf.backend();
  if (!(current instanceof MathBackendWebGL)) throw new Error("WebGL did not start");
  return () => current.gpgpu.gl.isContextLost();
}

/** Asked before the backend's code is loaded, and without it. */
function hasGraphicsHardware(): boolean {
  const canvas: Pick<HTMLCanvasElement, "getContext"> = createCanvas(1, 1) as HTMLCanvasElement;
  return canvas.getContext("webgl2", { failIfMajorPerformanceCaveat: true }) !== null;
}

async function loadWebGpu(): Promise<() => boolean> {
  if (!("gpu" in navigator)) throw new Error("this browser has no WebGPU");
  if ((await navigator.gpu.requestAdapter()) === null) throw new Error("no graphics device for WebGPU");
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  await setBackend("webgpu");
  const current = tf.backend();
  if (!(current instanceof WebGPUBackend)) throw new Error("WebGPU did not start");
  let lost = false;
  void current.device.lost.then(() => {
    lost = true;
  });
  return () => lost;
}

async function setBackend(backend: BackendName): Promise<void> {
  try {
    if (await tf.setBackend(backend)) return;
  } catch (error) {
    throw new Error(`${backend} did not start: ${reasonOf(error)}`, { cause: error });
  }
  throw new Error(`this browser has no ${backend}`);
}
