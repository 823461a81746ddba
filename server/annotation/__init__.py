"""Pictures over HTTP, without the HTTP: from encoded pictures to recognised faces, and drawings of them."""
