"""One dataset changed: each operation becomes recipes of the merge engine."""
