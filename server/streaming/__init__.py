"""The rules of a streaming session, without I/O."""
