"""The streaming protocol, version 1, for server and client: messages, frames and the reconnect rule."""
