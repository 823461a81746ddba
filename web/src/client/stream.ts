import { type SocketLike, StreamConnection } from "../stream/connection";
import type { ConnectionState } from "../stream/connectionState";
import type { Frame } from "../stream/envelope";
import type { ErrorMessage, Receipt, ResultMessage, SessionConfig, SessionCreated } from "../stream/protocol";
import { socketUrl } from "../stream/socketUrl";

export interface StreamOptions {
  /** Where the server wants one. */
  readonly token?: string;
  /** What each session is to have besides the server's own: smoothing, most faces in a frame. */
  readonly config?: Partial<SessionConfig>;
  /** A class with the browser's interface, for Node below 22: that of the package `ws`. */
  readonly WebSocket?: new (url: string) => SocketLike;
  onState?(state: ConnectionState): void;
  onResult?(result: ResultMessage): void;
  /** Errors that do not end the session: a frame that could not be read, say. */
  onError?(error: ErrorMessage): void;
  onReceipt?(receipt: Receipt): void;
}

/** A stream that comes back by itself after losses, until it is closed. */
export interface EmotionStream {
  readonly state: ConnectionState;
  /** Whether `send` would take a frame now: the session is open, and fewer than two frames are under way. */
  readonly canSend: boolean;
  /** @returns false where the frame was not sent; live video goes on with the next one */
  send(frame: Omit<Frame, "frameId">): boolean;
  updateConfig(config: Partial<SessionConfig>): void;
  /** What this session has sent, and what of it was kept: comes to `onReceipt`. */
  requestReceipt(): void;
  /** The session, once there is one. @throws Error where the server refuses for good, or `close` comes first */
  ready(): Promise<SessionCreated>;
  close(): void;
}

const TICK_MS = 250;

/** @param server its address, such as `https://emo.example` */
export function connect(server: string | URL, options: StreamOptions = {}): EmotionStream {
  const Socket = options.WebSocket ?? (globalThis as { WebSocket?: StreamOptions["WebSocket"] }).WebSocket;
  if (Socket === undefined) {
    throw new Error("there is no WebSocket here: give the class of the package ws as options.WebSocket");
  }
  const url = socketUrl(server, options.token ?? null);
  const watchers = new Set<(state: ConnectionState) => void>();
  const connection = new StreamConnection(
    {
      openSocket: () => new Socket(url),
      now: () => Date.now(),
      schedule: (callback, delayMs) => {
        const timer = setTimeout(callback, delayMs);
        return () => clearTimeout(timer);
      },
      random: () => Math.random(),
    },
    {
      onState: (state) => {
        if (state.kind === "open" && options.config !== undefined) connection.updateConfig(options.config);
        options.onState?.(state);
        for (const watcher of watchers) watcher(state);
      },
      onResult: (result) => options.onResult?.(result),
      onConfig: () => {},
      onError: (error) => options.onError?.(error),
      onReceipt: (receipt) => options.onReceipt?.(receipt),
    },
  );
  const ticker = setInterval(() => connection.tick(), TICK_MS);
  connection.connect();
  return {
    get state() {
      return connection.state;
    },
    get canSend() {
      return connection.canSend;
    },
    send: (frame) => connection.send(frame),
    updateConfig: (config) => connection.updateConfig(config),
    requestReceipt: () => connection.requestReceipt(),
    ready: () =>
      new Promise((resolve, reject) => {
        const look = (state: ConnectionState): void => {
          if (state.kind === "open") resolve(state.session);
          else if (state.kind === "closed") reject(new Error(`the server refuses: ${state.reason}`));
          else if (state.kind === "idle") reject(new Error("the stream was closed"));
          else return;
          watchers.delete(look);
        };
        watchers.add(look);
        look(connection.state);
      }),
    close: () => {
      clearInterval(ticker);
      connection.disconnect();
    },
  };
}
