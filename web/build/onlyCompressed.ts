import { readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Plugin } from "vite";

/**
 * Removes each file that is there as Brotli and as gzip, too. The server sends one of those, and unpacks the
 * latter for the rare client that takes neither: so the package holds each file's content twice and not three times.
 */
export function onlyCompressed(): Plugin {
  let folder = "";
  return {
    name: "only-compressed",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle: {
      order: "post",
      sequential: true,
      async handler() {
        const names = new Set(await readdir(folder, { recursive: true }));
        for (const name of names) {
          if (names.has(`${name}.br`) && names.has(`${name}.gz`)) await rm(join(folder, name));
        }
      },
    },
  };
}
