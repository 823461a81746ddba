"""Measurements that users can repeat. Ratios inside one run, so that the machine's mood cancels out."""
