"""HTTP and WebSocket routes. Each module has one router; routers do not import each other."""
