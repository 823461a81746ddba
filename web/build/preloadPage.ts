import type { Plugin } from "vite";

/**
 * Has the browser fetch the page's own code and font with index.html, and not one after the other: the entry
 * imports the page only when it has begun to run, and the font would move the text that it replaces.
 *
 * @param entry the name of the page's chunk
 */
export function preloadPage(entry: string): Plugin {
  return {
    name: "preload-page",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle = {} }) {
        const files = Object.values(bundle);
        const page = files.find((file) => file.type === "chunk" && file.name === entry);
        const font = files.find(({ fileName }) => /geist-latin-wght-normal.*\.woff2$/.test(fileName));
        if (page?.type !== "chunk" || font === undefined)
          throw new Error("the page's files have other names");
        const scripts = [page.fileName, ...page.imports].filter((name) => !html.includes(name));
        const link = (fileName: string, attrs: Record<string, string | boolean>) => ({
          tag: "link",
          injectTo: "head" as const,
          attrs: { ...attrs, crossorigin: true, href: `./${fileName}` },
        });
        return [
          link(font.fileName, { rel: "preload", as: "font", type: "font/woff2" }),
          ...scripts.map((name) => link(name, { rel: "modulepreload" })),
        ];
      },
    },
  };
}
