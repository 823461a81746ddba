import { reconnectDelayMs } from "./backoff";
import { afterEnding, type ConnectionState, type Ending } from "./connectionState";
import { encodeEnvelope, type Frame } from "./envelope";
import { InFlight } from "./inFlight";
import {
  type ClientMessage,
  type ErrorMessage,
  parseServerMessage,
  type Receipt,
  type ResultMessage,
  type SessionConfig,
} from "./protocol";

/** The part of a WebSocket that is used here. */
export interface SocketLike {
  readonly readyState: number;
  binaryType: BinaryType;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: string | ArrayBuffer): void;
  close(code?: number): void;
}

/** The outer world, handed in so that tests can do without it. */
export interface ConnectionEnvironment {
  openSocket(): SocketLike;
  now(): number;
  /** @returns cancels the call */
  schedule(callback: () => void, delayMs: number): () => void;
  /** In [0, 1). */
  random(): number;
}

export interface ConnectionListener {
  onState(state: ConnectionState): void;
  onResult(result: ResultMessage): void;
  onConfig(config: SessionConfig): void;
  /** Errors that do not end the session. */
  onError(error: ErrorMessage): void;
  /** After `requestReceipt`, and where the server ends a session. */
  onReceipt?(receipt: Receipt): void;
}

/** `WebSocket.OPEN`, which tests have no browser for. */
const SOCKET_OPEN = 1;

/** A socket without `session.created` is given up after this, in ms. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The server's last words are waited for so long after a goodbye, in ms. */
const GOODBYE_TIMEOUT_MS = 2000;

/** A session that held this long starts the waiting times anew, in ms. */
const STABLE_AFTER_MS = 5000;

/** So many frames in a row without an answer mean that the line is dead, which a browser may not notice for minutes. */
const DEAD_AFTER_UNANSWERED = 4;

/**
 * The stream to the server: one session at a time, opened again by the protocol's rules for as long as it is wanted.
 *
 * Written here rather than taken from a reconnecting-socket library: those tell neither when the next attempt is due
 * nor which error came before a close code, add no jitter, and queue messages, which live video must not.
 */
export class StreamConnection {
  readonly #environment: ConnectionEnvironment;
  readonly #listener: ConnectionListener;
  readonly #inFlight = new InFlight();
  #state: ConnectionState = { kind: "idle" };
  #socket: SocketLike | null = null;
  #cancelTimer: () => void = () => {};
  #failures = 0;
  #openedAtMs = 0;
  #unanswered = 0;
  #nextFrameId = 0;

  constructor(environment: ConnectionEnvironment, listener: ConnectionListener) {
    this.#environment = environment;
    this.#listener = listener;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether `send` would take a frame now. */
  get canSend(): boolean {
    return this.#writable !== null && this.#inFlight.hasRoom;
  }

  /** The socket, where it takes messages: a server's close is known to it a moment before `onclose` tells. */
  get #writable(): SocketLike | null {
    return this.#state.kind === "open" && this.#socket?.readyState === SOCKET_OPEN ? this.#socket : null;
  }

  /** Opens the stream now, also where the next attempt is still to come or the last one was final. */
  connect(): void {
    if (this.#state.kind === "connecting" || this.#state.kind === "open") return;
    this.#failures = 0;
    this.#attempt();
  }

  /** Ends the session. Its receipt may still come to `onReceipt`. */
  disconnect(): void {
    const open = this.#writable;
    open?.send(encodeMessage({ type: "session.close" }));
    const socket = this.#release();
    if (open === null) socket?.close(1000);
    else this.#awaitReceipt(open);
    this.#setState({ kind: "idle" });
  }

  /** @returns false where the frame was not sent, since the stream is not open or two frames are under way */
  send(frame: Omit<Frame, "frameId">): boolean {
    const socket = this.#writable;
    if (socket === null || !this.canSend) return false;
    const frameId = this.#nextFrameId++;
    this.#inFlight.add(frameId, this.#environment.now());
    socket.send(encodeEnvelope({ ...frame, frameId }));
    return true;
  }

  updateConfig(config: Partial<SessionConfig>): void {
    this.#writable?.send(encodeMessage({ type: "session.update", config }));
  }

  /** What this session has sent so far, and what of it the server kept: comes to `onReceipt`. */
  requestReceipt(): void {
    this.#writable?.send(encodeMessage({ type: "session.receipt" }));
  }

  /** Gives up overdue frames; call a few times a second. */
  tick(): void {
    this.#unanswered += this.#inFlight.expire(this.#environment.now());
    if (this.#unanswered >= DEAD_AFTER_UNANSWERED) this.#abandon();
  }

  #attempt(): void {
    this.#release();
    const after = this.#state.kind === "waiting" ? this.#state.cause : null;
    const ending = { errorCode: null as string | null, closedReason: null as string | null };
    const socket = this.#environment.openSocket();
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#receive(data, ending);
    };
    socket.onclose = ({ code }) => {
      this.#ended({ ...ending, code, wasOpen: this.#state.kind === "open" });
    };
    this.#socket = socket;
    this.#cancelTimer = this.#environment.schedule(() => this.#abandon(), CONNECT_TIMEOUT_MS);
    this.#setState({ kind: "connecting", after });
  }

  #receive(text: string, ending: { errorCode: string | null; closedReason: string | null }): void {
    const message = parseServerMessage(text);
    if (message === null) return;
    switch (message.type) {
      case "session.created":
        this.#cancelTimer();
        this.#openedAtMs = this.#environment.now();
        this.#setState({ kind: "open", session: message });
        return;
      case "session.updated":
        this.#listener.onConfig(message.config);
        return;
      case "session.receipt":
        this.#listener.onReceipt?.(message);
        return;
      case "session.closed":
        ending.closedReason = message.reason;
        if (message.receipt) this.#listener.onReceipt?.(message.receipt);
        return;
      case "result":
        this.#settle(message.frame_id);
        this.#listener.onResult(message);
        return;
      case "dropped":
        this.#settle(message.frame_id);
        return;
      case "error":
        if (typeof message.frame_id === "number") this.#settle(message.frame_id);
        else ending.errorCode = message.code;
        this.#listener.onError(message);
        return;
      default:
        message satisfies never;
    }
  }

  /** Listens to a socket that is none of ours any more, until the server has said its last. */
  #awaitReceipt(socket: SocketLike): void {
    const close = () => {
      cancel();
      socket.onmessage = null;
      socket.close(1000);
    };
    const cancel = this.#environment.schedule(close, GOODBYE_TIMEOUT_MS);
    socket.onmessage = ({ data }) => {
      const message = typeof data === "string" ? parseServerMessage(data) : null;
      if (message?.type !== "session.closed") return;
      if (message.receipt) this.#listener.onReceipt?.(message.receipt);
      close();
    };
  }

  #settle(frameId: number): void {
    this.#inFlight.settle(frameId);
    this.#unanswered = 0;
  }

  /** Treats the current socket as lost, without waiting for it to agree. */
  #abandon(): void {
    const wasOpen = this.#state.kind === "open";
    this.#release()?.close();
    this.#ended({ code: 1006, wasOpen, errorCode: null, closedReason: null });
  }

  #ended(ending: Ending): void {
    const now = this.#environment.now();
    if (ending.wasOpen && now - this.#openedAtMs >= STABLE_AFTER_MS) this.#failures = 0;
    this.#release();
    const next = afterEnding(ending);
    if (next.kind === "final") {
      this.#setState({ kind: "closed", reason: next.reason, code: ending.code });
      return;
    }
    const delayMs = reconnectDelayMs(this.#failures++, this.#environment.random());
    this.#cancelTimer = this.#environment.schedule(() => this.#attempt(), delayMs);
    this.#setState({ kind: "waiting", cause: next.cause, nextAttemptAtMs: now + delayMs });
  }

  /** Lets go of the socket, if any, and of all that hangs on it. */
  #release(): SocketLike | null {
    const socket = this.#socket;
    if (socket !== null) {
      socket.onmessage = null;
      socket.onclose = null;
    }
    this.#socket = null;
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    this.#inFlight.clear();
    this.#unanswered = 0;
    return socket;
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    this.#listener.onState(state);
  }
}

function encodeMessage(message: ClientMessage): string {
  return JSON.stringify(message);
}
