"""Images without a network: decoding, orientation, limits, and the crop of a face."""
