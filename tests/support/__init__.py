"""What tests import and is no test: datasets, emulated arms, servers, judges."""
