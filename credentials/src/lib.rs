//! Amparo: credential formats and their checks.
