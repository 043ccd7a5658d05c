//! Amparo: the one HTTP client, which goes nowhere private.
