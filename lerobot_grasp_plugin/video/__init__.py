"""Video packets: read, planned, copied; decoded only to look at."""
