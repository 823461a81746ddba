import { useEffect, useRef } from "react";
import type { SizePx } from "../../detection/box";
import { isMirrored, type SourceState } from "../../sources/sourceState";
import { useLive } from "../liveContext";
import { useStore } from "../useStore";
import "./sources.css";

interface SourcePictureProps {
  readonly onSize: (size: SizePx) => void;
}

/** The picture of whatever is looked at. Only CSS mirrors: boxes and crops are of the frame as it is. */
export function SourcePicture({ onSize }: SourcePictureProps) {
  const live = useLive();
  const source = useStore(live.stores.source, (state) => state);
  if (source.kind === "live" && source.source === "image") {
    return <Image key={source.url} url={source.url} name={source.name} onSize={onSize} />;
  }
  return <Video source={source} onSize={onSize} />;
}

function Video({ source, onSize }: SourcePictureProps & { readonly source: SourceState }) {
  const live = useLive();
  const video = useRef<HTMLVideoElement>(null);
  const stream = source.kind === "live" && "stream" in source ? source.stream : null;
  const url = source.kind === "live" && source.source === "video" ? source.url : undefined;

  useEffect(() => (video.current === null ? undefined : live.attachVideo(video.current)), [live]);

  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream;
  }, [stream]);

  return (
    <video
      ref={video}
      className="stage-video"
      src={url}
      controls={url !== undefined}
      data-live={source.kind === "live"}
      data-mirrored={isMirrored(source)}
      autoPlay
      muted
      playsInline
      onResize={({ currentTarget: { videoWidth: width, videoHeight: height } }) => {
        if (width > 0 && height > 0) onSize({ width, height });
      }}
    />
  );
}

interface ImageProps extends SourcePictureProps {
  readonly url: string;
  readonly name: string;
}

function Image({ url, name, onSize }: ImageProps) {
  const live = useLive();
  const image = useRef<HTMLImageElement>(null);

  useEffect(() => (image.current === null ? undefined : live.attachImage(image.current)), [live]);

  return (
    <img
      ref={image}
      className="stage-video"
      src={url}
      alt={name}
      data-live
      data-mirrored={false}
      onLoad={({ currentTarget: { naturalWidth: width, naturalHeight: height } }) =>
        onSize({ width, height })
      }
    />
  );
}
