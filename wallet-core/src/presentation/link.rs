//! The link that a verifier shows: who asks, and where the request is fetched.

use super::received::{Fetching, Received, RequestMethod};
use crate::effect::{AddressError, Loopback, Progress, address};
use crate::fault::{Blame, Fault};
use credentials::request_object::{ClientId, UnsignedRequestIn};
use rand_core::CryptoRng;
use schemas::openid4vp::{HAIP_SCHEME, REQUEST_SCHEME};
use sha2::{Digest, Sha256};
use std::fmt;
use url::Url;

/// Names one request in this wallet: the hash of the link that led to it.
///
/// [`unlock`](crate::unlock) makes its evidence for one such name, so that it can open nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 32]);

impl RequestId {
    pub(crate) fn of(link: &str) -> Self {
        Self(Sha256::digest(link.trim().as_bytes()).into())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestId(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

/// An `openid4vp://` or `haip-vp://` link: read, not yet followed.
///
/// # Source
/// OpenID4VP 1.0 §5, §5.7 "Passing Authorization Request Across Devices"; RFC 9101 §5.2 `request_uri`; HAIP 1.0 §5.1 `haip-vp`.
#[derive(Debug)]
pub struct RequestLink {
    id: RequestId,
    request: Request,
}

/// Where the request is.
#[derive(Debug)]
enum Request {
    /// Behind an address, signed.
    Behind { client_id: String, request_uri: Url, method: RequestMethod },
    /// In the link, signed by nobody.
    Here(Box<UnsignedRequestIn>),
}

/// Why a link is not one that can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Not a link of that scheme, or longer than 64 KiB.
    #[error("neither an {REQUEST_SCHEME}:// nor a {HAIP_SCHEME}:// link")]
    NotALink,
    /// A parameter is missing or stands there twice.
    #[error("the link has no {0}, or has it twice")]
    Parameter(&'static str),
    /// The request stands in the link itself, unsigned, and its client is not the place that the answer goes to: nobody could know
    /// who asks, nor who is answered.
    #[error(
        "the link holds an unsigned request, and its client_id is no redirect_uri: only signed requests of such clients are answered"
    )]
    Unsigned,
    /// The client of a signed request cannot be of that kind.
    #[error("the client_id is one that no signed request has, and the request is behind a request_uri")]
    NeverSigned,
    /// The unsigned request in the link cannot be read.
    #[error("the unsigned request in the link has missing or malformed members, or one twice")]
    Request,
    /// Neither `get` nor `post`.
    #[error("request_uri_method is neither get nor post")]
    Method,
    /// The `request_uri` is not safe to open.
    #[error("request_uri is not safe to open: {0}")]
    Address(#[from] AddressError),
}

impl Blame for LinkError {
    fn fault(&self) -> Fault {
        match self {
            Self::NotALink => Fault::Input,
            _ => Fault::Peer,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotALink => "give the whole openid4vp:// or haip-vp:// link that the verifier shows, in quotes",
            _ => "ask the verifier for a new link: this one cannot be answered safely",
        }
    }
}

impl RequestLink {
    /// Reads a link.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let text = text.trim();
        let (scheme, _) = text.split_once(':').ok_or(LinkError::NotALink)?;
        if text.len() > MAX_LEN || ![REQUEST_SCHEME, HAIP_SCHEME].iter().any(|s| scheme.eq_ignore_ascii_case(s)) {
            return Err(LinkError::NotALink);
        }
        let link = Url::parse(text).map_err(|_| LinkError::NotALink)?;
        let client_id = once(&link, "client_id")?.ok_or(LinkError::Parameter("client_id"))?;
        let Some(request_uri) = once(&link, "request_uri")? else {
            return Self::unsigned(text, &link, &client_id);
        };
        if ClientId::is_never_signed(&client_id) {
            return Err(LinkError::NeverSigned);
        }
        let method = match once(&link, "request_uri_method")?.as_deref() {
            None | Some("get") => RequestMethod::Get,
            Some("post") => RequestMethod::Post,
            Some(_) => return Err(LinkError::Method),
        };
        let loopback = Loopback::as_named_by(&request_uri);
        let request_uri = address(&request_uri, loopback)?;
        Ok(Self { id: RequestId::of(text), request: Request::Behind { client_id, request_uri, method } })
    }

    /// A link that is itself the request. Only one whose client is the place that the answer goes to is read.
    fn unsigned(text: &str, link: &Url, client_id: &str) -> Result<Self, LinkError> {
        let asks = |name: &str| link.query_pairs().any(|(n, _)| n == name);
        if !["dcql_query", "scope", "nonce", "response_uri", "request"].into_iter().any(asks) {
            return Err(LinkError::Parameter("request_uri"));
        }
        if asks("request") || ClientId::unsigned(client_id).is_err() {
            return Err(LinkError::Unsigned);
        }
        let parameters: Vec<(String, String)> = link.query_pairs().into_owned().collect();
        let request = UnsignedRequestIn::parse(parameters.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let request = Request::Here(Box::new(request.map_err(|_| LinkError::Request)?));
        Ok(Self { id: RequestId::of(text), request })
    }

    /// Names the request, for [`unlock`](crate::unlock).
    pub const fn id(&self) -> RequestId {
        self.id
    }

    /// Sets out to fetch the request; one that stands in the link is there already.
    pub fn fetch(self, rng: &mut dyn CryptoRng) -> Progress<Fetching> {
        let Self { id, request } = self;
        match request {
            Request::Behind { client_id, request_uri, method } => {
                Progress::Waiting(Fetching::new(id, client_id, request_uri, method, rng))
            }
            Request::Here(request) => Progress::Ready(Received::unsigned(id, *request)),
        }
    }
}

/// The value of a parameter that may stand there once.
fn once(link: &Url, name: &'static str) -> Result<Option<String>, LinkError> {
    let mut values = link.query_pairs().filter(|(n, _)| n == name).map(|(_, value)| value.into_owned());
    let first = values.next();
    if values.next().is_some() { Err(LinkError::Parameter(name)) } else { Ok(first) }
}

const MAX_LEN: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Errand;
    use rand_chacha::ChaCha20Rng;

    fn rng() -> ChaCha20Rng {
        rand_core::SeedableRng::from_seed([1; 32])
    }

    #[test]
    fn vp_5_links_are_read_strictly() {
        let uri = "request_uri=https%3A%2F%2Fv.example%2Fr%2F1";
        let read = |text: &str| RequestLink::parse(text).map(drop);
        assert_eq!(read(&format!("openid4vp://?client_id=x509_hash%3Aabc&{uri}")), Ok(()));
        assert_eq!(
            read(&format!(" OPENID4VP://authorize?client_id=x509_hash%3Aabc&{uri}&request_uri_method=post\n")),
            Ok(())
        );
        assert_eq!(read(""), Err(LinkError::NotALink));
        assert_eq!(read("https://v.example/"), Err(LinkError::NotALink));
        assert_eq!(read(&format!("openid4vp://?{uri}")), Err(LinkError::Parameter("client_id")));
        assert_eq!(read("openid4vp://?client_id=a"), Err(LinkError::Parameter("request_uri")));
        assert_eq!(
            read(&format!("openid4vp://?client_id=a&client_id=b&{uri}")),
            Err(LinkError::Parameter("client_id"))
        );
        assert_eq!(read(&format!("openid4vp://?client_id=a&{uri}&request_uri_method=POST")), Err(LinkError::Method));
        assert_eq!(read(&format!("Haip-VP://?client_id=x509_hash%3Aabc&{uri}")), Ok(()));
        assert_eq!(read(&format!("haip-vci://?client_id=x509_hash%3Aabc&{uri}")), Err(LinkError::NotALink));
        assert_eq!(read("openid4vp://?client_id=x509_hash%3Ax&nonce=n&dcql_query=%7B%7D"), Err(LinkError::Unsigned));
        assert_eq!(read("openid4vp://?client_id=origin%3Ax&nonce=n&dcql_query=%7B%7D"), Err(LinkError::Unsigned));
        assert_eq!(read("openid4vp://?client_id=redirect_uri%3Ax&request=eyJ.e30.&nonce=n"), Err(LinkError::Unsigned));
        assert_eq!(read("openid4vp://?client_id=redirect_uri%3Ax&nonce=n&dcql_query=%7B%7D"), Err(LinkError::Request));
        for client in ["redirect_uri%3Ahttps%3A%2F%2Fv.example%2Fr%2F1", "origin%3Ahttps%3A%2F%2Fv.example"] {
            assert_eq!(read(&format!("openid4vp://?client_id={client}&{uri}")), Err(LinkError::NeverSigned));
        }
        assert_eq!(
            read("openid4vp://?client_id=a&request_uri=http%3A%2F%2Fv.example%2F"),
            Err(LinkError::Address(AddressError::NotHttps))
        );
    }

    #[test]
    fn attack_43_plain_http_only_to_the_machine_that_the_link_names() {
        let link = RequestLink::parse("openid4vp://?client_id=a&request_uri=http%3A%2F%2F127.0.0.1%3A9%2Fr").unwrap();
        let loopback = |link: RequestLink| match link.fetch(&mut rng()) {
            Progress::Waiting(fetching) => fetching.effect().loopback(),
            Progress::Ready(_) => panic!("nothing to fetch"),
        };
        assert_eq!(loopback(link), Loopback::NamedByThePerson);
        let link = RequestLink::parse("openid4vp://?client_id=a&request_uri=https%3A%2F%2Fv.example%2Fr").unwrap();
        assert_eq!(loopback(link), Loopback::Refused);
    }
}
