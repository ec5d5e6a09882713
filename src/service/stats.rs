//! Figures over any window, and the audit.
