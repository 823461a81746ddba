import modelUrl from "#blazeface/blazeface.json?url";
import weightsUrl from "#blazeface/blazeface.bin?url";
import verifierUrl from "#verifier/face_verifier.safetensors?url";
import wasmUrl from "#wasm/tfjs-backend-wasm.wasm?url";
import wasmSimdUrl from "#wasm/tfjs-backend-wasm-simd.wasm?url";
import wasmThreadedUrl from "#wasm/tfjs-backend-wasm-threaded-simd.wasm?url";
import type { DetectorAssets } from "./tfRuntime";

/** The detector's model and WebAssembly, served from the page's own origin under names with a hash. */
export function detectorAssets(page: URL): DetectorAssets {
  const absolute = (url: string) => new URL(url, page).href;
  return {
    modelUrl: absolute(modelUrl),
    weightsUrl: absolute(weightsUrl),
    verifierUrl: absolute(verifierUrl),
    wasmUrls: {
      "tfjs-backend-wasm.wasm": absolute(wasmUrl),
      "tfjs-backend-wasm-simd.wasm": absolute(wasmSimdUrl),
      "tfjs-backend-wasm-threaded-simd.wasm": absolute(wasmThreadedUrl),
    },
  };
}
