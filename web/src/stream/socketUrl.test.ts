import { describe, expect, it } from "vitest";
import { socketUrl } from "./socketUrl";

describe("socketUrl", () => {
  it("is the page's own server", () => {
    expect(socketUrl(new URL("http://localhost:8000/?interval=50"))).toBe("ws://localhost:8000/ws");
  });

  it("is secure where the page is", () => {
    expect(socketUrl(new URL("https://mood.example/"))).toBe("wss://mood.example/ws");
  });

  it("hands the token on, and nothing else", () => {
    const url = new URL(socketUrl(new URL("http://localhost:8000/?interval=50&token=a%26b%20c")));
    expect([...url.searchParams]).toEqual([["token", "a&b c"]]);
  });
});
