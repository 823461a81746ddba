/** A float as Python writes it: the command line and the page give the same files. */
export function pythonFloat(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-4) {
    return value.toExponential().replace(/e-(\d)$/, "e-0$1");
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** A decision as Python writes it in tables. */
export function pythonBool(value: boolean): string {
  return value ? "True" : "False";
}

/** Rounds a time in s, to so many decimal places. */
export function rounded(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

/**
 * A text as a field of CSV. Spreadsheets run what begins with one of these signs, also in its full-width form, as a
 * formula: an apostrophe before it makes it a text, as in server/inert.py. Numbers do not go through here.
 */
export function csvText(text: string): string {
  const inert = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** A text as a field of TSV, which has no quotes. */
export function tsvText(text: string): string {
  return text === "" ? "n/a" : text.replaceAll(/\s+/g, " ");
}

/** A text between two tags of XML. */
export function xmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A text as an attribute of XML. */
export function xmlAttribute(text: string): string {
  return xmlText(text).replaceAll('"', "&quot;");
}
