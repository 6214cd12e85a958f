"""The only room that opens outgoing connections: which addresses are refused, and the HTTP client."""
