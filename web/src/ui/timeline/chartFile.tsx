import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import { ChartSvg, type ChartSvgProps } from "./ChartSvg";

/** Pixels of a PNG for each unit of the drawing: sharp in print. */
const PNG_SCALE = 2;

/** The chart as an SVG file. */
export function chartSvgFile(props: ChartSvgProps): Blob {
  const host = document.createElement("div");
  const root = createRoot(host);
  flushSync(() => root.render(<ChartSvg {...props} />));
  const drawing = host.firstElementChild;
  if (drawing === null) throw new Error("the chart could not be drawn");
  const text = new XMLSerializer().serializeToString(drawing);
  root.unmount();
  return new Blob([text], { type: "image/svg+xml" });
}

/** The same drawing in pixels. */
export async function chartPngFile(props: ChartSvgProps): Promise<Blob> {
  const url = URL.createObjectURL(chartSvgFile(props));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.width * PNG_SCALE;
    canvas.height = image.height * PNG_SCALE;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) =>
        blob === null ? reject(new Error("the chart could not be encoded")) : resolve(blob),
      );
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}
