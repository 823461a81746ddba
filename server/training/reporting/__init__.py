"""An evaluation for people to read: plots, and a page around them."""
