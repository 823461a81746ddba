import type { PictureTrouble } from "../sources/pictureWatch";
import type { CameraChoice, SourceState } from "../sources/sourceState";
import type { SizePx } from "../detection/box";
import type { DetectorStatus } from "../detection/detectorKeeper";
import type { ConnectionState } from "../stream/connectionState";
import type { ErrorMessage, Receipt, SessionCreated } from "../stream/protocol";
import type { About } from "./about";
import { type FaceBox, type FacesView, NO_FACES } from "./faces";
import type { Rate } from "./rate";
import { NO_READINGS, type Readings } from "./readings";
import { createStore, type Store } from "./store";

/** Where the faces are. Changes with every detection, so components read it without React. */
export interface BoxesView {
  readonly frame: SizePx;
  readonly boxes: readonly FaceBox[];
}

/** All that the page shows. Each store changes at a rate of its own, so that little is drawn again. */
export interface LiveStores {
  readonly source: Store<SourceState>;
  /** What is wrong with the picture of a camera that is on. */
  readonly picture: Store<PictureTrouble | null>;
  readonly cameraChoices: Store<readonly CameraChoice[]>;
  readonly detector: Store<DetectorStatus>;
  readonly connection: Store<ConnectionState>;
  /** The latest session, also after it has ended: its labels keep their places. */
  readonly session: Store<SessionCreated | null>;
  readonly streamError: Store<ErrorMessage | null>;
  /** What the server says of itself; null before it has, and where it says nothing. */
  readonly about: Store<About | null>;
  /** Whether the person has agreed to start the camera, or the address leaves out the question. */
  readonly consent: Store<boolean>;
  /** Each session's latest, by the server's count. */
  readonly receipts: Store<readonly Receipt[]>;
  /** How often frames are sent, and what keeps it there; null while none is. */
  readonly rate: Store<Rate | null>;
  readonly boxes: Store<BoxesView>;
  readonly faces: Store<FacesView>;
  readonly readings: Store<Readings>;
  /** What those who hear the page are told of next: the faces of a moment, at most every two seconds. */
  readonly announcement: Store<FacesView | null>;
}

export function createStores(): LiveStores {
  return {
    source: createStore<SourceState>({ kind: "off" }),
    picture: createStore<PictureTrouble | null>(null),
    cameraChoices: createStore<readonly CameraChoice[]>([]),
    detector: createStore<DetectorStatus>({ kind: "off" }),
    connection: createStore<ConnectionState>({ kind: "idle" }),
    session: createStore<SessionCreated | null>(null),
    streamError: createStore<ErrorMessage | null>(null),
    about: createStore<About | null>(null),
    consent: createStore(false),
    receipts: createStore<readonly Receipt[]>([]),
    rate: createStore<Rate | null>(null),
    boxes: createStore<BoxesView>({ frame: { width: 4, height: 3 }, boxes: [] }),
    faces: createStore<FacesView>(NO_FACES),
    readings: createStore<Readings>(NO_READINGS),
    announcement: createStore<FacesView | null>(null),
  };
}
