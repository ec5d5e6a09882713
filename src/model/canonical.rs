//! The canonical form of an address.
