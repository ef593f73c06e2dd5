//! Input that never ends or takes all memory: expressions, git objects, answers of a server.
