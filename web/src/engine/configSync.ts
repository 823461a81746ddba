import type { SessionConfig } from "../stream/protocol";
import type { Settings } from "./settings/settings";

/** Sliders change many times a second; the server is told once they rest, in ms. */
const DELAY_MS = 150;

/** Keeps the server's configuration of a session at what the settings say, where they say anything. */
export class ConfigSync {
  readonly #settings: Settings;
  readonly #send: (config: Partial<SessionConfig>) => void;
  #current: SessionConfig | null = null;
  #usualFaces: () => number = () => 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(settings: Settings, send: (config: Partial<SessionConfig>) => void) {
    this.#settings = settings;
    this.#send = send;
    settings.values.subscribe(() => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#update(), DELAY_MS);
    });
  }

  /**
   * A session begins.
   *
   * @param config the server's own
   * @param usualFaces how many faces a frame is to carry where no setting says it
   */
  onSession(config: SessionConfig, usualFaces: () => number = () => config.max_faces): void {
    this.#current = config;
    this.#usualFaces = usualFaces;
    this.#update();
  }

  /** The session has this configuration now. */
  onConfig(config: SessionConfig): void {
    this.#current = config;
  }

  /** The session is over: the next one begins with the server's own configuration. */
  onEnd(): void {
    this.#current = null;
  }

  #update(): void {
    if (this.#current === null) return;
    const { smoothing, faces } = this.#settings.values.get();
    const change: { smoothing?: number; max_faces?: number } = {};
    if (smoothing !== null && smoothing !== this.#current.smoothing) change.smoothing = smoothing;
    const wanted = faces ?? this.#usualFaces();
    if (wanted !== this.#current.max_faces) change.max_faces = wanted;
    if (Object.keys(change).length > 0) this.#send(change);
  }
}
