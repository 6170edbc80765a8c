"""Reads and copies video packets; decodes only frames that are viewed."""
