//! Amparo: the holder's side of the wallet, without I/O.
