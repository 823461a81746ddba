import type { BoxXywh, SizePx } from "../detection/box";
import type { BoxesView } from "../engine/stores";
import { fitted, placeLabels } from "./placing";

/** Between a tag and its box, and between a box and the picture's edge, in CSS pixels. */
const TAG_GAP_PX = 7;
const EDGE_PX = 2;

interface Placed {
  readonly box: HTMLElement;
  readonly tag: HTMLElement;
  /** The number of the tag's place; see `placeLabels`. */
  kept?: number;
}

/**
 * Moves boxes and their tags over the picture, many times a second and past React: boxes inside of the picture, tags
 * inside of it and apart from each other. Sizes are observed and kept, so that moving asks the browser for no layout.
 */
export class OverlayLayout {
  readonly #faces = new Map<number, Placed>();
  readonly #sizes = new Map<Element, SizePx>();
  readonly #observer: ResizeObserver;
  #overlay: Element | null = null;
  #view: BoxesView | null = null;
  #mirrored = true;

  constructor() {
    this.#observer = new ResizeObserver((entries) => {
      for (const { target, borderBoxSize } of entries) {
        const [size] = borderBoxSize;
        if (size !== undefined) this.#sizes.set(target, { width: size.inlineSize, height: size.blockSize });
      }
      this.#moveAll();
    });
  }

  /** Keeps to this picture's size until the returned function is called. */
  attach(overlay: Element): () => void {
    this.#overlay = overlay;
    this.#observer.observe(overlay);
    return () => {
      this.#overlay = null;
      this.#forget(overlay);
    };
  }

  /** Moves this face's box and tag until the returned function is called. */
  add(faceId: number, box: HTMLElement, tag: HTMLElement): () => void {
    this.#faces.set(faceId, { box, tag });
    this.#observer.observe(tag);
    this.#moveAll();
    return () => {
      this.#faces.delete(faceId);
      this.#forget(tag);
    };
  }

  /** @param mirrored whether the picture is shown as in a mirror; boxes are of the frame as it is */
  show(view: BoxesView, mirrored: boolean): void {
    this.#view = view;
    this.#mirrored = mirrored;
    this.#moveAll();
  }

  dispose(): void {
    this.#observer.disconnect();
  }

  #forget(element: Element): void {
    this.#observer.unobserve(element);
    this.#sizes.delete(element);
  }

  #moveAll(): void {
    const size = this.#overlay && this.#sizes.get(this.#overlay);
    if (!size || this.#view === null) return;
    const { frame, boxes } = this.#view;
    const scaleX = size.width / frame.width;
    const scaleY = size.height / frame.height;
    const faces = boxes.flatMap(({ faceId, boxXywh: [x, y, width, height] }) => {
      const placed = this.#faces.get(faceId);
      if (placed === undefined) return [];
      const left = this.#mirrored ? frame.width - x - width : x;
      const shown: BoxXywh = [left * scaleX, y * scaleY, width * scaleX, height * scaleY];
      const boxXywh = fitted(shown, size, EDGE_PX);
      const label = this.#sizes.get(placed.tag) ?? { width: 0, height: 0 };
      return [{ placed, boxXywh, label, kept: placed.kept }];
    });
    const places = placeLabels(size, faces, TAG_GAP_PX);
    faces.forEach(({ placed, boxXywh: [x, y, width, height] }, index) => {
      const place = places[index];
      if (place === undefined) return;
      placed.kept = place.number;
      placed.box.style.width = `${width}px`;
      placed.box.style.height = `${height}px`;
      placed.box.style.transform = `translate(${x}px, ${y}px)`;
      placed.tag.style.transform = `translate(${place.x - x}px, ${place.y - y}px)`;
    });
  }
}
