import { describe, expect, it } from "vitest";
import en from "./en.json";
import { LANGUAGES } from "./i18n";

const files = import.meta.glob<object>("./*.json", { import: "default", eager: true });

/** Each text with its dotted key. */
function texts(words: object, prefix = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [key, value] of Object.entries(words) as [string, unknown][]) {
    if (typeof value === "string") all.set(prefix + key, value);
    else for (const [inner, text] of texts(value as object, `${prefix}${key}.`)) all.set(inner, text);
  }
  return all;
}

/** What a text leaves to be filled in. */
function gaps(text: string | undefined): string[] {
  return [...(text ?? "").matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? "").sort();
}

const PLURAL = /_(?:zero|one|two|few|many|other)$/;

describe.each(LANGUAGES)("the words in “%s”", (language) => {
  const english = texts(en);
  const words = texts(files[`./${language}.json`] ?? {});
  /** Languages differ in how many plurals they have, so those count once. */
  const keys = (all: ReadonlyMap<string, string>) =>
    [...new Set([...all.keys()].map((key) => key.replace(PLURAL, "_other")))].sort();

  it("have the keys that English has", () => {
    expect(keys(words)).toEqual(keys(english));
  });

  it("have each plural of the language", () => {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const key of words.keys()) {
      if (!key.endsWith("_other")) continue;
      const forms = pluralCategories.filter((form) => words.has(key.replace(PLURAL, `_${form}`)));
      expect(forms, key).toEqual(pluralCategories);
    }
  });

  it("say something, and leave the same to be filled in", () => {
    for (const [key, text] of words) {
      expect(text.trim(), key).not.toBe("");
      const model = english.get(key) ?? english.get(key.replace(PLURAL, "_other"));
      if (!PLURAL.test(key)) expect(gaps(text), key).toEqual(gaps(model));
    }
  });
});

it("there are English and German", () => {
  expect(LANGUAGES).toEqual(expect.arrayContaining(["en", "de"]));
  expect(LANGUAGES[0]).toBe("en");
});
