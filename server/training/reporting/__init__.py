"""Reports of an evaluation: plots, and a page that shows them."""
