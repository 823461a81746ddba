import type { FaceCrop } from "../stream/envelope";
import { serverUrl } from "../stream/socketUrl";

/** A crop that the server has kept; with its `id` it can be taken back. */
export interface KeptCorrection {
  readonly id: string;
  readonly label: string;
}

/** The browser's `fetch`, as far as it is used here. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/** So many faces' crops are held, in memory and no longer than they are in view. */
const MAX_FACES = 32;

/**
 * Crops of the faces in view, and sending one with its right label where the person wants that. Nothing is sent
 * before `agree` has been called in the session that is open.
 */
export class Corrections {
  readonly #server: () => string | URL;
  readonly #token: () => string | null;
  readonly #fetch: Fetch;
  readonly #crops = new Map<number, ArrayBuffer>();
  #sessionId: string | null = null;
  #agreedIn: string | null = null;

  /** @param server as for `serverUrl` */
  constructor(
    server: () => string | URL,
    token: () => string | null,
    fetch: Fetch = (url, init) => window.fetch(url, init),
  ) {
    this.#server = server;
    this.#token = token;
    this.#fetch = fetch;
  }

  /** A session has begun: whoever agreed in another one is asked again. */
  begin(sessionId: string): void {
    this.#sessionId = sessionId;
    this.#crops.clear();
  }

  /** These crops were sent to be recognised. */
  remember(faces: readonly FaceCrop[]): void {
    for (const { faceId, image } of faces) {
      this.#crops.delete(faceId);
      this.#crops.set(faceId, image);
    }
    for (const faceId of this.#crops.keys()) {
      if (this.#crops.size <= MAX_FACES) break;
      this.#crops.delete(faceId);
    }
  }

  forget(): void {
    this.#crops.clear();
  }

  /** The newest crop of a face; null where there is none. */
  cropOf(faceId: number): ArrayBuffer | null {
    return this.#crops.get(faceId) ?? null;
  }

  get agreed(): boolean {
    return this.#sessionId !== null && this.#agreedIn === this.#sessionId;
  }

  /** The person has agreed that pictures of the face are kept, in this session. */
  agree(): void {
    this.#agreedIn = this.#sessionId;
  }

  /** @throws Error with the server's words where it does not keep the crop, or where nobody has agreed */
  async send(crop: ArrayBuffer, label: string): Promise<KeptCorrection> {
    if (!this.agreed) throw new Error("nobody has agreed");
    const body = new FormData();
    body.set("file", new Blob([crop], { type: "image/jpeg" }), "face.jpg");
    body.set("label", label);
    body.set("consent", "true");
    const answer = await this.#ask("v1/corrections", { method: "POST", body });
    return (await answer.json()) as KeptCorrection;
  }

  /** @throws Error with the server's words where it cannot */
  async takeBack({ id }: KeptCorrection): Promise<void> {
    await this.#ask(`v1/corrections/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const token = this.#token();
    const headers = new Headers(token === null ? {} : { Authorization: `Bearer ${token}` });
    const answer = await this.#fetch(serverUrl(path, this.#server()), { ...init, headers });
    if (!answer.ok) throw new Error(await reasonOf(answer));
    return answer;
  }
}

async function reasonOf(answer: Response): Promise<string> {
  try {
    const { detail } = (await answer.json()) as { detail?: unknown };
    if (typeof detail === "string") return detail;
  } catch {
    // Not every proxy answers in JSON.
  }
  return `${answer.status} ${answer.statusText}`;
}
