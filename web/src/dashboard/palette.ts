/** Colour of what has no fresh emotion. */
export const STALE_COLOUR = "#8b979d";

/*
 * After Okabe and Ito's colour-blind-safe set, lightened until each has a contrast of at least 4.5:1 on the page's
 * background, so that it may also colour text. Neighbours in a chart differ in lightness as well as in hue.
 */
const BY_EMOTION: ReadonlyMap<string, string> = new Map(
  Object.entries({
    anger: "#ff7a59",
    contempt: "#b39dff",
    disgust: "#37c59a",
    fear: "#e58fc4",
    happiness: "#f2d14e",
    neutral: "#c3cdd1",
    sadness: "#62b5f0",
    surprise: "#f5a340",
  }),
);

/** What models call the same emotions. */
const SYNONYMS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    angry: "anger",
    disgusted: "disgust",
    fearful: "fear",
    afraid: "fear",
    happy: "happiness",
    joy: "happiness",
    sad: "sadness",
    surprised: "surprise",
  }),
);

/** For labels that nobody has heard of. */
const FALLBACK = ["#7fd6e8", "#d3e37a", "#ffb3a1", "#a8b8ff", "#8fe0b0", "#e8c1f0"] as const;

/** The colour of a label, always the same one. Unknown labels get one from a fallback palette, by their name. */
export function colourOf(label: string): string {
  const name = label.toLowerCase();
  return BY_EMOTION.get(SYNONYMS.get(name) ?? name) ?? fallbackColour(name);
}

function fallbackColour(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return FALLBACK[hash % FALLBACK.length] ?? FALLBACK[0];
}
