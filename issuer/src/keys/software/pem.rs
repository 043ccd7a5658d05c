//! The blocks of a PEM file (RFC 7468 §2), told apart by their label.

/// The blocks of a PEM text, each with its lines.
pub(super) struct Blocks<'t>(Vec<(&'t str, &'t str)>);

impl<'t> Blocks<'t> {
    /// Splits a text; what stands outside a block, or in one that never ends, is left out.
    pub(super) fn split(text: &'t str) -> Self {
        let mut blocks = Vec::new();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once("-----BEGIN ") {
            let Some((label, _)) = after.split_once("-----") else { break };
            let end = format!("-----END {label}-----");
            let Some(length) = after.find(&end).map(|at| at + end.len()) else { break };
            let begin = rest.len() - after.len() - "-----BEGIN ".len();
            let stop = begin + "-----BEGIN ".len() + length;
            if let Some(block) = rest.get(begin..stop) {
                blocks.push((label, block));
            }
            rest = rest.get(stop..).unwrap_or_default();
        }
        Self(blocks)
    }

    /// The first block with that label.
    pub(super) fn first(&self, label: &str) -> Option<&'t str> {
        self.0.iter().find(|(l, _)| *l == label).map(|(_, block)| *block)
    }

    /// All blocks with that label, one after another.
    pub(super) fn all(&self, label: &str) -> String {
        self.0.iter().filter(|(l, _)| *l == label).map(|(_, block)| format!("{block}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_apart_by_label() {
        let text = "note\n-----BEGIN A-----\nxx\n-----END A-----\n-----BEGIN B-----\n1\n-----END B-----\n-----BEGIN B-----\n2\n-----END B-----\n";
        let blocks = Blocks::split(text);
        assert_eq!(blocks.first("A"), Some("-----BEGIN A-----\nxx\n-----END A-----"));
        assert_eq!(blocks.all("B"), "-----BEGIN B-----\n1\n-----END B-----\n-----BEGIN B-----\n2\n-----END B-----\n");
        assert_eq!(Blocks::split("-----BEGIN A-----\nnever ends").first("A"), None);
        assert_eq!(Blocks::split("-----BEGIN ").first("A"), None);
    }
}
