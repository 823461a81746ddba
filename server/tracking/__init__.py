"""Who is who from frame to frame, and each face's moving average. No I/O."""
