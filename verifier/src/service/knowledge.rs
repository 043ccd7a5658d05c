//! What the desk looks up beforehand: documents of types, and the keys of issuers that are known by their names.
//!
//! Never because a presentation arrived: whoever publishes a type or a key must not learn when and where a credential is shown.
//!
//! # Source
//! SD-JWT VC §3, §4, §5.3, §7.1, §8.3, §8.4.

use super::store::{StoreError, StoredIssuer, StoredType};
use super::{Desk, DeskError};
use crate::type_rules::TypeRules;
use credentials::issuer_metadata::{IssuerMetadata, IssuerMetadataError, KeySource, well_known_url};
use credentials::key::{KeySet, KeySetError};
use credentials::trust::{AnchorLimits, PublishedIssuers};
use credentials::type_metadata::{Bundled, DocumentError, MOST_EXTENSIONS, TypeDocuments as _, TypeMetadata};
use guarded_http::{Client, FetchError, Policy, Request, Response};
use schemas::{Seconds, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// After something could not be fetched, it is tried again this much later.
const RETRY: Seconds = Seconds::MINUTE.times(5);
/// How long something is fresh whose publisher does not say.
const FRESH: Seconds = Seconds::DAY;
/// Whatever a publisher says, nothing is fetched more often.
const LEAST: Seconds = Seconds::MINUTE.times(5);
/// And keys are relied on no longer without being fetched again: a key that was taken back must end.
const MOST: Seconds = Seconds::DAY.times(7);
/// The most bytes of an answer.
const MOST_BYTES: usize = 512 * 1024;

/// Fetches, and remembers what was fetched as it is used.
pub(super) struct Knowledge {
    client: Client,
    /// Held while what is due is fetched.
    looking_up: tokio::sync::Mutex<()>,
    at_hand: Mutex<Option<(i64, AtHand)>>,
}

/// What verification uses of it.
#[derive(Clone)]
pub(super) struct AtHand {
    pub(super) types: Arc<TypeRules>,
    pub(super) published: Arc<PublishedIssuers>,
}

/// Why something could not be looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookUpError {
    // The other party's fault, or what it wrote.
    /// It answered with something else.
    #[error("{host} answered with status {status}")]
    Status {
        /// Who.
        host: String,
        /// With what.
        status: u16,
    },
    /// Not a type's document.
    #[error("not a type metadata document: {0}")]
    Document(#[from] DocumentError),
    /// A document of a type that is ours, or that a file describes.
    #[error("the document is of the type {vct:?}, which is known from elsewhere")]
    Known {
        /// The type.
        vct: String,
    },
    /// A document that describes another type than the one whose address it was fetched from.
    #[error("the document is of the type {vct:?}, which has another address")]
    Elsewhere {
        /// The type.
        vct: String,
    },
    /// Not the issuer's metadata.
    #[error("not the issuer's metadata: {0}")]
    Metadata(#[from] IssuerMetadataError),
    /// Not the issuer's keys.
    #[error("not the issuer's keys: {0}")]
    Keys(#[from] KeySetError),
    /// More sources than are kept.
    #[error("too many types or issuers are known already")]
    TooMany,
    // The surroundings' fault.
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Something that was looked up beforehand, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Known {
    /// The `vct` of a type, or the `iss` of an issuer.
    pub name: String,
    /// Where it came from; `None` for a file.
    pub source: Option<String>,
    /// When it came.
    pub fetched_at: Option<Timestamp>,
    /// Until when an issuer's keys are relied on; a type's document has no end.
    pub until: Option<Timestamp>,
    /// Whether it can be used now.
    pub current: bool,
}

impl Knowledge {
    /// Loopback is fetched from only by a verifier that is itself on loopback.
    pub(super) fn new(allow_loopback_http: bool) -> Self {
        let policy = Policy {
            allow_loopback_http,
            max_body: MOST_BYTES,
            timeout: Duration::from_secs(10),
            redirects: 2,
            ..Policy::default()
        };
        Self { client: Client::new(policy), looking_up: tokio::sync::Mutex::default(), at_hand: Mutex::default() }
    }

    async fn get(&self, url: &str) -> Result<Response, LookUpError> {
        let response = self.client.send(Request::get(url).accept("application/json")).await?;
        // §3: the content of an error is never used in place of what was asked for.
        if response.status() == 200 {
            return Ok(response);
        }
        let host = response.url().host_str().unwrap_or_default().to_owned();
        Err(LookUpError::Status { host, status: response.status() })
    }
}

impl Desk {
    /// What is known now: another process may have changed it.
    pub(super) fn at_hand(&self) -> Result<AtHand, StoreError> {
        let generation = self.store().knowledge()?;
        let mut cached = self.knowledge().at_hand.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, at_hand)) = &*cached
            && *known == generation
        {
            return Ok(at_hand.clone());
        }
        let documents = self.store().types()?.into_iter().map(|known| (known.vct, known.document));
        let types = Arc::new(TypeRules::new(documents.collect::<BTreeMap<_, _>>()));
        let mut published = PublishedIssuers::new();
        for StoredIssuer { iss, keys, limits, until, .. } in self.store().issuers_due(None)? {
            let keys = KeySet::parse(&keys).map_err(|_| StoreError::Damaged)?;
            published.insert(&iss, keys, limits, until);
        }
        let at_hand = AtHand { types, published: Arc::new(published) };
        *cached = Some((generation, at_hand.clone()));
        Ok(at_hand)
    }

    /// Takes a type's document from a file; gives its type.
    ///
    /// # Errors
    /// [`LookUpError::Document`], [`LookUpError::Known`] for a type of ours; the store's.
    pub fn learn_type(&self, document: &[u8]) -> Result<String, LookUpError> {
        self.keep_type(document.to_vec(), None, self.now_unjudged()).map(|metadata| metadata.vct().to_owned())
    }

    /// Forgets a type, by its `vct` or by where it came from; false when it was not known.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn forget_type(&self, name: &str) -> Result<bool, DeskError> {
        Ok(self.store().remove_type(name)?)
    }

    /// Makes known where a type's document is published; it is fetched by [`Desk::look_up`], and again when its time has come.
    ///
    /// # Errors
    /// [`LookUpError::TooMany`]; the store's.
    pub fn learn_type_source(&self, url: &str) -> Result<(), LookUpError> {
        let put = self.store().put_type_source(url, self.now_unjudged())?;
        if put { Ok(()) } else { Err(LookUpError::TooMany) }
    }

    /// Believes an issuer by the keys that it publishes under its name `iss`, for what `limits` name; fetches them now.
    ///
    /// # Errors
    /// [`LookUpError`]; then it is not believed.
    ///
    /// # Source
    /// SD-JWT VC §2.5, §4, §7.3.
    pub async fn trust_published(&self, iss: &str, limits: Option<AnchorLimits>) -> Result<(), LookUpError> {
        self.fetch_keys(iss, limits, self.now_unjudged()).await
    }

    /// No longer believes an issuer by its name; false when it was not.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn distrust_published(&self, iss: &str) -> Result<bool, DeskError> {
        Ok(self.store().remove_issuer(iss)?)
    }

    /// Fetches everything that is known now, types and keys; gives what could not be fetched, by its source.
    ///
    /// # Errors
    /// [`DeskError`] of the desk itself.
    pub async fn look_up(&self) -> Result<Vec<(String, LookUpError)>, DeskError> {
        let now = self.time()?;
        self.look_up_at(now, None).await.map_err(DeskError::from)
    }

    /// Fetches what is due, unless that is being done already: a host that hangs is not asked again meanwhile.
    pub(super) async fn look_up_due(&self, now: Timestamp) -> Result<(), StoreError> {
        let Ok(_alone) = self.knowledge().looking_up.try_lock() else { return Ok(()) };
        for (source, error) in self.look_up_at(now, Some(now)).await? {
            let host = url::Url::parse(&source).ok().and_then(|url| url.host_str().map(str::to_owned));
            tracing::warn!(host = host.unwrap_or_default(), %error, "a type or an issuer's keys could not be fetched");
        }
        Ok(())
    }

    async fn look_up_at(
        &self,
        now: Timestamp,
        due: Option<Timestamp>,
    ) -> Result<Vec<(String, LookUpError)>, StoreError> {
        let mut failed = Vec::new();
        let mut sources = self.store().type_sources_due(due)?;
        // What a type extends is fetched as well, and what that extends; a chain that is longer is refused in any case.
        for _ in 0..MOST_EXTENSIONS {
            let mut above = Vec::new();
            for url in sources {
                match self.fetch_type(&url, now).await {
                    Ok(extended) => above.extend(extended),
                    Err(LookUpError::Store(error)) => return Err(error),
                    Err(error) => {
                        self.store().put_type_source(&url, now.plus(RETRY))?;
                        failed.push((url, error));
                    }
                }
            }
            sources = above;
        }
        for StoredIssuer { iss, .. } in self.store().issuers_due(due)? {
            match self.fetch_keys(&iss, None, now).await {
                Ok(()) => {}
                Err(LookUpError::Store(error)) => return Err(error),
                Err(error) => {
                    self.store().put_off_issuer(&iss, now.plus(RETRY))?;
                    failed.push((iss, error));
                }
            }
        }
        Ok(failed)
    }

    /// Fetches a type's document; gives where the one that it extends is, when that is a URL nobody has a document of.
    async fn fetch_type(&self, url: &str, now: Timestamp) -> Result<Option<String>, LookUpError> {
        let response = self.knowledge().get(url).await?;
        let fresh = fresh_for(&response);
        let metadata = self.keep_type(response.into_body(), Some(url), now)?;
        self.store().put_type_source(url, now.plus(fresh))?;
        let Some(extended) = metadata.extends().filter(|extended| is_url(extended)) else { return Ok(None) };
        let known = self.store().types()?.iter().any(|known| known.vct == *extended);
        if known {
            return Ok(None);
        }
        if !self.store().put_type_source(extended, now)? {
            return Err(LookUpError::TooMany);
        }
        Ok(Some(extended.to_owned()))
    }

    /// Keeps a document that can be read. What was fetched describes the type whose name is the address it was fetched from, and
    /// no other: whoever writes a type that one here extends could otherwise describe, and so refuse, everybody's.
    ///
    /// # Source
    /// SD-JWT VC §5.3.1 "From a URL in the vct Claim", §5.3.2.
    fn keep_type(&self, document: Vec<u8>, source: Option<&str>, now: Timestamp) -> Result<TypeMetadata, LookUpError> {
        let metadata = TypeMetadata::parse(&document)?;
        let vct = metadata.vct();
        if source.is_some_and(|url| url != vct) {
            return Err(LookUpError::Elsewhere { vct: vct.to_owned() });
        }
        let elsewhere = self.store().types()?.iter().any(|known| known.vct == vct && known.source.as_deref() != source);
        // Whoever runs the desk has the last word on a type that a file was given for.
        if Bundled::only().document(vct).is_some() || elsewhere && source.is_some() {
            return Err(LookUpError::Known { vct: vct.to_owned() });
        }
        let source = source.map(str::to_owned);
        self.store().put_type(&StoredType { vct: vct.to_owned(), document, source, fetched_at: now })?;
        Ok(metadata)
    }

    async fn fetch_keys(&self, iss: &str, limits: Option<AnchorLimits>, now: Timestamp) -> Result<(), LookUpError> {
        let response = self.knowledge().get(&well_known_url(iss)?).await?;
        let mut fresh = fresh_for(&response);
        let body = response.into_body();
        let metadata = IssuerMetadata::parse(&body, iss)?;
        let keys = match metadata.keys() {
            KeySource::At(url) => {
                let response = self.knowledge().get(url).await?;
                fresh = fresh.min(fresh_for(&response));
                let keys = response.into_body();
                KeySet::parse(&keys)?;
                keys
            }
            _ => keys_in(&body)?,
        };
        // Twice as long as it is fresh, so that a host that is away for an hour closes no border.
        let until = now.plus(fresh.times(2).max(FRESH).min(MOST));
        let issuer = StoredIssuer { iss: iss.to_owned(), keys, limits, fetched_at: now, until };
        let put = self.store().put_issuer(&issuer, now.plus(fresh))?;
        if put { Ok(()) } else { Err(LookUpError::TooMany) }
    }

    /// The types that are known beside our own, and the issuers that are known by their names. Fetches nothing.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn known(&self) -> Result<(Vec<Known>, Vec<Known>), DeskError> {
        let now = self.time()?;
        let stored = self.store().types()?;
        let mut types: Vec<Known> = stored
            .iter()
            .map(|known| Known {
                name: known.vct.clone(),
                source: known.source.clone(),
                fetched_at: Some(known.fetched_at),
                until: None,
                current: true,
            })
            .collect();
        for url in self.store().type_sources_due(None)? {
            if !stored.iter().any(|known| known.source.as_ref() == Some(&url)) {
                types.push(Known {
                    name: url.clone(),
                    source: Some(url),
                    fetched_at: None,
                    until: None,
                    current: false,
                });
            }
        }
        let issuers = self.store().issuers_due(None)?.into_iter().map(|issuer| Known {
            name: issuer.iss.clone(),
            source: Some(issuer.iss),
            fetched_at: Some(issuer.fetched_at),
            until: Some(issuer.until),
            current: now <= issuer.until,
        });
        Ok((types, issuers.collect()))
    }
}

/// The key set in the metadata, by itself.
fn keys_in(metadata: &[u8]) -> Result<Vec<u8>, LookUpError> {
    let metadata: serde_json::Value = serde_json::from_slice(metadata).map_err(|_| IssuerMetadataError::Keys)?;
    let keys = metadata.get("jwks").map(ToString::to_string).ok_or(IssuerMetadataError::Keys)?;
    Ok(keys.into_bytes())
}

fn is_url(name: &str) -> bool {
    url::Url::parse(name).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

/// How long an answer is fresh, within bounds.
///
/// # Source
/// RFC 9111 §4.2.1, §5.2.2.1; SD-JWT VC §3.
fn fresh_for(response: &Response) -> Seconds {
    let directives = response.header("cache-control").unwrap_or_default().to_ascii_lowercase();
    let mut directives = directives.split(',').map(str::trim);
    let said = directives.find_map(|directive| match directive {
        "no-store" | "no-cache" => Some(LEAST),
        _ => directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok().map(Seconds::new),
    });
    said.unwrap_or(FRESH).clamp(LEAST, MOST)
}
