//! What is signed: the RDF of a document in its canonical form, and nothing of the document left out of it.

use crate::contexts::Contexts;
use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
use oxrdf::vocab::rdf;
use oxrdf::{BlankNodeRef, Dataset, GraphName, NamedNode, NamedOrBlankNode, Quad, Term};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Why a document has no canonical form that we sign or check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// A context that the operator did not give.
    #[error("the document names a context that is not known here")]
    UnknownContext,
    /// Not JSON-LD.
    #[error("the document is not JSON-LD 1.1 under its contexts")]
    JsonLd,
    /// A name that no context defines: a JSON-LD processor drops it, so that nobody signed it.
    #[error("the document has a member or a type that none of its contexts defines, so that nobody signed it")]
    Undefined,
    /// A value that RDF has no place for: null, an empty array, a relative address, a list, a nested context or a keyword.
    #[error("the document has a value that is not in its signed form")]
    Unsigned,
    /// More statements or nameless nodes than are sorted.
    #[error("the document has more statements or nameless nodes than are read")]
    TooLarge,
    /// So many nameless nodes look alike that sorting them could take for ever.
    #[error("the document has too many nameless nodes that look alike")]
    Poisoned,
}

/// The statements of a document, each a line with its end, in the order of their code points.
pub(crate) struct Canonical {
    quads: Vec<Quad>,
}

/// With which function nameless nodes are told apart.
pub(crate) type Hash = CanonicalizationHashAlgorithm;

impl Canonical {
    /// Of `document`, whose `@context` must be the list `contexts`, of URLs alone.
    ///
    /// # Errors
    /// [`CanonicalError`].
    ///
    /// # Source
    /// RDFC-1.0 §4.4, §7.1 (poisoned datasets); JSON-LD 1.1 API §8.1; Data Integrity 1.0 §4.6 with §2.4.3: what is dropped is an error.
    pub(crate) fn of(document: &Map<String, Value>, known: &Contexts, hash: Hash) -> Result<Self, CanonicalError> {
        let contexts = document.get("@context").and_then(Value::as_array).ok_or(CanonicalError::UnknownContext)?;
        if !contexts.iter().all(|url| url.as_str().is_some_and(|url| known.contains(url))) {
            return Err(CanonicalError::UnknownContext);
        }
        let expected = statements(document, true)?;
        let mut marked = document.clone();
        // What no later context defines falls under this one, and is found below. Contexts are known beforehand: none ends it.
        let mut with_mark = vec![json!({ "@vocab": UNDEFINED })];
        with_mark.extend(contexts.iter().cloned());
        marked.insert("@context".to_owned(), Value::Array(with_mark));
        let text = Value::Object(marked).to_string();

        let parser = JsonLdParser::new().with_base_iri(BASE).map_err(|_| CanonicalError::JsonLd)?;
        let contexts = known.clone();
        let parser = parser.for_slice(&text).with_load_document_callback(move |url, _| match contexts.get(url) {
            Some(bytes) => Ok(JsonLdRemoteDocument { document: bytes.to_vec(), document_url: url.to_owned() }),
            None => Err("unknown context".into()),
        });
        let mut dataset = Dataset::new();
        let mut emitted = 0_usize;
        for quad in parser {
            let quad = quad.map_err(|_| CanonicalError::JsonLd)?;
            emitted += 1;
            if emitted > MOST_STATEMENTS {
                return Err(CanonicalError::TooLarge);
            }
            if quad.graph_name != GraphName::DefaultGraph || quad.predicate == rdf::FIRST || quad.predicate == rdf::REST
            {
                return Err(CanonicalError::Unsigned);
            }
            for name in names(&quad) {
                if name.starts_with(UNDEFINED) {
                    return Err(CanonicalError::Undefined);
                }
                if name.starts_with(RELATIVE) {
                    return Err(CanonicalError::Unsigned);
                }
            }
            dataset.insert(&quad);
        }
        // Dropped, or said twice: either way there would be two texts for one signature.
        if emitted != expected || dataset.len() != emitted {
            return Err(CanonicalError::Unsigned);
        }
        must_be_quick(&dataset)?;
        dataset.canonicalize(CanonicalizationAlgorithm::Rdfc10 { hash_algorithm: hash });
        Ok(Self { quads: dataset.iter().map(|quad| quad.into_owned()).collect() })
    }

    /// The lines, sorted.
    pub(crate) fn lines(&self) -> Vec<String> {
        sorted(self.quads.iter().map(line).collect())
    }

    /// The lines, sorted, with other names for nameless nodes; `None` when one of them has no other name.
    ///
    /// # Source
    /// Data Integrity ECDSA Cryptosuites 1.0 §3.4.1 `labelReplacementCanonicalizeNQuads`.
    pub(crate) fn relabelled(&self, labels: &BTreeMap<String, String>) -> Option<Vec<String>> {
        let renamed = |node: BlankNodeRef<'_>| oxrdf::BlankNode::new(labels.get(node.as_str())?.as_str()).ok();
        let mut lines = Vec::with_capacity(self.quads.len());
        for quad in &self.quads {
            let mut quad = quad.clone();
            if let NamedOrBlankNode::BlankNode(node) = &quad.subject {
                quad.subject = renamed(node.as_ref())?.into();
            }
            if let Term::BlankNode(node) = &quad.object {
                quad.object = renamed(node.as_ref())?.into();
            }
            lines.push(line(&quad));
        }
        Some(sorted(lines))
    }
}

fn line(quad: &Quad) -> String {
    format!("{quad} .\n")
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}

/// How many statements a node of JSON must become, everything in it counted; an error for what never becomes one.
fn statements(node: &Map<String, Value>, top: bool) -> Result<usize, CanonicalError> {
    let mut count = 0;
    for (name, value) in node {
        match name.as_str() {
            "@context" if top => {}
            "id" => {
                // A nameless node that names itself could pose as another.
                let named = value.as_str().is_some_and(|id| !id.is_empty() && !id.starts_with("_:"));
                if !named {
                    return Err(CanonicalError::Unsigned);
                }
            }
            _ if name.starts_with('@') || name.contains(':') => return Err(CanonicalError::Unsigned),
            _ => count += values(value)?,
        }
    }
    Ok(count)
}

fn values(value: &Value) -> Result<usize, CanonicalError> {
    match value {
        Value::Null => Err(CanonicalError::Unsigned),
        Value::Array(items) if items.is_empty() => Err(CanonicalError::Unsigned),
        Value::Array(items) => items.iter().map(values).sum(),
        Value::Object(literal) if literal.contains_key("@value") => {
            let plain =
                literal.iter().all(|(name, value)| (name == "@value" || name == "@language") && value.is_string());
            if plain { Ok(1) } else { Err(CanonicalError::Unsigned) }
        }
        Value::Object(node) => Ok(1 + statements(node, false)?),
        Value::String(text) if text.starts_with("_:") => Err(CanonicalError::Unsigned),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(1),
    }
}

/// Every IRI of a statement.
fn names(quad: &Quad) -> impl Iterator<Item = &str> {
    let subject = match &quad.subject {
        NamedOrBlankNode::NamedNode(node) => Some(node),
        NamedOrBlankNode::BlankNode(_) => None,
    };
    let object = match &quad.object {
        Term::NamedNode(node) => Some(node),
        _ => None,
    };
    let datatype = match &quad.object {
        Term::Literal(literal) => Some(literal.datatype().as_str()),
        _ => None,
    };
    [subject, Some(&quad.predicate), object].into_iter().flatten().map(NamedNode::as_str).chain(datatype)
}

/// Telling apart nameless nodes that look alike tries their orders: so few of them may.
///
/// # Source
/// RDFC-1.0 §4.6 (the first-degree form of a node), §7.1.
fn must_be_quick(dataset: &Dataset) -> Result<(), CanonicalError> {
    let mut forms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for quad in dataset {
        let quad = quad.into_owned();
        let nodes: BTreeSet<String> = [
            match &quad.subject {
                NamedOrBlankNode::BlankNode(node) => Some(node.as_str().to_owned()),
                NamedOrBlankNode::NamedNode(_) => None,
            },
            match &quad.object {
                Term::BlankNode(node) => Some(node.as_str().to_owned()),
                _ => None,
            },
        ]
        .into_iter()
        .flatten()
        .collect();
        for own in nodes {
            let label = |node: &str| if node == own { "_:a" } else { "_:z" };
            let subject = match &quad.subject {
                NamedOrBlankNode::BlankNode(node) => label(node.as_str()).to_owned(),
                NamedOrBlankNode::NamedNode(node) => node.to_string(),
            };
            let object = match &quad.object {
                Term::BlankNode(node) => label(node.as_str()).to_owned(),
                other => other.to_string(),
            };
            let form = format!("{subject} {} {object}", quad.predicate);
            forms.entry(own).or_default().insert(form);
        }
    }
    if forms.len() > MOST_NAMELESS {
        return Err(CanonicalError::TooLarge);
    }
    let mut alike: BTreeMap<String, usize> = BTreeMap::new();
    for lines in forms.values() {
        let mut form = String::new();
        for line in lines {
            // Writing to a String does not fail.
            let _ = writeln!(form, "{line}");
        }
        *alike.entry(form).or_default() += 1;
    }
    let ambiguous: usize = alike.values().filter(|count| **count > 1).sum();
    if ambiguous > MOST_ALIKE { Err(CanonicalError::Poisoned) } else { Ok(()) }
}

/// Where a name lands that no context defines, and a relative address: nobody else may use either.
const UNDEFINED: &str = "urn:uuid:6f8a0d8e-2b60-4a53-9a2c-7a1f0f0f64b1#";
const RELATIVE: &str = "relative-6f8a0d8e:";
const BASE: &str = "relative-6f8a0d8e://relative/";

const MOST_STATEMENTS: usize = 2048;
const MOST_NAMELESS: usize = 256;
const MOST_ALIKE: usize = 5;
