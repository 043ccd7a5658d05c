//! Who the provider is and what it says of its wallets, as `init` wrote it down.

use credentials::key_attestation::LEVELS;
use schemas::Seconds;
use schemas::wallet_provider::{ProviderMetadata, WELL_KNOWN};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// What `init` writes to `attester.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The version of this file; 1.
    pub version: u32,
    /// The public address.
    pub url: ProviderUrl,
    /// The `client_id` of all its wallets.
    pub client_id: String,
    /// What people call them.
    pub wallet_name: String,
    /// Where more is said of them.
    pub wallet_link: Option<String>,
    /// How long an attestation is good, counted from the midnight before it was made.
    pub lifetime: Seconds,
    /// What the storage of the wallets' keys resists, if the operator stands for that.
    #[serde(default)]
    pub key_storage: Vec<String>,
    /// What the authentication of the person resists, if the operator stands for that.
    #[serde(default)]
    pub user_authentication: Vec<String>,
}

/// An attestation ends at a midnight, two to thirty-one days on: shorter, and the day would tell one wallet from another.
pub const LIFETIMES: [Seconds; 2] = [Seconds::DAY.times(2), Seconds::DAY.times(31)];

/// Why something cannot stand in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not the address of a provider.
    #[error("the provider's URL must be https, or http on loopback, with no query, fragment or user name")]
    Url,
    /// A lifetime out of bounds, or not of whole days.
    #[error("attestations are good for 2 to 31 whole days")]
    Lifetime,
    /// A text that is empty, too long or not plain.
    #[error("{0} must have 1 to 256 characters, none of them a control character")]
    Text(&'static str),
    /// A level that no wallet takes: one of the operator's own words could be for one wallet alone.
    #[error("a level is one of {}", LEVELS.join(", "))]
    Level,
}

impl Config {
    /// Checks what was given.
    ///
    /// # Errors
    /// [`ConfigError`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix D.2 for the levels; `docs/decisions/0087`.
    pub fn check(self) -> Result<Self, ConfigError> {
        let [least, most] = LIFETIMES;
        if self.lifetime < least || self.lifetime > most || !self.lifetime.get().is_multiple_of(Seconds::DAY.get()) {
            return Err(ConfigError::Lifetime);
        }
        if self.key_storage.iter().chain(&self.user_authentication).any(|level| !LEVELS.contains(&level.as_str())) {
            return Err(ConfigError::Level);
        }
        let texts = [("the client id", &self.client_id), ("the wallet's name", &self.wallet_name)];
        let texts = texts.into_iter().chain(self.wallet_link.iter().map(|link| ("the link", link)));
        for (what, text) in texts {
            if !(1..=256).contains(&text.len()) || text.chars().any(char::is_control) {
                return Err(ConfigError::Text(what));
            }
        }
        Ok(self)
    }

    /// What everybody is told.
    pub fn metadata(&self) -> ProviderMetadata {
        ProviderMetadata {
            provider: self.url.as_str().to_owned(),
            client_id: self.client_id.clone(),
            wallet_name: self.wallet_name.clone(),
            wallet_link: self.wallet_link.clone(),
            wallet_attestation_endpoint: self.url.join(WALLET_PATH),
            key_attestation_endpoint: self.url.join(KEY_PATH),
            lifetime: self.lifetime,
        }
    }
}

/// Where wallet attestations are had, below the provider's URL.
pub const WALLET_PATH: &str = "/wallet-attestations";
/// Where key attestations are had.
pub const KEY_PATH: &str = "/key-attestations";

/// The address of a provider: `https`, or `http` on loopback, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderUrl(String);

impl ProviderUrl {
    /// Reads one.
    ///
    /// # Errors
    /// [`ConfigError::Url`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let url = Url::parse(text.trim()).map_err(|_| ConfigError::Url)?;
        let loopback = match url.host().ok_or(ConfigError::Url)? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let is_bare = url.query().is_none() && url.fragment().is_none();
        let is_nobodys = url.username().is_empty() && url.password().is_none();
        if (url.scheme() == "https" || url.scheme() == "http" && loopback) && is_bare && is_nobodys {
            Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
        } else {
            Err(ConfigError::Url)
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of something below it.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Its path, without a slash at the end.
    pub fn path(&self) -> String {
        Url::parse(&self.0).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default()
    }

    /// Its host, if that is a name.
    pub fn host(&self) -> Option<String> {
        Url::parse(&self.0).ok().and_then(|url| url.domain().map(str::to_owned))
    }

    /// Where it says who it is.
    pub fn well_known_path(&self) -> String {
        format!("/.well-known/{WELL_KNOWN}{}", self.path())
    }
}

impl TryFrom<String> for ProviderUrl {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        Self::parse(&text)
    }
}

impl From<ProviderUrl> for String {
    fn from(url: ProviderUrl) -> Self {
        url.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            version: 1,
            url: ProviderUrl::parse("https://wallets.example/").unwrap(),
            client_id: "org.example.wallet".into(),
            wallet_name: "Wallet".into(),
            wallet_link: None,
            lifetime: Seconds::DAY.times(7),
            key_storage: Vec::new(),
            user_authentication: Vec::new(),
        }
    }

    #[test]
    fn a_configuration_is_checked_before_it_is_written() {
        assert_eq!(
            config().check().unwrap().metadata().wallet_attestation_endpoint,
            "https://wallets.example/wallet-attestations"
        );
        for lifetime in ["1d", "32d", "49h", "0s"] {
            let wrong = Config { lifetime: lifetime.parse().unwrap(), ..config() };
            assert_eq!(wrong.check(), Err(ConfigError::Lifetime), "{lifetime}");
        }
        assert_eq!(Config { client_id: String::new(), ..config() }.check(), Err(ConfigError::Text("the client id")));
        for level in ["iso_18045_high ", "urn:example:holder-4711", ""] {
            let storage = Config { key_storage: vec!["iso_18045_basic".into(), level.into()], ..config() };
            assert_eq!(storage.check(), Err(ConfigError::Level), "{level}");
            let person = Config { user_authentication: vec![level.into()], ..config() };
            assert_eq!(person.check(), Err(ConfigError::Level), "{level}");
        }
        let all = LEVELS.map(str::to_owned).to_vec();
        assert!(Config { key_storage: all.clone(), user_authentication: all, ..config() }.check().is_ok());
        assert!(Config { wallet_name: "a\nb".into(), ..config() }.check().is_err());
        for url in ["http://wallets.example", "https://a@wallets.example", "https://w.example?x", "file:///x", ""] {
            assert_eq!(ProviderUrl::parse(url), Err(ConfigError::Url), "{url}");
        }
        let tenant = ProviderUrl::parse("http://127.0.0.1:8090/tenant/").unwrap();
        assert_eq!(tenant.well_known_path(), "/.well-known/amparo-wallet-provider/tenant");
    }
}
