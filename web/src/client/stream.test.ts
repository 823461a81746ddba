import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { SocketLike } from "../stream/connection";
import type { Receipt, ResultMessage } from "../stream/protocol";
import { connect, type StreamOptions } from "./stream";

const CREATED = {
  type: "session.created",
  protocol: 1,
  session_id: "s",
  model: { name: "m", labels: ["happiness"] },
  config: { smoothing: 0, max_faces: 8 },
  limits: { max_message_bytes: 2e6, max_pixels: 8e6, max_faces: 32, max_frames_per_second: 100 },
};
const RECEIPT = {
  session_id: "s",
  started_at: 1,
  at: 2,
  bytes_received: 3,
  frames_received: 1,
  images_kept: 0,
};

/** Sockets of Node, as for those who use the package there. */
const NODE: StreamOptions = { WebSocket: WebSocket as unknown as new (url: string) => SocketLike };

describe("connect", () => {
  let server: WebSocketServer;
  let address: string;
  const heard: unknown[] = [];
  const urls: string[] = [];

  beforeEach(async () => {
    heard.length = urls.length = 0;
    server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    const bound = server.address();
    if (bound === null || typeof bound === "string") throw new Error("no port");
    address = `http://127.0.0.1:${bound.port}`;
    server.on("connection", (socket, request) => {
      urls.push(request.url ?? "");
      if (request.url?.includes("wrong") === true) {
        socket.close(4401);
        return;
      }
      socket.send(JSON.stringify(CREATED));
      socket.on("message", (data: Buffer, isBinary) => {
        if (!isBinary) {
          const message = JSON.parse(data.toString()) as { type: string };
          heard.push(message);
          if (message.type === "session.close") {
            socket.send(
              JSON.stringify({ type: "session.closed", reason: "client_request", receipt: RECEIPT }),
            );
          }
          return;
        }
        const header = JSON.parse(data.subarray(4, 4 + data.readUInt32LE(0)).toString()) as {
          frame_id: number;
        };
        const timing = { queue_ms: 0, inference_ms: 1, total_ms: 1, batch_size: 1 };
        socket.send(JSON.stringify({ type: "result", frame_id: header.frame_id, faces: [], timing }));
      });
    });
  });

  afterEach(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });

  it("sends frames and gives their answers, and the session's receipt at its end", async () => {
    let receive: (result: ResultMessage) => void = () => {};
    let end: (receipt: Receipt) => void = () => {};
    const result = new Promise<ResultMessage>((resolve) => (receive = resolve));
    const receipt = new Promise<Receipt>((resolve) => (end = resolve));
    const stream = connect(address, {
      ...NODE,
      token: "sesame",
      config: { smoothing: 0.5 },
      onResult: (message) => receive(message),
      onReceipt: (message) => end(message),
    });
    expect(stream.canSend).toBe(false);
    expect((await stream.ready()).model.labels).toEqual(["happiness"]);
    const image = new Uint8Array([1, 2, 3]).buffer;
    expect(stream.send({ capturedAtMs: 1, faces: [{ faceId: 7, boxXywh: [0, 0, 1, 1], image }] })).toBe(true);
    expect((await result).frame_id).toBe(0);
    stream.close();
    expect(await receipt).toEqual(RECEIPT);
    expect(heard).toEqual([
      { type: "session.update", config: { smoothing: 0.5 } },
      { type: "session.close" },
    ]);
    expect(urls).toEqual(["/ws?token=sesame"]);
    await expect(stream.ready()).rejects.toThrow("closed");
  });

  it("says so where the server refuses for good", async () => {
    const stream = connect(address, { ...NODE, token: "wrong" });
    await expect(stream.ready()).rejects.toThrow("unauthorized");
    stream.close();
  });
});
