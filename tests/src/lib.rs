//! Amparo: the world in tests.
