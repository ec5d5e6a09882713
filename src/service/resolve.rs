//! Code in, decision out: the only question of the reader's path.
