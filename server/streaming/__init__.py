"""The streaming protocol without I/O: wire format, and one session's policy."""
