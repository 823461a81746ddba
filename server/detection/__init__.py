"""Finding faces in whole pictures: detector, tiles, tracking, and the crop that the networks get."""
