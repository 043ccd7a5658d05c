//! Questions to the person. They are asked on a terminal, or not at all.

use crate::failure::Failure;
use crate::messages;
use dialoguer::{Confirm, Input, Password};
use std::io::{self, BufRead, IsTerminal, Read, Write};
use zeroize::Zeroizing;

/// Demands somebody to ask, unless `--yes` has answered already: before anything is opened or spent.
///
/// # Errors
/// Usage if there is nobody.
pub(super) fn somebody_to_ask(yes: bool) -> Result<(), Failure> {
    if yes { Ok(()) } else { demand_terminal(messages::YES_HINT) }
}

/// Shows `summary` and asks `question`, unless `--yes` has answered it.
///
/// The answer is no unless it is yes: a bare return key refuses.
///
/// # Errors
/// Declined if the person says no or goes away; usage if there is nobody to ask.
pub(super) fn agree(summary: &str, question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    demand_terminal(messages::YES_HINT)?;
    tell(summary)?;
    match Confirm::new().with_prompt(question).default(false).interact() {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(Failure::declined()),
    }
}

/// Asks a question to which no is an answer as good as yes, and the one that a bare return key gives.
///
/// # Errors
/// Declined if the person goes away; usage if there is nobody to ask.
pub(super) fn says_yes(question: &str) -> Result<bool, Failure> {
    demand_terminal(messages::YES_HINT)?;
    Confirm::new().with_prompt(question).default(false).interact().map_err(|_| Failure::declined())
}

/// Shows text to the person before a question.
///
/// # Errors
/// Declined if it cannot be shown: nobody agrees to what they have not seen.
pub(super) fn tell(text: &str) -> Result<(), Failure> {
    if text.is_empty() { Ok(()) } else { writeln!(io::stderr(), "{text}").map_err(|_| Failure::declined()) }
}

/// Whether a person reads what is said and can answer: all three are terminals.
pub(super) fn is_a_conversation() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Asks for the transaction code of an offer.
///
/// # Errors
/// Declined if the person goes away; usage if there is nobody to ask.
pub(super) fn transaction_code(description: &str) -> Result<String, Failure> {
    demand_terminal(messages::TX_CODE_HINT)?;
    Input::<String>::new().with_prompt(description).interact_text().map_err(|_| Failure::declined())
}

/// Takes in what must not stand on a command line, where other programs of this machine can read it: typed or pasted on the
/// terminal without being shown, or the next line of standard input where that is no terminal.
///
/// # Errors
/// Declined if the person goes away; usage if there is no such line.
pub(super) fn unseen(description: &str) -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        let typed = Password::new().with_prompt(description).allow_empty_password(true).interact();
        return typed.map(Zeroizing::new).map_err(|_| Failure::declined());
    }
    let mut line = Zeroizing::new(String::with_capacity(MAX_LINE));
    let read = io::stdin().lock().take(MAX_LINE as u64).read_line(&mut line);
    match read {
        Ok(0) | Err(_) => Err(Failure::usage(messages::NOTHING_PASTED, messages::NOTHING_PASTED_HINT)),
        Ok(_) => Ok(Zeroizing::new(line.trim().to_owned())),
    }
}

/// The longest line: an offer has 64 KiB at most.
const MAX_LINE: usize = 64 * 1024 + 2;

fn demand_terminal(hint: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage(messages::NOBODY_TO_ASK, hint))
}
