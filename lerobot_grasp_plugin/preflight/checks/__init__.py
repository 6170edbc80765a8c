"""One module per topic, each a function from facts to findings."""
