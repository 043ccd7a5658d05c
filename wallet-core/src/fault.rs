//! Who can mend a failure: every error of the ceremonies says so, and what to do next.

/// Who can mend a failure.
///
/// An application maps each to one exit code or one screen; the error's message says what was wrong, its
/// [`Blame::hint`] what to do next. Neither holds a claim value, a key or a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// What was given cannot be used: a link that is no link, a path that names nothing.
    Input,
    /// The other party or its data was refused: signature, trust, expiry, policy.
    Peer,
    /// The person has not agreed, or must first agree to something more.
    Person,
    /// The network, or the other party's machine, did not serve.
    Network,
    /// The vault could not be read or written.
    Storage,
}

/// An error that says who can mend it.
pub trait Blame: std::error::Error {
    /// Who can mend it.
    fn fault(&self) -> Fault;

    /// What to do next: one plain sentence.
    fn hint(&self) -> &'static str;
}
