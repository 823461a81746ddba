import { createHash } from "node:crypto";
import type { Plugin, Rolldown } from "vite";

/** A file that the service worker keeps, as Workbox names it. A null revision: the name itself has a hash. */
export interface PrecacheEntry {
  readonly url: string;
  readonly revision: string | null;
}

/** The service worker's source names the list so. */
const PLACEHOLDER = "__PRECACHE_ENTRIES__";
const SERVICE_WORKER = "sw.js";

/**
 * What the page needs on the way that every browser can take: WebAssembly with threads, in a worker, in Latin
 * letters. All else is kept once it has been loaded.
 */
const KEPT_FROM_THE_START = /^(index\.html|assets\/.+\.(js|css|wasm|bin|json|woff2))$/;
const KEPT_WHEN_LOADED = [
  /\/tfjs-backend-web/,
  /\/tfjs-backend-wasm(-simd)?-[\w-]{8}\.wasm$/,
  /\/geist-(?!latin-wght)/,
];

/** Writes the list of files that work without the server into the built service worker. */
export function serviceWorkerFiles(): Plugin {
  return {
    name: "service-worker-files",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const worker = bundle[SERVICE_WORKER];
        if (worker?.type !== "chunk") this.error(`${SERVICE_WORKER} is not built`);
        if (worker.imports.length > 0) this.error(`${SERVICE_WORKER} shares code with the page`);
        if (!worker.code.includes(PLACEHOLDER)) this.error(`${SERVICE_WORKER} has no ${PLACEHOLDER}`);
        const entries = Object.values(bundle).flatMap(entryOf);
        worker.code = worker.code.replace(PLACEHOLDER, JSON.stringify(entries));
      },
    },
  };
}

function entryOf(file: Rolldown.OutputChunk | Rolldown.OutputAsset): readonly PrecacheEntry[] {
  const url = file.fileName;
  if (!KEPT_FROM_THE_START.test(url) || KEPT_WHEN_LOADED.some((pattern) => pattern.test(url))) return [];
  if (file.type === "chunk" && isDetectorOutsideOfWorker(file)) return [];
  if (url.startsWith("assets/")) return [{ url, revision: null }];
  const content = file.type === "chunk" ? file.code : file.source;
  return [{ url, revision: createHash("sha256").update(content).digest("hex").slice(0, 16) }];
}

/** The page's own TensorFlow.js, for browsers that cannot draw in a worker; the worker's files are assets here. */
function isDetectorOutsideOfWorker(chunk: Rolldown.OutputChunk): boolean {
  return Object.keys(chunk.modules).some((id) => /\/node_modules\/@tensorflow\/.*\.js$/.test(id));
}
