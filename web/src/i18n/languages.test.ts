import { describe, expect, it } from "vitest";
import { chooseLanguage, isLanguageTag, mendBrowserLanguage } from "./languages";

const AVAILABLE = ["en", "de", "pt-BR"];

describe("chooseLanguage", () => {
  it.each([
    [["de"], "de"],
    [["de-AT", "en"], "de"],
    [["de_CH"], "de"],
    [["fr", "pt-br"], "pt-BR"],
    [["xx", null, undefined, "en-GB", "de"], "en"],
    [["C"], "en"],
    [[""], "en"],
    [[], "en"],
  ])("takes from %j %s", (wanted, language) => {
    expect(chooseLanguage(wanted, AVAILABLE)).toBe(language);
  });
});

describe("mendBrowserLanguage", () => {
  const browser = (language: string, languages: readonly string[]) =>
    Object.defineProperties({} as Navigator, {
      language: { get: () => language, configurable: true },
      languages: { get: () => languages, configurable: true },
    });

  it.each([
    ["C", ["C"], "en"],
    ["", [], "en"],
    ["C", ["C", "de-DE"], "de-DE"],
    ["de-DE", ["de-DE"], "de-DE"],
  ])("makes of “%s” what Intl can take", (language, languages, mended) => {
    const mine = browser(language, languages);
    mendBrowserLanguage(mine);
    expect(mine.language).toBe(mended);
    expect(() => new Intl.NumberFormat(mine.language)).not.toThrow();
  });
});

describe("isLanguageTag", () => {
  it("knows what Intl would refuse", () => {
    expect(["de", "de-AT", "C", "", "POSIX_X"].map(isLanguageTag)).toEqual([true, true, false, false, false]);
  });
});
