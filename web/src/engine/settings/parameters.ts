import * as v from "valibot";
import { BACKENDS } from "../../detection/backends";
import { DEFAULT_INTERVAL_MS, MAX_INTERVAL_MS, MIN_INTERVAL_MS } from "../../stream/interval";

export const THEMES = ["system", "light", "dark"] as const;
export const VIEWS = ["page", "panel", "overlay", "kiosk", "embed"] as const;

export type Theme = (typeof THEMES)[number];
export type View = (typeof VIEWS)[number];

/** The slider's end; the protocol allows [0, 1). */
export const MAX_SMOOTHING = 0.95;
export const MAX_FACES = 32;

/** One setting: how it stands in an address, and what it is where nobody has said anything. */
export interface Parameter<T> {
  readonly fallback: T;
  /** Whether a change holds for later visits in this browser, too. */
  readonly remembered: boolean;
  /** From the text in an address. */
  readonly schema: v.GenericSchema<string, T>;
  /** What numbers are moved into, with the schema's own unit. */
  readonly range?: { readonly min: number; readonly max: number };
}

const number = v.pipe(
  v.string(),
  v.trim(),
  v.nonEmpty(),
  v.transform(Number),
  v.number(),
  v.check((value) => Number.isFinite(value)),
);
const wholeNumber = v.pipe(number, v.transform(Math.round));
const text = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(200));
const yesOrNo = v.pipe(
  v.picklist(["1", "0", "true", "false", "on", "off"]),
  v.transform((word) => word === "1" || word === "true" || word === "on"),
);
const origin = v.pipe(
  text,
  v.url(),
  v.transform((address) => new URL(address)),
  v.check(({ protocol }) => protocol === "https:" || protocol === "http:"),
  v.transform((address) => address.origin),
);

/** Every setting of the page. A link that has them all reproduces what somebody sees. */
export const PARAMETERS = {
  /** Time between two frames that are sent, in ms. */
  interval: parameter<number>(number, DEFAULT_INTERVAL_MS, {
    range: { min: MIN_INTERVAL_MS, max: MAX_INTERVAL_MS },
  }),
  /** Weight of the past, [0, 0.95]; null is the server's own. */
  smoothing: parameter<number | null>(number, null, {
    range: { min: 0, max: MAX_SMOOTHING },
    remembered: true,
  }),
  /** An emotion with a smaller probability is shown as unsure; [0, 1]. */
  threshold: parameter<number>(number, 0, { range: { min: 0, max: 1 }, remembered: true }),
  /** Most faces in one frame; null is the server's own. */
  faces: parameter<number | null>(wholeNumber, null, { range: { min: 1, max: MAX_FACES } }),
  mirror: parameter<boolean>(yesOrNo, true, { remembered: true }),
  /** A camera's name, or a part of it, or its id; null is the browser's choice. */
  camera: parameter<string | null>(text, null),
  backend: parameter<(typeof BACKENDS)[number] | "auto">(v.picklist([...BACKENDS, "auto"]), "auto"),
  theme: parameter<Theme>(v.picklist(THEMES), "system", { remembered: true }),
  /** BCP 47; null is the browser's. */
  lang: parameter<string | null>(text, null, { remembered: true }),
  /** Origin of another server to stream to; null is the page's own. */
  server: parameter<string | null>(origin, null),
  view: parameter<View>(v.picklist(VIEWS), "page"),
  /** Whether the camera starts without being asked to. */
  start: parameter<"ask" | "auto">(v.picklist(["ask", "auto"]), "ask"),
} as const;

export type SettingName = keyof typeof PARAMETERS;
export type SettingValues = {
  readonly [Name in SettingName]: (typeof PARAMETERS)[Name] extends Parameter<infer T> ? T : never;
};

export const SETTING_NAMES = Object.keys(PARAMETERS) as SettingName[];

/** What an address asks for that the page does not do as it stands. */
export interface Rejection {
  readonly name: SettingName;
  readonly asked: string;
  readonly because: "out of range" | "not understood";
}

export type Reading<T> =
  | { readonly kind: "value"; readonly value: T; readonly rejected: Rejection | null }
  | { readonly kind: "nothing"; readonly rejected: Rejection | null };

/** Reads one setting. Numbers out of range are moved to the nearest bound; what makes no sense counts as not there. */
export function readParameter<Name extends SettingName>(
  name: Name,
  asked: string | null,
): Reading<SettingValues[Name]> {
  if (asked === null) return { kind: "nothing", rejected: null };
  const { schema, range } = PARAMETERS[name] as unknown as Parameter<SettingValues[Name]>;
  const parsed = v.safeParse(schema, asked);
  if (!parsed.success) {
    return { kind: "nothing", rejected: { name, asked, because: "not understood" } };
  }
  const value = parsed.output;
  if (range === undefined || typeof value !== "number") return { kind: "value", value, rejected: null };
  const moved = Math.min(Math.max(value, range.min), range.max);
  const rejected = moved === value ? null : ({ name, asked, because: "out of range" } as const);
  return { kind: "value", value: moved as SettingValues[Name], rejected };
}

/** A value as an address has it; null where that is the same as to say nothing. */
export function writeParameter(value: SettingValues[SettingName]): string | null {
  if (value === null) return null;
  return typeof value === "boolean" ? (value ? "1" : "0") : String(value);
}

function parameter<T>(
  schema: v.GenericSchema<string, NonNullable<T>>,
  fallback: T,
  { range, remembered = false }: { range?: { min: number; max: number }; remembered?: boolean } = {},
): Parameter<T> {
  const base = { fallback, remembered, schema: schema as v.GenericSchema<string, T> };
  return range === undefined ? base : { ...base, range };
}
