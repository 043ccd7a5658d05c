//! Amparo: the issuer, OpenID4VCI 1.0.
