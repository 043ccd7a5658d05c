//! Amparo: the verifier, OpenID4VP 1.0, a library first.
