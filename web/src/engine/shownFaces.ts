import type { SizePx } from "../detection/box";
import type { ResultMessage } from "../stream/protocol";
import type { Track } from "../tracking/tracker";
import { FaceBook, sameView } from "./faces";
import type { Settings } from "./settings/settings";
import { onChange } from "./store";
import type { LiveStores } from "./stores";

const ANNOUNCE_EVERY_MS = 2000;

/** Keeps the stores of the faces that are in view at what the tracker sees and the server answers. */
export class ShownFaces {
  readonly #stores: LiveStores;
  readonly #isStill: () => boolean;
  readonly #book = new FaceBook();
  #announcedAtMs = 0;

  /** @param isStill whether the picture does not move */
  constructor(settings: Settings, stores: LiveStores, isStill: () => boolean) {
    this.#stores = stores;
    this.#isStill = isStill;
    const { interval, threshold } = settings.values.get();
    this.#book.setInterval(interval);
    this.#book.setThreshold(threshold);
    onChange(
      settings.values,
      (values) => values.interval,
      (intervalMs) => this.#book.setInterval(intervalMs),
    );
    onChange(
      settings.values,
      (values) => values.threshold,
      (confidence) => this.#book.setThreshold(confidence),
    );
  }

  /** Whether any face is in view. */
  get areThere(): boolean {
    return this.#book.boxes.length > 0;
  }

  /** How many faces a frame may carry to the server. */
  setPerFrame(perFrame: number): void {
    this.#book.setPerFrame(perFrame);
  }

  /**
   * @param nowS time of the frame, on the clock of the tracks' `seenAtS`
   * @returns whether faces came or went
   */
  setTracks(tracks: readonly Track[], frame: SizePx, nowS: number): boolean {
    const changed = this.#book.setTracks(tracks, nowS);
    this.#stores.boxes.set({ frame, boxes: this.#book.boxes });
    if (changed) this.show();
    return changed;
  }

  /** The faces of one source are not those of the next. */
  forget(): void {
    this.setTracks([], this.#stores.boxes.get().frame, 0);
    this.show();
  }

  addResult(result: ResultMessage, nowMs: number): void {
    this.#book.addResult(result, nowMs);
  }

  /** Whether each face in view has an answer about a picture that was taken then or later, in Unix time in ms. */
  isAnsweredSince(capturedAtMs: number): boolean {
    return this.#book.isAnsweredSince(capturedAtMs);
  }

  /** Shows this face's details as long as it is there; null goes back to the largest. */
  choose(faceId: number | null): void {
    this.#book.choose(faceId);
    this.show();
  }

  show(): void {
    const view = this.#book.view(Date.now(), this.#isStill());
    if (!sameView(view, this.#stores.faces.get())) this.#stores.faces.set(view);
  }

  /** To be called several times a second: answers go stale, and those who hear the page are told of faces. */
  tick(nowMs: number): void {
    this.show();
    if (nowMs - this.#announcedAtMs < ANNOUNCE_EVERY_MS || this.#stores.source.get().kind !== "live") return;
    this.#announcedAtMs = nowMs;
    this.#stores.announcement.set(this.#stores.faces.get());
  }
}
