import { defineConfig } from "vite";

/** The package `@emostream/client`: one file without dependencies, beside the types that tsconfig.client.json makes. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "client/dist",
    emptyOutDir: true,
    target: "es2022",
    minify: false,
    lib: { entry: "src/client/index.ts", formats: ["es"], fileName: "index" },
  },
});
