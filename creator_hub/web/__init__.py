"""The page shell and the HTTP edge: binding of routes, sign-in state, CSRF, error map, assets, health, OpenAPI."""
