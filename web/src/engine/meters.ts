import type { ResultMessage } from "../stream/protocol";
import { type FrameFate, RateMeter } from "./rate";
import { ReadingsMeter } from "./readings";
import type { Settings } from "./settings/settings";
import type { LiveStores } from "./stores";

/** Keeps the stores of what is measured: answers a second and their age, frames a second and what limits them. */
export class Meters {
  readonly #settings: Settings;
  readonly #stores: LiveStores;
  readonly #readings = new ReadingsMeter();
  readonly #rate = new RateMeter();

  constructor(settings: Settings, stores: LiveStores) {
    this.#settings = settings;
    this.#stores = stores;
  }

  /** An answer is being shown. */
  shown({ captured_at, timing }: ResultMessage, nowMs: number): void {
    this.#readings.add(nowMs, nowMs - (captured_at ?? nowMs), timing);
  }

  /** @param detectMs what a detection has just taken */
  detected(detectMs: number): void {
    this.#readings.detected(detectMs);
  }

  frame(fate: FrameFate): void {
    this.#rate.add(fate, performance.now());
  }

  /**
   * To be called several times a second.
   *
   * @param serverMaxPerSecond frames a second that the server takes from one session; 0 where it has said nothing
   */
  tick(nowMs: number, serverMaxPerSecond: number): void {
    const readings = this.#readings.read(nowMs);
    this.#stores.readings.set(readings);
    this.#stores.rate.set(
      this.#rate.read(performance.now(), {
        intervalMs: this.#settings.values.get().interval,
        serverMaxPerSecond,
        serverMs: readings.timing?.total_ms ?? null,
        ageMs: readings.ageMs,
      }),
    );
  }
}
