//! Making a request, and giving it to the wallet that fetches it.

use super::{Desk, DeskError, rng};
use crate::guarded::RecordId;
use crate::policy::{ClientIdPrefix, ConsentMode, IssuerAlgorithms, LinkScheme, ResponseMode, UnknownStatus};
use crate::service::go_on::GoOn;
use crate::service::key_files::KeyKind;
use crate::service::registrar::OwnRegistration;
use crate::transaction::{Asker, Inquiry, Transaction};
use credentials::dcql::Query;
use credentials::jwe::DecryptionKey;
use credentials::request_object;
use schemas::openid4vp::VerifierInfo;
use schemas::purpose::Purpose;
use schemas::registration::FORMAT as REGISTRATION;
use schemas::{Seconds, Timestamp};
use std::sync::Arc;

/// What is to be asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The credentials and claims.
    pub query: Query,
    /// What for.
    pub purpose: Purpose,
    /// How long the verifier would keep the answer.
    pub retention: Seconds,
    /// Whether a consent is asked for.
    pub consent: ConsentMode,
    /// How the answer travels.
    pub response_mode: ResponseMode,
    /// What happens when a status cannot be told.
    pub unknown_status: UnknownStatus,
    /// By which algorithms issuers may have signed.
    pub issuer_algorithms: IssuerAlgorithms,
    /// Where the person's browser goes on after the answer, when wallet and browser are on the same device: then only who comes
    /// back with its secret opens the result.
    pub go_on: Option<GoOn>,
    /// How the verifier calls itself; as set at `init` when `None`.
    pub client_id: Option<ClientIdPrefix>,
    /// How the link begins.
    pub scheme: LinkScheme,
    /// What a registrar says of this verifier, to be shown with the request; that of [`Desk::register`] when `None`.
    pub registration: Option<OwnRegistration>,
}

/// A request that waits for its answer.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Under which the desk reads the result.
    pub transaction: RecordId,
    /// The whole link for the wallet.
    pub request_uri: String,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
}

impl Desk {
    /// Makes a request. All known status lists are fetched anew first, as far as that is possible in a few seconds.
    ///
    /// # Errors
    /// [`DeskError`].
    pub async fn ask(self: &Arc<Self>, ask: Ask) -> Result<Begun, DeskError> {
        let now = self.time()?;
        self.identity.check(now)?;
        self.refresh_lists(now).await?;
        let desk = Arc::clone(self);
        let begun = tokio::task::spawn_blocking(move || desk.begin(ask)).await;
        begun.unwrap_or(Err(DeskError::Internal("making the request")))
    }

    fn begin(&self, ask: Ask) -> Result<Begun, DeskError> {
        // Again: fetching took time, and a list may have taught that the clock is behind.
        let now = self.time()?;
        let Ask {
            query,
            purpose,
            retention,
            consent,
            response_mode,
            unknown_status,
            issuer_algorithms,
            go_on,
            client_id,
            scheme,
            registration,
        } = ask;
        let prefix = client_id.unwrap_or_else(|| self.config.client_id_prefix());
        let inquiry = Inquiry::new(query, purpose, retention, consent)?
            .answered_by(response_mode)
            .with_unknown_status(unknown_status)
            .with_issuer_algorithms(issuer_algorithms);
        let is_signed = prefix != ClientIdPrefix::RedirectUri;
        let transaction = if is_signed {
            let asker = Asker {
                client_id: self.identity.client_id(prefix)?,
                name: self.config.name.as_str().to_owned(),
                contact: self.config.contact.clone(),
            };
            Transaction::begin(inquiry, &asker, now, &mut rng())?
        } else {
            Transaction::begin_unsigned(inquiry, &self.endpoints, now, &mut rng())?
        };
        let registration = registration.as_ref().filter(|_| is_signed);
        if let Some(registration) = registration {
            registration.check(transaction.client_id(), self.config.name.as_str(), now)?;
        }
        let key = match response_mode {
            ResponseMode::DirectPost => None,
            ResponseMode::DirectPostJwt => {
                Some(DecryptionKey::generate(&mut rng()).map_err(|_| DeskError::Internal("drawing a key"))?)
            }
        };
        let request_uri = if is_signed {
            transaction.link(&self.endpoints, scheme)
        } else {
            let link = transaction.unsigned_link(&self.endpoints, scheme, key.as_ref());
            link.map_err(|_| DeskError::Internal("writing the request"))?
        };
        let begun = Begun { transaction: transaction.id().clone(), request_uri, expires_at: transaction.expires_at() };
        if let Some(key) = &key {
            self.keys.put(transaction.id(), KeyKind::Answer, &key.scalar())?;
        }
        let (go_on, registration) = (go_on.as_ref().map(GoOn::as_str), registration.map(OwnRegistration::as_str));
        if let Err(error) = self.store.put_transaction(transaction, go_on, registration) {
            self.keys.destroy(&begun.transaction, KeyKind::Answer)?;
            return Err(error.into());
        }
        tracing::info!(transaction = %begun.transaction, purpose = %purpose, %consent, "request made");
        Ok(begun)
    }

    /// The signed request object behind a `request_uri`; `None` when there is none, it was answered, or its time is over.
    ///
    /// The same request may be fetched again until it is answered: OpenID4VP does not make a `request_uri` single-use, and a
    /// wallet that lost the first answer must be able to ask again. Its nonce is spent by the answer, not by the question.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.10; OIDF conformance module `oid4vp-1final-verifier-request-uri-fetched-twice`.
    pub(in crate::service) fn request_object(
        &self,
        handle: &str,
        wallet_nonce: Option<&str>,
    ) -> Result<Option<String>, DeskError> {
        let now = self.time()?;
        let Some(transaction) = self.store.by_request_handle(handle, now)? else { return Ok(None) };
        if !self.identity.is_ours(transaction.client_id()) {
            return Ok(None);
        }
        let key = self.answer_key(&transaction)?;
        let name = Some(self.config.name.as_str());
        let mut object = transaction.request_object(&self.endpoints, name, key.as_ref(), wallet_nonce);
        let own = self.store.registration(transaction.id())?;
        // One of another name of this verifier, or one that has ended since, would only have the request refused.
        let holds =
            |of_all: &&OwnRegistration| of_all.check(transaction.client_id(), self.config.name.as_str(), now).is_ok();
        let of_all = self.registration().filter(holds);
        let registration = own.as_deref().or_else(|| of_all.map(OwnRegistration::as_str));
        object.verifier_info = registration.map(|text| {
            vec![VerifierInfo { format: REGISTRATION.to_owned(), data: text.into(), credential_ids: None }]
        });
        let signed = request_object::sign(&object, self.identity.chain(), self.identity.signer());
        signed.map(Some).map_err(|_| DeskError::Internal("signing the request"))
    }

    pub(super) fn answer_key(&self, transaction: &Transaction) -> Result<Option<DecryptionKey>, DeskError> {
        if transaction.inquiry().response_mode() != ResponseMode::DirectPostJwt {
            return Ok(None);
        }
        let scalar = self.keys.get(transaction.id(), KeyKind::Answer)?;
        let key = scalar.map(|scalar| DecryptionKey::from_scalar(&scalar)).transpose();
        key.map_err(|_| DeskError::Internal("reading the key of a request"))
    }
}
