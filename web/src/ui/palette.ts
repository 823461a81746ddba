import { emotions, other_colours as otherColours } from "../../../server/emotions.json";

/*
 * One table for the page and the server (server/emotions.py); tests/data/emotions_cases.json holds both to it.
 * Its colours follow Okabe and Ito's colour-blind-safe set, lightened until each has a contrast of at least 4.5:1 on
 * the page's background, so that it may also colour text. Neighbours in a chart differ in lightness as well as in hue.
 */
const BY_WORD: ReadonlyMap<string, { readonly name: string; readonly colour: string }> = new Map(
  emotions.flatMap((emotion) => [emotion.name, ...emotion.synonyms].map((word) => [word, emotion] as const)),
);

/** Colour of what has no fresh emotion. */
export const STALE_COLOUR = "#8b979d";

/** The colour of a label, always the same one. Unknown labels get one of `otherColours`, by their name. */
export function colourOf(label: string): string {
  const word = wordOf(label);
  return BY_WORD.get(word)?.colour ?? otherColour(word);
}

/** The table's name for a label, whichever synonym it is; null for a label that the table does not have. */
export function emotionNameOf(label: string): string | null {
  return BY_WORD.get(wordOf(label))?.name ?? null;
}

function wordOf(label: string): string {
  return label.trim().toLowerCase();
}

function otherColour(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return otherColours[hash % otherColours.length] ?? STALE_COLOUR;
}
