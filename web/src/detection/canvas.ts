export type Canvas2d = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** A 2-D drawing surface of the given size in pixels, off screen; works in a worker and on the main thread. */
export function createCanvas2d(
  width: number,
  height: number,
  settings?: CanvasRenderingContext2DSettings,
): Canvas2d {
  const canvas: { getContext(kind: "2d", settings?: CanvasRenderingContext2DSettings): Canvas2d | null } =
    createCanvas(width, height);
  const context = canvas.getContext("2d", settings);
  if (context === null) throw new Error("this browser gives no 2-D canvas");
  return context;
}

export function createCanvas(width: number, height: number): OffscreenCanvas | HTMLCanvasElement {
  return typeof OffscreenCanvas === "undefined"
    ? Object.assign(document.createElement("canvas"), { width, height })
    : new OffscreenCanvas(width, height);
}

/** What was drawn, as a JPEG file. `quality` in [0, 1]. */
export async function toJpeg(context: Canvas2d, quality: number): Promise<ArrayBuffer> {
  const blob = await toBlob(context.canvas, "image/jpeg", quality);
  return await blob.arrayBuffer();
}

function toBlob(canvas: OffscreenCanvas | HTMLCanvasElement, type: string, quality: number): Promise<Blob> {
  if ("convertToBlob" in canvas) return canvas.convertToBlob({ type, quality });
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error("the picture could not be encoded")) : resolve(blob)),
      type,
      quality,
    );
  });
}
