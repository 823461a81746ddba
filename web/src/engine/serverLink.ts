import { type ConnectionEnvironment, StreamConnection } from "../stream/connection";
import type { ConnectionState } from "../stream/connectionState";
import type { Frame } from "../stream/envelope";
import { allowedIntervalMs } from "../stream/interval";
import { facesPerFrame, wantedFaces } from "../stream/pacing";
import type { ResultMessage, SessionConfig, SessionCreated } from "../stream/protocol";
import { fetchAbout } from "./about";
import { ConfigSync } from "./configSync";
import { withReceipt } from "./receipts";
import type { Settings } from "./settings/settings";
import { onChange } from "./store";
import type { LiveStores } from "./stores";

/** A session that breaks off has its receipt from then at the earliest. */
const RECEIPT_EVERY_MS = 10_000;

export interface ServerLinkOptions {
  readonly settings: Settings;
  readonly stores: LiveStores;
  readonly stream: ConnectionEnvironment;
  /** Where `/v1/about` is asked for. */
  readonly server: () => string | URL;
  readonly onState: (state: ConnectionState) => void;
  /** A session has begun or has another configuration. */
  readonly onSession: (session: SessionCreated) => void;
  readonly onResult: (result: ResultMessage) => void;
}

/** The stream to the server that the settings name, and the stores of what the server says of itself and of the session. */
export class ServerLink {
  readonly #options: ServerLinkOptions;
  readonly #connection: StreamConnection;
  readonly #config: ConfigSync;
  #receiptAtMs = 0;

  constructor(options: ServerLinkOptions) {
    this.#options = options;
    const { settings, stores, stream } = options;
    this.#connection = new StreamConnection(stream, {
      onState: (state) => this.#onState(state),
      onResult: options.onResult,
      onConfig: (config) => this.#onConfig(config),
      onError: (error) => stores.streamError.set(error),
      onReceipt: (receipt) => stores.receipts.set(withReceipt(stores.receipts.get(), receipt)),
    });
    this.#config = new ConfigSync(settings, (config) => this.#connection.updateConfig(config));
    void this.#askAbout();
    onChange(
      settings.values,
      ({ server }) => server,
      () => {
        stores.about.set(null);
        void this.#askAbout();
        this.#connectAnew();
      },
    );
    settings.token.subscribe(() => this.#connectAnew());
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** How many faces a frame that is sent now may carry; 0 where none can be sent. */
  get cropLimit(): number {
    const session = this.#options.stores.session.get();
    if (session === null || !this.#connection.canSend) return 0;
    return facesPerFrame(session);
  }

  /** Time between two frames that are sent, in ms: as the settings wish and the server allows. */
  get intervalMs(): number {
    return allowedIntervalMs(this.#options.settings.values.get().interval, this.maxFramesPerSecond);
  }

  /** What the server takes from one session; 0 where it has said nothing. */
  get maxFramesPerSecond(): number {
    return this.#options.stores.session.get()?.limits.max_frames_per_second ?? 0;
  }

  connect(): void {
    this.#connection.connect();
  }

  disconnect(): void {
    this.#connection.disconnect();
  }

  /** @returns whether the frame was sent */
  send(frame: Omit<Frame, "frameId">): boolean {
    return this.#connection.send(frame);
  }

  /** To be called several times a second. */
  tick(nowMs: number): void {
    this.#connection.tick();
    if (this.state.kind !== "open" || nowMs - this.#receiptAtMs < RECEIPT_EVERY_MS) return;
    this.#receiptAtMs = nowMs;
    this.#connection.requestReceipt();
  }

  #onState(state: ConnectionState): void {
    const { stores, onState, onSession } = this.#options;
    stores.connection.set(state);
    onState(state);
    if (state.kind !== "open") {
      this.#config.onEnd();
      return;
    }
    this.#receiptAtMs = Date.now();
    stores.session.set(state.session);
    stores.streamError.set(null);
    onSession(state.session);
    const { config, limits } = state.session;
    this.#config.onSession(config, () => wantedFaces(limits.max_faces, this.intervalMs));
    if (stores.about.get() === null) void this.#askAbout();
  }

  #onConfig(config: SessionConfig): void {
    const { stores, onSession } = this.#options;
    const session = stores.session.get();
    if (session === null) return;
    const changed = { ...session, config };
    stores.session.set(changed);
    this.#config.onConfig(config);
    onSession(changed);
  }

  #connectAnew(): void {
    if (this.state.kind === "idle") return;
    this.#connection.disconnect();
    this.#connection.connect();
  }

  async #askAbout(): Promise<void> {
    const { server, stores } = this.#options;
    const asked = String(server());
    const about = await fetchAbout(server());
    if (asked === String(server())) stores.about.set(about);
  }
}
