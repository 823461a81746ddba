/** A new word leads clearly with so much more probability, in [0, 1] … */
const CLEAR_LEAD = 0.15;

/** … or where it has led for so long, in ms. */
const HELD_FOR_MS = 700;

/** After a longer time without an answer nothing is held, in ms. */
const FORGET_AFTER_MS = 2000;

interface Held {
  readonly emotion: string;
  readonly challenger: string;
  readonly challengedAtMs: number;
  readonly atMs: number;
}

/**
 * The word that stands for a face: it holds until another leads clearly, or has led for a while, so that it does not
 * flicker where two are about equally likely.
 */
export class Headline {
  #held: Held | null = null;

  /** @param atMs never smaller than in the call before @returns the word to show */
  next(emotion: string, predictions: Readonly<Record<string, number>>, atMs: number): string {
    const held = this.#held;
    if (held === null || atMs - held.atMs > FORGET_AFTER_MS || held.emotion === emotion) {
      return this.#hold({ emotion, challenger: emotion, challengedAtMs: atMs, atMs });
    }
    const challengedAtMs = held.challenger === emotion ? held.challengedAtMs : atMs;
    const lead = (predictions[emotion] ?? 0) - (predictions[held.emotion] ?? 0);
    const hasWon = lead >= CLEAR_LEAD || atMs - challengedAtMs >= HELD_FOR_MS;
    return this.#hold({
      emotion: hasWon ? emotion : held.emotion,
      challenger: emotion,
      challengedAtMs,
      atMs,
    });
  }

  #hold(held: Held): string {
    this.#held = held;
    return held.emotion;
  }
}
