import { describe, expect, it } from "vitest";
import { StreamConnection } from "./connection";
import type { ConnectionState } from "./connectionState";
import type { ErrorMessage, Receipt, ResultMessage, SessionConfig } from "./protocol";
import { FakeWorld } from "./testing";

/** A connection in a world whose time only moves when told to. */
function setUp() {
  const world = new FakeWorld();
  const states: ConnectionState[] = [];
  const results: ResultMessage[] = [];
  const errors: ErrorMessage[] = [];
  const configs: SessionConfig[] = [];
  const receipts: Receipt[] = [];
  const connection = new StreamConnection(world.environment, {
    onState: (state) => states.push(state),
    onResult: (result) => results.push(result),
    onError: (error) => errors.push(error),
    onConfig: (config) => configs.push(config),
    onReceipt: (receipt) => receipts.push(receipt),
  });
  const advance = (ms: number) => world.advance(ms);
  const socket = () => world.socket;
  const open = () => {
    connection.connect();
    socket().created();
  };
  const send = () => connection.send({ capturedAtMs: world.nowMs, faces: [] });
  const { sockets } = world;
  return { connection, sockets, socket, states, results, errors, configs, receipts, advance, open, send };
}

const result = (frame_id: number) => ({
  type: "result",
  frame_id,
  captured_at: 0,
  faces: [],
  timing: { queue_ms: 0, inference_ms: 0, total_ms: 0, batch_size: 0 },
});

describe("StreamConnection", () => {
  it("is open once the session is created, and not before", () => {
    const { connection, socket } = setUp();
    connection.connect();
    expect(connection.state.kind).toBe("connecting");
    socket().created();
    expect(connection.state).toMatchObject({ kind: "open", session: { model: { name: "m" } } });
  });

  it("sends nothing into a socket that is closing and has not said so yet", () => {
    const { connection, open, send, socket } = setUp();
    open();
    socket().readyState = 2; // WebSocket.CLOSING
    expect(connection.canSend).toBe(false);
    expect(send()).toBe(false);
    connection.updateConfig({ smoothing: 0.5 });
    connection.disconnect();
    expect(socket().sent).toEqual([]);
    expect(socket().closed).toBe(true);
  });

  it("gives the receipts that it asked for, and the last one of a session that the server ends", () => {
    const { connection, open, socket, receipts } = setUp();
    const counted = {
      session_id: "s",
      started_at: 1,
      at: 2,
      bytes_received: 3,
      frames_received: 1,
      images_kept: 0,
    };
    connection.requestReceipt();
    open();
    connection.requestReceipt();
    expect(socket().texts).toEqual([{ type: "session.receipt" }]);
    socket().say({ type: "session.receipt", ...counted });
    socket().say({ type: "session.closed", reason: "idle_timeout", receipt: { ...counted, at: 9 } });
    expect(receipts).toEqual([
      { type: "session.receipt", ...counted },
      { ...counted, at: 9 },
    ]);
  });

  it("has at most two frames under way, and numbers them", () => {
    const { open, send, socket } = setUp();
    open();
    expect([send(), send(), send()]).toEqual([true, true, false]);
    expect(socket().frames).toBe(2);
  });

  it.each([
    ["a result", result(0)],
    ["dropped", { type: "dropped", frame_id: 0, reason: "superseded" }],
    ["an error about it", { type: "error", code: "invalid_image", message: "", frame_id: 0 }],
  ])("sends the next frame after %s", (_, answer) => {
    const { open, send, socket } = setUp();
    open();
    send();
    send();
    socket().say(answer);
    expect([send(), send()]).toEqual([true, false]);
  });

  it("keeps the slots for an error that is about no frame", () => {
    const { open, send, socket, errors } = setUp();
    open();
    send();
    send();
    socket().say({ type: "error", code: "invalid_message", message: "what?" });
    expect(send()).toBe(false);
    expect(errors).toHaveLength(1);
  });

  it("gives up an answer after five seconds", () => {
    const { connection, open, send, advance } = setUp();
    open();
    send();
    send();
    advance(5000);
    connection.tick();
    expect(send()).toBe(true);
  });

  it("frees all slots when the connection ends", () => {
    const { open, send, socket, advance } = setUp();
    open();
    send();
    send();
    socket().end(1006);
    advance(500);
    socket().created();
    expect([send(), send(), send()]).toEqual([true, true, false]);
  });

  it("replaces a line on which nothing is answered any more", () => {
    const { connection, open, send, socket, advance } = setUp();
    open();
    const dead = socket();
    for (let round = 0; round < 2; round++) {
      send();
      send();
      advance(5000);
      connection.tick();
    }
    expect(dead.closed).toBe(true);
    expect(connection.state).toMatchObject({ kind: "waiting", cause: "lost" });
  });

  it("waits 0.5 s, then 1.6 times longer each time, and tells when the next attempt is due", () => {
    const { connection, socket, advance, states } = setUp();
    connection.connect();
    socket().end(1006);
    expect(states.at(-1)).toEqual({ kind: "waiting", cause: "unreachable", nextAttemptAtMs: 500 });
    advance(500);
    expect(connection.state.kind).toBe("connecting");
    socket().end(1006);
    expect(states.at(-1)).toMatchObject({ nextAttemptAtMs: 500 + 800 });
  });

  it("remembers while it attempts what the attempt is to mend", () => {
    const { connection, socket, advance, open } = setUp();
    open();
    expect(connection.state.kind).toBe("open");
    socket().end(1001);
    advance(500);
    expect(connection.state).toEqual({ kind: "connecting", after: "server_shutdown" });
    socket().end(1006);
    connection.connect();
    expect(connection.state).toEqual({ kind: "connecting", after: "unreachable" });
    connection.disconnect();
    connection.connect();
    expect(connection.state).toEqual({ kind: "connecting", after: null });
  });

  it("starts the waiting times anew after a session that held", () => {
    const { connection, socket, advance, open } = setUp();
    connection.connect();
    socket().end(1006);
    advance(500);
    socket().created();
    advance(60_000);
    socket().end(1006);
    expect(connection.state).toMatchObject({ nextAttemptAtMs: 60_500 + 500 });
    open();
  });

  it("does not start them anew for a server that falls over at once", () => {
    const { connection, socket, advance } = setUp();
    connection.connect();
    socket().created();
    socket().end(1011);
    advance(500);
    socket().created();
    socket().end(1011);
    expect(connection.state).toMatchObject({ cause: "server_error", nextAttemptAtMs: 500 + 800 });
  });

  it.each([
    [4401, "unauthorized"],
    [1008, "refused"],
  ])("never comes back by itself after %d", (code, reason) => {
    const { connection, sockets, socket, advance } = setUp();
    connection.connect();
    socket().end(code);
    advance(60_000);
    expect(connection.state).toEqual({ kind: "closed", reason, code });
    expect(sockets).toHaveLength(1);
  });

  it("comes back after a final end when it is asked to", () => {
    const { connection, sockets, socket } = setUp();
    connection.connect();
    socket().end(4401);
    connection.connect();
    expect(sockets).toHaveLength(2);
  });

  it("knows that the server is full", () => {
    const { connection, socket } = setUp();
    connection.connect();
    socket().say({ type: "error", code: "too_many_sessions", message: "full", retryable: true });
    socket().end(1013);
    expect(connection.state).toMatchObject({ kind: "waiting", cause: "too_many_sessions" });
  });

  it("gives up a server that accepts but says nothing", () => {
    const { connection, socket, advance } = setUp();
    connection.connect();
    advance(10_000);
    expect(socket().closed).toBe(true);
    expect(connection.state).toMatchObject({ kind: "waiting", cause: "unreachable" });
  });

  it("says goodbye and stays away when it is disconnected", () => {
    const { connection, open, socket, sockets, advance } = setUp();
    open();
    connection.disconnect();
    expect(socket().texts).toEqual([{ type: "session.close" }]);
    expect(connection.state.kind).toBe("idle");
    advance(60_000);
    expect(socket().closed).toBe(true);
    expect(connection.state.kind).toBe("idle");
    expect(sockets).toHaveLength(1);
  });

  it("waits for the receipt of the session that it ends, and for nothing else", () => {
    const { connection, open, socket, receipts, results } = setUp();
    open();
    connection.disconnect();
    const receipt = {
      session_id: "s",
      started_at: 1,
      at: 9,
      bytes_received: 3,
      frames_received: 1,
      images_kept: 0,
    };
    socket().say(result(0));
    expect(socket().closed).toBe(false);
    socket().say({ type: "session.closed", reason: "client_request", receipt });
    expect(socket().closed).toBe(true);
    expect(receipts).toEqual([receipt]);
    expect(results).toEqual([]);
  });

  it("does not attempt again when it is disconnected while it waits", () => {
    const { connection, socket, sockets, advance } = setUp();
    connection.connect();
    socket().end(1006);
    connection.disconnect();
    advance(60_000);
    expect(sockets).toHaveLength(1);
  });

  it("ignores what an earlier socket says later", () => {
    const { connection, socket, open } = setUp();
    open();
    const old = socket();
    connection.disconnect();
    connection.connect();
    old.created();
    old.end(1006);
    expect(connection.state.kind).toBe("connecting");
  });

  it("sends a new configuration, and tells what the server made of it", () => {
    const { connection, open, socket, configs } = setUp();
    open();
    connection.updateConfig({ smoothing: 0.6 });
    expect(socket().texts).toEqual([{ type: "session.update", config: { smoothing: 0.6 } }]);
    socket().say({ type: "session.updated", config: { smoothing: 0.6, max_faces: 8 } });
    expect(configs).toEqual([{ smoothing: 0.6, max_faces: 8 }]);
  });

  it("passes results on and shrugs at what it does not understand", () => {
    const { open, socket, results } = setUp();
    open();
    socket().say({ type: "session.new_thing" });
    socket().say(result(4));
    expect(results.map((message) => message.frame_id)).toEqual([4]);
  });
});
