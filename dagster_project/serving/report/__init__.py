"""One page of what a release says: a file without network, for the screen, the phone and paper."""
