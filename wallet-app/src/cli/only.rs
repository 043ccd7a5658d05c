//! `--only`: claims by name, or by path as DCQL writes it.

use crate::failure::Failure;
use crate::messages;
use schemas::{ClaimPath, PathElement};

/// Reads every `--only`: names with commas between (`given_name,family_name`), one path (`["address","locality"]`), or paths
/// with commas between (`["given_name"],["address","locality"]`). `None` when there was no `--only` at all.
///
/// # Errors
/// Usage, if one is neither or names nothing.
pub(super) fn paths(given: &[String]) -> Result<Option<Vec<ClaimPath>>, Failure> {
    if given.is_empty() {
        return Ok(None);
    }
    let mut paths = Vec::new();
    for text in given {
        paths.extend(read(text.trim()).ok_or_else(|| Failure::usage(messages::NOT_PATHS, messages::NOT_PATHS_HINT))?);
    }
    Ok(Some(paths))
}

fn read(text: &str) -> Option<Vec<ClaimPath>> {
    if !text.starts_with('[') {
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        return names
            .iter()
            .all(|name| !name.is_empty())
            .then(|| names.iter().map(|name| ClaimPath::names([*name])).collect());
    }
    // One path is an array of names; several are arrays beside each other, or in one more array.
    let paths: Vec<ClaimPath> = serde_json::from_str::<ClaimPath>(text)
        .map(|path| vec![path])
        .or_else(|_| serde_json::from_str(text))
        .or_else(|_| serde_json::from_str(&format!("[{text}]")))
        .ok()?;
    let usable = |path: &ClaimPath| matches!(path.elements().first(), Some(PathElement::Name(_)));
    (!paths.is_empty() && paths.iter().all(usable)).then_some(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(given: &[&str]) -> Option<Vec<ClaimPath>> {
        paths(&given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn claims_are_named_in_three_ways() {
        let (given, locality) = (ClaimPath::names(["given_name"]), ClaimPath::names(["address", "locality"]));
        assert_eq!(read_all(&[]), None);
        assert_eq!(read_all(&["given_name"]).unwrap(), std::slice::from_ref(&given));
        assert_eq!(read_all(&["given_name, birth_date"]).unwrap(), [given.clone(), ClaimPath::names(["birth_date"])]);
        assert_eq!(read_all(&[r#"["address","locality"]"#]).unwrap(), std::slice::from_ref(&locality));
        assert_eq!(read_all(&[r#"["given_name"],["address","locality"]"#]).unwrap(), [given.clone(), locality.clone()]);
        assert_eq!(
            read_all(&[r#"[["given_name"],["address","locality"]]"#]).unwrap(),
            [given.clone(), locality.clone()]
        );
        assert_eq!(read_all(&["given_name", r#"["address","locality"]"#]).unwrap(), [given, locality]);
    }

    #[test]
    fn what_names_nothing_is_usage() {
        for text in ["", ",", "a,,b", "[]", "[[]]", "[0]", "[null]", "[1.5]", r#"["a""#, r#"[["a"],"b"]"#] {
            assert!(paths(&[text.to_owned()]).is_err(), "{text}");
        }
    }
}
