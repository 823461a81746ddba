import { describe, expect, it } from "vitest";
import { Headline } from "./headline";

function sad(sadness: number) {
  return { happiness: 1 - sadness, sadness };
}

describe("Headline", () => {
  it("holds its word while another leads by little", () => {
    const headline = new Headline();
    headline.next("happiness", sad(0.4), 0);
    expect(headline.next("sadness", sad(0.52), 100)).toBe("happiness");
    expect(headline.next("happiness", sad(0.48), 200)).toBe("happiness");
    expect(headline.next("sadness", sad(0.52), 850)).toBe("happiness");
  });

  it("takes a word that leads clearly at once", () => {
    const headline = new Headline();
    headline.next("happiness", sad(0.4), 0);
    expect(headline.next("sadness", sad(0.7), 100)).toBe("sadness");
  });

  it("takes a word that has led for a while, if only by little", () => {
    const headline = new Headline();
    headline.next("happiness", sad(0.4), 0);
    headline.next("sadness", sad(0.52), 100);
    headline.next("sadness", sad(0.52), 500);
    expect(headline.next("sadness", sad(0.52), 800)).toBe("sadness");
  });

  it("holds nothing over a time without answers", () => {
    const headline = new Headline();
    headline.next("happiness", sad(0.4), 0);
    expect(headline.next("sadness", sad(0.51), 5000)).toBe("sadness");
  });
});
