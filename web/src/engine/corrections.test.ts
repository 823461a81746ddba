import { describe, expect, it } from "vitest";
import { Corrections } from "./corrections";

const CROP = new Uint8Array([255, 216, 1]).buffer;
const BOX = [0, 0, 1, 1] as const;

function ready(answer = () => Response.json({ id: "an-id", label: "bored" }, { status: 201 })) {
  const asked: { url: string; init: RequestInit }[] = [];
  const corrections = new Corrections(
    () => "https://emo.example/emo/",
    () => "let me in",
    (url, init) => {
      asked.push({ url: url.href, init });
      return Promise.resolve(answer());
    },
  );
  corrections.begin("first");
  return { corrections, asked };
}

describe("Corrections", () => {
  it("sends nothing before somebody has agreed", async () => {
    const { corrections, asked } = ready();
    await expect(corrections.send(CROP, "bored")).rejects.toThrow("nobody has agreed");
    expect(asked).toEqual([]);
  });

  it("sends a crop with its label and the consent, below the page's path, with the page's token", async () => {
    const { corrections, asked } = ready();
    corrections.agree();
    expect(await corrections.send(CROP, "bored")).toEqual({ id: "an-id", label: "bored" });

    const [{ url, init } = { url: "", init: {} }] = asked;
    expect(url).toBe("https://emo.example/emo/v1/corrections");
    expect(init.method).toBe("POST");
    expect(new Headers(init.headers).get("Authorization")).toBe("Bearer let me in");
    const body = init.body as FormData;
    expect([body.get("label"), body.get("consent")]).toEqual(["bored", "true"]);
    expect((body.get("file") as File).size).toBe(3);
  });

  it("asks again in the next session", () => {
    const { corrections } = ready();
    corrections.agree();
    expect(corrections.agreed).toBe(true);
    corrections.begin("second");
    expect(corrections.agreed).toBe(false);
  });

  it("takes a crop back by its id", async () => {
    const { corrections, asked } = ready(() => new Response(null, { status: 204 }));
    await corrections.takeBack({ id: "a/b", label: "bored" });
    expect(asked.map(({ url, init }) => [url, init.method])).toEqual([
      ["https://emo.example/emo/v1/corrections/a%2Fb", "DELETE"],
    ]);
  });

  it("says why the server does not keep a crop, in its own words where it has any", async () => {
    const full = ready(() => Response.json({ detail: "the folder is full" }, { status: 507 })).corrections;
    full.agree();
    await expect(full.send(CROP, "bored")).rejects.toThrow("the folder is full");
    const proxy = ready(() => new Response("<html>", { status: 502, statusText: "Bad Gateway" })).corrections;
    proxy.agree();
    await expect(proxy.send(CROP, "bored")).rejects.toThrow("502 Bad Gateway");
  });

  it("holds the newest crop of each face, of the newest faces", () => {
    const { corrections } = ready();
    for (let faceId = 0; faceId < 40; faceId += 1)
      corrections.remember([{ faceId, boxXywh: BOX, image: new ArrayBuffer(faceId) }]);
    corrections.remember([{ faceId: 39, boxXywh: BOX, image: CROP }]);

    expect(corrections.cropOf(39)).toBe(CROP);
    expect(corrections.cropOf(8)?.byteLength).toBe(8);
    expect(corrections.cropOf(7)).toBeNull();
    corrections.forget();
    expect(corrections.cropOf(39)).toBeNull();
  });
});
