//! What the console's pages read: one query a list, keyset pages, nothing that writes.
