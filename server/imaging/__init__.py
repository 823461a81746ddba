"""Image work that needs no network: decoding, orientation, limits, and the crop of a face."""
