import { createStore, type Store } from "../store";
import {
  PARAMETERS,
  readParameter,
  type Rejection,
  SETTING_NAMES,
  type SettingName,
  type SettingValues,
  writeParameter,
} from "./parameters";

/** The part of `localStorage` and `sessionStorage` that is used here. */
export type KeyValueStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Where settings come from and go to, handed in so that tests can do without a browser. */
export interface SettingsEnvironment {
  readonly address: URL;
  replaceAddress(address: URL): void;
  /** What lasts for later visits; null where the browser has none to give. */
  readonly lasting: KeyValueStorage | null;
  /** What lasts as long as the tab. */
  readonly ofTab: KeyValueStorage | null;
}

const PREFIX = "emostream.";
const TOKEN = "token";

/**
 * Every setting of the page. The address says most, then what this browser remembers, then the table. A change goes
 * into the address, so that it always tells what is seen; the token never stays there.
 */
export class Settings {
  readonly values: Store<SettingValues>;
  readonly token: Store<string | null>;
  /** What the address asked for in vain. */
  readonly rejected: readonly Rejection[];
  readonly #environment: SettingsEnvironment;
  #address: URL;

  constructor(environment: SettingsEnvironment) {
    this.#environment = environment;
    this.#address = new URL(environment.address);
    const rejected: Rejection[] = [];
    const entries = SETTING_NAMES.map((name) => [name, this.#initial(name, rejected)]);
    this.values = createStore(Object.fromEntries(entries) as SettingValues);
    this.rejected = rejected;
    this.token = createStore(this.#takeToken());
  }

  set<Name extends SettingName>(name: Name, value: SettingValues[Name]): void {
    if (this.values.get()[name] === value) return;
    const written = writeParameter(value);
    if (PARAMETERS[name].remembered) write(this.#environment.lasting, name, written);
    // Also where it is the table's own: whoever opens the link may remember another.
    if (written === null) this.#address.searchParams.delete(name);
    else this.#address.searchParams.set(name, written);
    this.#environment.replaceAddress(this.#address);
    this.values.set({ ...this.values.get(), [name]: value });
  }

  setToken(token: string | null): void {
    const given = token === null || token.trim() === "" ? null : token.trim();
    write(this.#environment.ofTab, TOKEN, given);
    this.token.set(given);
  }

  /** An address with every setting, which shows the same wherever it is opened. It has no token. */
  link(): string {
    const link = new URL(this.#address);
    const values = this.values.get();
    for (const name of SETTING_NAMES) {
      const written = writeParameter(values[name]);
      if (written !== null) link.searchParams.set(name, written);
    }
    return link.href;
  }

  #initial<Name extends SettingName>(name: Name, rejected: Rejection[]): SettingValues[Name] {
    const asked = readParameter(name, this.#address.searchParams.get(name));
    if (asked.rejected !== null) rejected.push(asked.rejected);
    if (asked.kind === "value") return asked.value;
    const fallback = PARAMETERS[name].fallback as SettingValues[Name];
    if (!PARAMETERS[name].remembered) return fallback;
    const remembered = readParameter(name, read(this.#environment.lasting, name));
    return remembered.kind === "value" && remembered.rejected === null ? remembered.value : fallback;
  }

  /** From the address, which it leaves at once: there it would be in bookmarks, histories and screenshots. */
  #takeToken(): string | null {
    const given = this.#address.searchParams.get(TOKEN);
    if (given === null) return read(this.#environment.ofTab, TOKEN);
    this.#address.searchParams.delete(TOKEN);
    this.#environment.replaceAddress(this.#address);
    const token = given.trim() === "" ? null : given;
    write(this.#environment.ofTab, TOKEN, token);
    return token;
  }
}

/** The browser's own address and storage. */
export function browserSettings(): SettingsEnvironment {
  return {
    address: new URL(window.location.href),
    replaceAddress: (address) => window.history.replaceState(window.history.state, "", address),
    lasting: storageOf(() => window.localStorage),
    ofTab: storageOf(() => window.sessionStorage),
  };
}

/** Null where the browser refuses even to name it, as it does with cookies blocked. */
function storageOf(get: () => Storage): Storage | null {
  try {
    return get();
  } catch {
    return null;
  }
}

function read(storage: KeyValueStorage | null, name: string): string | null {
  try {
    return storage?.getItem(PREFIX + name) ?? null;
  } catch {
    return null;
  }
}

function write(storage: KeyValueStorage | null, name: string, text: string | null): void {
  try {
    if (text === null) storage?.removeItem(PREFIX + name);
    else storage?.setItem(PREFIX + name, text);
  } catch {
    // Full or forbidden: the setting then lasts until the page is closed.
  }
}
