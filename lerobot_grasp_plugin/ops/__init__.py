"""The operations: typed arguments in, typed reports out, nothing printed."""
