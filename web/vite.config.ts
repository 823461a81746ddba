import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { viteStaticCopy } from "vite-plugin-static-copy";
import { defineConfig } from "vitest/config";

/** Cross-origin isolation gives the page SharedArrayBuffer, which threaded WebAssembly needs. */
const isolationHeaders = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Tables that the page shares with the server, and nothing else of what lies beside web/. */
const sharedTables = ["../server/emotions.json", "../server/protocol/reconnect.json"];

const backend = "http://localhost:8000";
const proxy = {
  "/ws": { target: backend, ws: true },
  "/v1": backend,
  "/healthz": backend,
  "/readyz": backend,
};

/**
 * TensorFlow.js starts the threads of its WebAssembly backend from the source text of one of its own functions, in
 * which `_scriptDir` is free and guarded by `typeof`. Minifiers take that guard away, since the variable does exist
 * where the function was written, and the threads then die of a ReferenceError. It is never set in a module worker.
 */
function keepThreadedWasmSelfContained(): Plugin {
  return {
    name: "keep-threaded-wasm-self-contained",
    apply: "build",
    transform(code, id) {
      if (!id.endsWith("tfjs-backend-wasm-threaded-simd.js")) return null;
      const guard = 'typeof _scriptDir !== "undefined" && _scriptDir';
      if (!code.includes(guard))
        this.error("TensorFlow.js has changed: see whether this plugin is still needed");
      return code.replaceAll(guard, "false").replaceAll("||_scriptDir,", ",");
    },
  };
}

export default defineConfig({
  // Every address in the built page is relative, so that it also works below a path prefix of a proxy.
  base: "./",
  plugins: [
    react(),
    keepThreadedWasmSelfContained(),
    // The detector's model and the WebAssembly binaries are served from the page's own origin.
    viteStaticCopy({
      targets: [
        { src: "node_modules/@vladmandic/human/models/blazeface.*", dest: "models" },
        { src: "node_modules/@tensorflow/tfjs-backend-wasm/dist/*.wasm", dest: "wasm" },
      ],
    }),
  ],
  worker: { format: "es", plugins: () => [keepThreadedWasmSelfContained()] },
  build: {
    // Into the package, so that checkout, image and wheel serve the same files.
    outDir: "../server/dashboard",
    emptyOutDir: true,
    license: { fileName: "licenses.md" },
    // TensorFlow.js is loaded lazily, in the worker: its chunks are large by nature and block nothing.
    chunkSizeWarningLimit: 1500,
  },
  server: { headers: isolationHeaders, proxy, fs: { allow: [".", ...sharedTables] } },
  preview: { headers: isolationHeaders, proxy },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/i18n/testing.ts"] },
});
