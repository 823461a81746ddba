import type { ConnectionEnvironment, SocketLike } from "./connection";

/** For tests: a socket whose other end is told what to say. */
export class FakeSocket implements SocketLike {
  readyState = 1; // WebSocket.OPEN
  binaryType: BinaryType = "blob";
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: (string | ArrayBuffer)[] = [];
  closed = false;

  send(data: string | ArrayBuffer): void {
    this.sent.push(data);
  }

  close(): void {
    this.closed = true;
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  }

  end(code: number): void {
    this.onclose?.({ code } as CloseEvent);
  }

  created(): void {
    this.say({
      type: "session.created",
      protocol: 1,
      session_id: "s",
      model: { name: "m", labels: ["happiness", "anger"] },
      config: { smoothing: 0, max_faces: 8 },
      limits: { max_message_bytes: 2e6, max_pixels: 8e6, max_faces: 32, max_frames_per_second: 100 },
    });
  }

  get texts(): unknown[] {
    return this.sent.filter((data) => typeof data === "string").map((text): unknown => JSON.parse(text));
  }

  get frames(): number {
    return this.sent.filter((data) => typeof data !== "string").length;
  }
}

/** For tests: a world of fake sockets whose time only moves when told to. */
export class FakeWorld {
  readonly sockets: FakeSocket[] = [];
  readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  #nowMs = 0;

  readonly environment: ConnectionEnvironment = {
    openSocket: () => {
      const socket = new FakeSocket();
      this.sockets.push(socket);
      return socket;
    },
    now: () => this.#nowMs,
    schedule: (callback, delayMs) => {
      const timer = { atMs: this.#nowMs + delayMs, callback };
      this.#timers.add(timer);
      return () => this.#timers.delete(timer);
    },
    random: () => 0,
  };

  get nowMs(): number {
    return this.#nowMs;
  }

  /** The latest one. */
  get socket(): FakeSocket {
    const latest = this.sockets.at(-1);
    if (latest === undefined) throw new Error("no socket was opened");
    return latest;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.atMs > this.#nowMs) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}
