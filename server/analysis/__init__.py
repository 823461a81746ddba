"""Images and video frames to faces: detect, track, crop, recognise, smooth. One way for HTTP, stream and
files."""
