//! Amparo: the wallet application, all its I/O and its command line.
