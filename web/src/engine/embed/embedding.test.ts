import { describe, expect, it, vi } from "vitest";
import type { ResultMessage } from "../../stream/protocol";
import type { About } from "../about";
import { Settings } from "../settings/settings";
import { createStores } from "../stores";
import { resultOf } from "../testing";
import { startEmbedding } from "./embedding";
import { parseCommand } from "./messages";

const HOST = "https://host.example";
const ABOUT: About = {
  operator: null,
  notice: {},
  kept_images: null,
  kept_corrections: null,
  model: "m",
  labels: ["happiness"],
  version: "1",
  servers: [],
  frame_ancestors: [HOST],
};

function setUp(about: About | null = ABOUT) {
  const stores = createStores();
  stores.about.set(about);
  const settings = new Settings({
    address: new URL("https://emo.example/?view=embed"),
    replaceAddress: () => {},
    lasting: null,
    ofTab: null,
  });
  let onResult: (result: ResultMessage) => void = () => {};
  let onMessage: (event: MessageEvent) => void = () => {};
  const heard: [unknown, string][] = [];
  const parent = { postMessage: (message: unknown, origin: string) => void heard.push([message, origin]) };
  const live = {
    stores,
    settings,
    startCamera: vi.fn(),
    stopCamera: vi.fn(),
    onResult: (listener: typeof onResult) => {
      onResult = listener;
      return () => {};
    },
  };
  startEmbedding(live, { parent, addEventListener: (_type, listener) => (onMessage = listener) });
  const say = (data: unknown, origin = HOST, source: unknown = parent) =>
    onMessage({ data, origin, source } as MessageEvent);
  return { live, stores, settings, heard, say, answer: () => onResult(resultOf([1])) };
}

describe("startEmbedding", () => {
  it("says that it listens once it knows who may speak, and tells nobody anything before they ask", () => {
    const { heard, stores, answer } = setUp(null);
    expect(heard).toEqual([]);
    stores.about.set(ABOUT);
    expect(heard).toEqual([[{ type: "emostream.ready", version: 1 }, "*"]]);
    answer();
    stores.consent.set(true);
    expect(heard).toHaveLength(1);
  });

  it("tells states and results to the origin that has asked", () => {
    const { heard, say, answer, stores } = setUp();
    say({ type: "emostream.connect" });
    stores.connection.set({ kind: "connecting", after: null });
    answer();
    expect(heard.slice(1)).toMatchObject([
      [{ type: "emostream.state", camera: "off", connection: "idle", needsConsent: true }, HOST],
      [{ type: "emostream.state", connection: "connecting" }, HOST],
      [{ type: "emostream.result", faces: [{ face_id: 1, emotion: "happiness" }] }, HOST],
    ]);
  });

  it.each([
    ["another origin", "https://evil.example", undefined],
    ["another window", HOST, {}],
  ])("does not listen to %s", (_name, origin, source) => {
    const { heard, say, live } = setUp();
    say({ type: "emostream.stop" }, origin, source);
    expect(live.stopCamera).not.toHaveBeenCalled();
    expect(heard).toHaveLength(1);
  });

  it("starts the camera only where the person has agreed", () => {
    const { say, live, stores } = setUp();
    say({ type: "emostream.start" });
    expect(live.startCamera).not.toHaveBeenCalled();
    stores.consent.set(true);
    say({ type: "emostream.start" });
    expect(live.startCamera).toHaveBeenCalledOnce();
  });

  it("changes settings, but neither the server nor the token", () => {
    const { say, settings } = setUp();
    const asked = { interval: 5, theme: "dark", server: "https://evil.example", token: "x", view: "page" };
    say({ type: "emostream.set", settings: asked });
    expect(settings.values.get()).toMatchObject({ interval: 10, theme: "dark", server: null, view: "embed" });
    expect(settings.token.get()).toBeNull();
  });
});

describe("parseCommand", () => {
  it.each([null, "emostream.start", { type: "other" }, { type: "emostream.set" }, { type: 3 }])(
    "passes %j over",
    (data) => {
      expect(parseCommand(data)).toBeNull();
    },
  );

  it("takes null for what a server decides, and nothing that makes no sense", () => {
    const settings = { smoothing: null, interval: null, mirror: false, theme: "pink" };
    expect(parseCommand({ type: "emostream.set", settings })).toEqual({
      type: "emostream.set",
      settings: { smoothing: null, mirror: false },
    });
  });
});
