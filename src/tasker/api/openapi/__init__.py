"""The API's description in OpenAPI 3.1, made from the types that the server reads and writes: one file per noun."""
