//! Questions to the person. They are asked on a terminal, or not at all.

use crate::failure::Failure;
use crate::messages;
use dialoguer::{Confirm, Input};
use std::io::{self, IsTerminal, Write};

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

/// Asks for the transaction code of an offer.
///
/// # Errors
/// Declined if the person goes away; usage if there is nobody to ask.
pub(super) fn transaction_code(description: &str) -> Result<String, Failure> {
    demand_terminal(messages::TX_CODE_HINT)?;
    Input::<String>::new().with_prompt(description).interact_text().map_err(|_| Failure::declined())
}

fn demand_terminal(hint: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage(messages::NOBODY_TO_ASK, hint))
}
