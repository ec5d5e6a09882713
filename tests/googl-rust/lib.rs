//! Holds a test and nothing else: see `client.rs`.
