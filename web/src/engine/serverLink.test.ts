import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeWorld } from "../stream/testing";
import { ServerLink } from "./serverLink";
import { Settings } from "./settings/settings";
import { createStores } from "./stores";

function setUp() {
  const settings = new Settings({
    address: new URL("http://localhost/?interval=200"),
    replaceAddress: () => {},
    lasting: null,
    ofTab: null,
  });
  const world = new FakeWorld();
  const stores = createStores();
  const sessions: string[] = [];
  const link = new ServerLink({
    settings,
    stores,
    stream: world.environment,
    server: () => settings.values.get().server ?? "http://localhost/",
    onState: () => {},
    onSession: ({ session_id, config }) => sessions.push(`${session_id} ${config.max_faces}`),
    onResult: () => {},
  });
  const socket = () => world.socket;
  const open = () => {
    link.connect();
    socket().created();
  };
  return { link, settings, stores, sessions, sockets: world.sockets, socket, open };
}

/** Servers that say nothing of themselves; who was asked is what counts. */
const fetchAbout = vi.fn((_input: URL) => Promise.resolve(new Response(null, { status: 404 })));

describe("ServerLink", () => {
  beforeEach(() => {
    vi.stubGlobal("fetch", fetchAbout);
    fetchAbout.mockClear();
  });
  afterEach(() => vi.unstubAllGlobals());

  it("takes no crops before there is a session, and as many as it may carry then", () => {
    const { link, open } = setUp();
    expect(link.cropLimit).toBe(0);
    open();
    expect(link.cropLimit).toBe(8);
  });

  it("sends no more often than the server allows", () => {
    const { link, settings, open } = setUp();
    open();
    expect(link.intervalMs).toBe(200);
    settings.set("interval", 1);
    expect(link.intervalMs).toBe(10);
  });

  it("tells of each session and of each change of its configuration", () => {
    const { sessions, stores, open, socket } = setUp();
    open();
    socket().say({ type: "session.updated", config: { smoothing: 0, max_faces: 3 } });
    expect(sessions).toEqual(["s 8", "s 3"]);
    expect(stores.session.get()?.config.max_faces).toBe(3);
  });

  it("goes to another server at once, and asks it who it is", () => {
    const { settings, sockets, open } = setUp();
    open();
    const asked = fetchAbout.mock.calls.length;
    settings.set("server", "https://other.example/");
    expect(sockets.length).toBe(2);
    expect(fetchAbout.mock.calls.slice(asked).map(([url]) => url.host)).toEqual(["other.example"]);
  });

  it("stays away from a server that nobody has connected to", () => {
    const { settings, sockets } = setUp();
    settings.set("server", "https://other.example/");
    expect(sockets).toEqual([]);
  });

  it("asks for a receipt every ten seconds of a session", () => {
    const { link, open, socket } = setUp();
    const begun = Date.now();
    open();
    const receipts = () =>
      socket().texts.filter((text) => (text as { type: string }).type === "session.receipt");
    link.tick(begun + 9_000);
    expect(receipts()).toEqual([]);
    link.tick(begun + 11_000);
    link.tick(begun + 12_000);
    expect(receipts().length).toBe(1);
  });
});
