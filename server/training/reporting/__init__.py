"""Reports of an evaluation: plots, and a page with them."""
