import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { compression } from "vite-plugin-compression2";
import { defineConfig } from "vitest/config";
import { onlyCompressed } from "./build/onlyCompressed.ts";
import { preloadPage } from "./build/preloadPage.ts";
import { serviceWorkerFiles } from "./build/serviceWorkerFiles.ts";

/** Cross-origin isolation gives the page SharedArrayBuffer, which threaded WebAssembly needs. */
const isolationHeaders = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** What the page shares with the server, and nothing else of what lies beside web/. */
const sharedFiles = [
  "../server/emotions.json",
  "../server/protocol/reconnect.json",
  "../server/detection/face_verifier.safetensors",
];

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

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Names a package's chunk after the package: all of TensorFlow.js would be called "dist". */
function chunkFileNames({ facadeModuleId }: { readonly facadeModuleId: string | null }): string {
  const [, packageName] = /\/node_modules\/(?:@[^/]+\/)?([^/]+)\//.exec(facadeModuleId ?? "") ?? [];
  return `assets/${packageName ?? "[name]"}-[hash].js`;
}

export default defineConfig({
  // Every address in the built page is relative, so that it also works below a path prefix of a proxy.
  base: "./",
  plugins: [
    react(),
    keepThreadedWasmSelfContained(),
    serviceWorkerFiles(),
    preloadPage("page"),
    compression({ include: /^assets\/.+\.(js|css|json|wasm|bin|svg)$/, threshold: 1024, logLevel: "silent" }),
    onlyCompressed(),
  ],
  worker: {
    format: "es",
    plugins: () => [keepThreadedWasmSelfContained()],
    rolldownOptions: { output: { chunkFileNames } },
  },
  resolve: {
    // Files that their packages do not export by name. Imported with ?url they get a hash in theirs.
    alias: {
      "#verifier": path("../server/detection"),
      "#blazeface": path("node_modules/@vladmandic/human/models"),
      "#wasm": path("node_modules/@tensorflow/tfjs-backend-wasm/dist"),
    },
  },
  build: {
    // Into the package, so that checkout, image and wheel serve the same files.
    outDir: "../server/dashboard",
    emptyOutDir: true,
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      input: { index: path("index.html"), sw: path("src/offline/sw.ts") },
      output: {
        chunkFileNames,
        // What every visit needs of packages: one file is smaller than seven.
        codeSplitting: {
          groups: [
            {
              name: "libraries",
              test: /node_modules\/(react|react-dom|scheduler|i18next|react-i18next|valibot)\//,
            },
            { name: "shared", test: /\/src\/(engine|stream|detection|ui\/[^/]+\.ts)/, minShareCount: 2 },
          ],
        },
        // The service worker's address must never change.
        entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
      },
    },
    // TensorFlow.js is loaded lazily, in the worker: its chunks are large by nature and block nothing.
    chunkSizeWarningLimit: 1500,
  },
  server: { headers: isolationHeaders, proxy, fs: { allow: [".", ...sharedFiles] } },
  preview: { headers: isolationHeaders, proxy },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/i18n/testing.ts"] },
});
