"""The web page to label by looking."""
