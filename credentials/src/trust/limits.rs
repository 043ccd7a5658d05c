//! What a trust anchor may vouch for.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

/// What a trust anchor may vouch for. What is `None` is not limited; an empty list allows nothing.
///
/// Without limits every anchor may issue every type, and sign every status list: with several tenants one of them could
/// write another's credentials, or un-revoke them.
///
/// # Source
/// SD-JWT VC §7.7 "Credential Type Extension and Issuer Authorization"; Token Status List §11.3.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnchorLimits {
    /// The types it may issue: `vct` of an SD-JWT VC, `docType` of an mdoc; compared byte for byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// The hosts whose status lists it may sign: names without scheme and port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_hosts: Option<Vec<String>>,
}

impl AnchorLimits {
    pub(super) fn allow_type(&self, type_name: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|allowed| allowed == type_name))
    }

    pub(super) fn allow_status_of(&self, uri: &str) -> bool {
        let Some(hosts) = &self.status_hosts else { return true };
        // The parser writes every spelling of a host in one way.
        let url = Url::parse(uri);
        let host = url.as_ref().ok().and_then(Url::host_str);
        host.is_some_and(|host| hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)))
    }

    /// Stands for these limits in the key of a cache.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for list in [&self.types, &self.status_hosts] {
            let count = list.as_ref().map_or(u64::MAX, |list| list.len() as u64);
            hash.update(count.to_be_bytes());
            for text in list.iter().flatten() {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
        }
        hash.finalize().into()
    }
}
