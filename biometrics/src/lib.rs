//! Amparo: from a biometric sample to a template, a comparison and a released key.
