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

/**
 * The colour of a label, always the same one among the same labels. Unknown ones get one of `otherColours`, by their
 * name; no two of a model's labels have one colour, as far as there are enough.
 */
export function colourOf(label: string, among: readonly string[] = []): string {
  const key = JSON.stringify(among);
  let colours = OF_LABELS.get(key);
  if (colours === undefined) {
    if (OF_LABELS.size >= MAX_LABEL_SETS) OF_LABELS.clear();
    colours = coloursOf(among);
    OF_LABELS.set(key, colours);
  }
  return colours.get(label) ?? ownColour(label);
}

/** Colours by label, by the labels of a model as JSON: asked for many times a second. */
const OF_LABELS = new Map<string, ReadonlyMap<string, string>>();
const MAX_LABEL_SETS = 64;

function coloursOf(labels: readonly string[]): ReadonlyMap<string, string> {
  const colours = new Map<string, string>();
  for (const label of labels) {
    const own = ownColour(label);
    const taken = new Set(colours.values());
    let colour = own;
    if (taken.has(own) && !BY_WORD.has(wordOf(label))) {
      const start = otherColours.indexOf(own);
      const ring = [...otherColours.slice(start), ...otherColours.slice(0, start)];
      colour = ring.find((other) => !taken.has(other)) ?? own;
    }
    colours.set(label, colour);
  }
  return colours;
}

function ownColour(label: string): string {
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
