import * as v from "valibot";
import { chooseLanguage } from "../i18n/languages";
import { serverUrl } from "../stream/socketUrl";

const about = v.object({
  operator: v.nullish(v.string(), null),
  notice: v.optional(v.record(v.string(), v.string()), {}),
  kept_images: v.nullish(v.object({ every_s: v.number(), max_bytes: v.number() }), null),
  kept_corrections: v.nullish(v.object({ max_bytes: v.number() }), null),
  model: v.string(),
  labels: v.array(v.string()),
  version: v.string(),
  servers: v.optional(v.array(v.string()), []),
  frame_ancestors: v.optional(v.array(v.string()), []),
});

/** What a server says of itself at `GET /v1/about`. */
export type About = v.InferOutput<typeof about>;

/** @returns null where the server does not answer, or with something else */
export async function fetchAbout(
  server: string | URL,
  get: typeof fetch = (...request) => fetch(...request),
): Promise<About | null> {
  try {
    const response = await get(serverUrl("v1/about", server), { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) return null;
    const parsed = v.safeParse(about, await response.json());
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** The operator's notice in a language, with the language that it really is in; null where there is none. */
export function noticeIn({ notice }: About, language: string): { text: string; language: string } | null {
  const available = Object.keys(notice);
  const [first] = available;
  if (first === undefined) return null;
  const chosen = chooseLanguage([language], available);
  const best = notice[chosen] === undefined ? first : chosen;
  return { text: notice[best] ?? "", language: best };
}
