"""Renders the declared calls in OpenAPI 3.1, with the types that the server reads and writes."""
