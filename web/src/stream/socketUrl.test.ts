import { describe, expect, it } from "vitest";
import { socketUrl } from "./socketUrl";

describe("socketUrl", () => {
  it("is on the server, without what else stands in its address", () => {
    expect(socketUrl("http://localhost:8000/?interval=50")).toBe("ws://localhost:8000/ws");
  });

  it.each(["", "/", "/index.html", "/?interval=50"])("stays below the path of a proxy: /emo%s", (rest) => {
    expect(socketUrl(`https://mood.example/emo${rest}`)).toBe("wss://mood.example/emo/ws");
  });

  it("is secure where the server is", () => {
    expect(socketUrl(new URL("https://mood.example/"))).toBe("wss://mood.example/ws");
  });

  it("hands the token on", () => {
    const url = new URL(socketUrl("http://localhost:8000/", "a&b c"));
    expect([...url.searchParams]).toEqual([["token", "a&b c"]]);
  });
});
