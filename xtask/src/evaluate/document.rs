//! The document: prose by hand, and between markers what was measured.

use std::path::PathBuf;

/// A document whose blocks can be written anew.
pub(super) struct Document(PathBuf);

/// Why a block could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error("{path}: {source}")]
    Storage { path: PathBuf, source: std::io::Error },
    #[error("{path} has no block `<!-- measured: {name} -->` that ends with `<!-- /measured -->`")]
    NoBlock { path: PathBuf, name: String },
}

impl Document {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Puts `block` between the markers of that name. The document is read anew each time: prose may have changed meanwhile.
    pub(super) fn replace(&self, name: &str, block: &str) -> Result<(), DocumentError> {
        let Self(path) = self;
        let storage = |source| DocumentError::Storage { path: path.clone(), source };
        let text = std::fs::read_to_string(path).map_err(storage)?;
        let text = replaced(&text, name, block)
            .ok_or_else(|| DocumentError::NoBlock { path: path.clone(), name: name.to_owned() })?;
        std::fs::write(path, text).map_err(storage)
    }
}

fn replaced(text: &str, name: &str, block: &str) -> Option<String> {
    let begin = format!("<!-- measured: {name} -->\n");
    let (before, rest) = text.split_once(&begin)?;
    let (old, _) = rest.split_once(END)?;
    // The end must be this block's own.
    if old.contains("<!-- measured:") {
        return None;
    }
    let after = rest.get(old.len()..)?;
    Some(format!("{before}{begin}{}\n{after}", block.trim_end()))
}

const END: &str = "<!-- /measured -->";

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn a_block_is_replaced_and_all_else_stays() {
        let text = "a\n<!-- measured: x -->\nold\n<!-- /measured -->\nb\n<!-- measured: y -->\n<!-- /measured -->\nc";
        let expected =
            "a\n<!-- measured: x -->\nnew\n<!-- /measured -->\nb\n<!-- measured: y -->\n<!-- /measured -->\nc";
        assert_eq!(replaced(text, "x", "new\n\n").as_deref(), Some(expected));
        assert_eq!(replaced(expected, "x", "new").as_deref(), Some(expected));
        assert!(replaced(text, "y", "new").unwrap().contains("y -->\nnew\n<!-- /measured -->\nc"));
    }

    #[test]
    fn a_block_that_is_not_there_or_has_no_end_of_its_own_is_no_block() {
        assert_eq!(replaced("a", "x", "new"), None);
        assert_eq!(replaced("<!-- measured: x -->\n", "x", "new"), None);
        let open = "<!-- measured: x -->\n<!-- measured: y -->\n<!-- /measured -->";
        assert_eq!(replaced(open, "x", "new"), None);
    }
}
