import { describe, expect, it } from "vitest";
import { Settings, type KeyValueStorage } from "./settings";

class MapStorage implements KeyValueStorage {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

function opened(query: string, lasting: KeyValueStorage | null = null, ofTab: KeyValueStorage | null = null) {
  const shown = { address: `https://emo.example/${query}` };
  const settings = new Settings({
    address: new URL(shown.address),
    replaceAddress: (address) => (shown.address = address.href),
    lasting,
    ofTab,
  });
  return { settings, shown, values: settings.values.get() };
}

describe("reading an address", () => {
  it("gives the table's values where it says nothing", () => {
    expect(opened("").values).toEqual({
      interval: 100,
      smoothing: null,
      threshold: 0,
      faces: null,
      mirror: true,
      camera: null,
      backend: "auto",
      theme: "system",
      lang: null,
      server: null,
      view: "page",
      start: "ask",
    });
  });

  it("takes every setting from it", () => {
    const { values, settings } = opened(
      "?interval=50&smoothing=0.6&threshold=0.4&faces=3&mirror=0&camera=Logitech%20C920&backend=webgl" +
        "&theme=dark&lang=de&server=https://b.example:8443/x&view=kiosk&start=auto",
    );
    expect(values).toEqual({
      interval: 50,
      smoothing: 0.6,
      threshold: 0.4,
      faces: 3,
      mirror: false,
      camera: "Logitech C920",
      backend: "webgl",
      theme: "dark",
      lang: "de",
      server: "https://b.example:8443",
      view: "kiosk",
      start: "auto",
    });
    expect(settings.rejected).toEqual([]);
  });

  it.each([
    ["interval", "5", 10],
    ["interval", "-1", 10],
    ["interval", "1e9", 1000],
    ["smoothing", "1", 0.95],
    ["threshold", "2", 1],
    ["faces", "0", 1],
    ["faces", "33", 32],
  ] as const)("moves %s=%s to the nearest bound, %d, and says so", (name, asked, value) => {
    const { values, settings } = opened(`?${name}=${asked}`);
    expect(values[name]).toBe(value);
    expect(settings.rejected).toEqual([{ name, asked, because: "out of range" }]);
  });

  it.each([
    ["interval", "fast", 100],
    ["interval", "", 100],
    ["interval", "Infinity", 100],
    ["interval", "10ms", 100],
    ["mirror", "maybe", true],
    ["backend", "cuda", "auto"],
    ["theme", "pink", "system"],
    ["server", "javascript:alert(1)", null],
    ["server", "emo.example", null],
    ["view", "hologram", "page"],
    ["start", "yes", "ask"],
  ] as const)("does without %s=%s, and says so", (name, asked, value) => {
    const { values, settings } = opened(`?${name}=${asked}`);
    expect(values[name]).toBe(value);
    expect(settings.rejected).toEqual([{ name, asked, because: "not understood" }]);
  });
});

describe("changing a setting", () => {
  it("goes into the address, beside what else is there", () => {
    const { settings, shown } = opened("?other=1");
    settings.set("interval", 200);
    settings.set("mirror", false);
    expect(shown.address).toBe("https://emo.example/?other=1&interval=200&mirror=0");
    expect(opened(new URL(shown.address).search).values).toMatchObject({ interval: 200, mirror: false });
  });

  it("stays in the address when it is set back, since another browser may remember something else", () => {
    const { settings, shown } = opened("");
    settings.set("theme", "dark");
    settings.set("theme", "system");
    expect(shown.address).toContain("theme=system");
  });

  it("is remembered for later visits, where it is about the person and not about the place", () => {
    const lasting = new MapStorage();
    const { settings } = opened("", lasting);
    settings.set("theme", "dark");
    settings.set("smoothing", 0.3);
    settings.set("interval", 500);
    expect(opened("", lasting).values).toMatchObject({ theme: "dark", smoothing: 0.3, interval: 100 });
    expect(opened("?theme=light", lasting).values.theme).toBe("light");
    settings.set("smoothing", null);
    expect(opened("", lasting).values.smoothing).toBeNull();
  });

  it("does without what is remembered badly, or not at all", () => {
    const lasting = new MapStorage();
    lasting.setItem("emostream.smoothing", "lots");
    lasting.setItem("emostream.threshold", "7");
    expect(opened("", lasting).values).toMatchObject({ smoothing: null, threshold: 0 });
    const broken: KeyValueStorage = {
      getItem: () => {
        throw new DOMException("no");
      },
      setItem: () => {
        throw new DOMException("full");
      },
      removeItem: () => {},
    };
    const { settings } = opened("", broken, broken);
    settings.set("theme", "dark");
    settings.setToken("sesame");
    expect([settings.values.get().theme, settings.token.get()]).toEqual(["dark", "sesame"]);
  });
});

describe("a link", () => {
  it("shows the same in a browser that remembers something else", () => {
    const { settings } = opened("?faces=2");
    const lasting = new MapStorage();
    const other = opened("", lasting);
    other.settings.set("theme", "dark");
    other.settings.set("mirror", false);
    const values = opened(new URL(settings.link()).search, lasting).values;
    expect(values).toEqual(settings.values.get());
  });
});

describe("the token", () => {
  it("leaves the address at once and lasts as long as the tab", () => {
    const ofTab = new MapStorage();
    const { settings, shown } = opened("?token=sesame&interval=50", new MapStorage(), ofTab);
    expect(settings.token.get()).toBe("sesame");
    expect(shown.address).toBe("https://emo.example/?interval=50");
    expect(settings.link()).not.toContain("sesame");
    expect(opened("?interval=50", null, ofTab).settings.token.get()).toBe("sesame");
    expect(opened("", null, new MapStorage()).settings.token.get()).toBeNull();
  });

  it("is not written where it would outlast the tab", () => {
    const lasting = new MapStorage();
    const { settings } = opened("?token=one", lasting, new MapStorage());
    settings.setToken(" two ");
    expect(settings.token.get()).toBe("two");
    expect([...lasting.items]).toEqual([]);
  });

  it("can be taken back", () => {
    const ofTab = new MapStorage();
    const { settings } = opened("?token=sesame", null, ofTab);
    settings.setToken("");
    expect(settings.token.get()).toBeNull();
    expect([...ofTab.items]).toEqual([]);
  });
});
