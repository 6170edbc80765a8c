"""The command line: parse with draccus, call one operation, print its report."""
