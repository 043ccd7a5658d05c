//! Device engagement: what the holder's device shows so that a reader can come to it.

use crate::b64::{self, B64Error};
use crate::cbor::{FieldError, Fields, Limits, Value, Writer, parse};
use crate::cose::{CoseError, key_from_cbor, write_key};
use crate::key::PublicKey;
use std::net::{IpAddr, SocketAddr};

/// The scheme of the URI in the QR code.
///
/// # Source
/// ISO/IEC 18013-5 §8.2.2.3.
pub const SCHEME: &str = "mdoc:";
/// The longest URI that is read; a QR code holds 2,953 bytes.
const LONGEST_URI: usize = 4096;
/// The one cipher suite there is (ISO/IEC 18013-5 §9.1.5.2).
const CIPHER_SUITE: i64 = 1;
/// Of `DeviceRetrievalMethods`: Bluetooth low energy.
const BLE: u64 = 2;
/// Ours, and of no standard: a socket. Far from the numbers that the standard may still give out; the letters `ampa`.
const SOCKET: u64 = 0x616d_7061;

/// How a reader reaches the holder's device.
#[derive(Debug, Clone, PartialEq)]
pub enum Retrieval {
    /// Bluetooth low energy.
    Ble(Ble),
    /// A socket: for two programs on one machine, and for tests. Readers of others pass it over.
    Socket(SocketAddr),
    /// Another way: its type and version, and what it says about itself.
    Other {
        /// 1 is NFC, 3 is Wi-Fi Aware; others have no meaning in the standard.
        kind: u64,
        /// The version of that way.
        version: u64,
        /// Its options, as they came.
        options: Value,
    },
}

/// Bluetooth low energy: the service identifiers of the modes that the holder's device offers.
///
/// # Source
/// ISO/IEC 18013-5 §8.2.2.3, Table 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ble {
    /// For the device as peripheral server, when it offers this.
    pub peripheral: Option<[u8; 16]>,
    /// For the device as central client, when it offers this.
    pub central: Option<[u8; 16]>,
}

/// Why a device engagement cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngagementError {
    /// Not a URI of the scheme `mdoc:`, or too long a one.
    #[error("not an mdoc: URI of at most {LONGEST_URI} characters")]
    Scheme,
    /// Not base64url.
    #[error(transparent)]
    Base64(#[from] B64Error),
    /// Not of the form, or another cipher suite.
    #[error(transparent)]
    Form(#[from] FieldError),
    /// The device's key of this session.
    #[error("the device's key: {0}")]
    Key(#[source] CoseError),
}

/// A `DeviceEngagement`. Nobody signs it: what protects it is that the reader saw it on the device itself.
///
/// # Source
/// ISO/IEC 18013-5 §8.2.1.1.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceEngagement {
    key: PublicKey,
    retrieval: Vec<Retrieval>,
    bytes: Vec<u8>,
}

impl DeviceEngagement {
    /// For a device with the key `key`, which must be fresh for this session.
    pub fn new(key: &PublicKey, retrieval: Vec<Retrieval>) -> Self {
        let mut cose_key = Writer::new();
        write_key(&mut cose_key, key);
        let mut writer = Writer::new();
        writer.map(2 + usize::from(!retrieval.is_empty())).integer(0).text("1.0");
        writer.integer(1).array(2).integer(CIPHER_SUITE).embedded(cose_key.as_bytes());
        if !retrieval.is_empty() {
            writer.integer(2).array(retrieval.len());
            retrieval.iter().for_each(|retrieval| retrieval.write(&mut writer));
        }
        Self { key: key.clone(), retrieval, bytes: writer.into_bytes() }
    }

    /// Reads one. Ways of server retrieval in it are not looked at.
    ///
    /// # Errors
    /// [`EngagementError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EngagementError> {
        let mut fields = Fields::parse(bytes, "DeviceEngagement")?;
        let version = fields.labelled(0).and_then(Value::into_text);
        if !version.is_some_and(|version| version.starts_with("1.")) {
            return Err(FieldError::Malformed("version").into());
        }
        let malformed = FieldError::Malformed("security");
        let security = fields.labelled(1).and_then(Value::into_array).ok_or(malformed)?;
        let [suite, key] = <[Value; 2]>::try_from(security).map_err(|_| malformed)?;
        if suite.as_integer() != Some(CIPHER_SUITE) {
            return Err(malformed.into());
        }
        let key = parse(&key.into_embedded().ok_or(malformed)?, &Limits::MESSAGE).map_err(FieldError::Cbor)?;
        let key = key_from_cbor(key).map_err(EngagementError::Key)?;
        let retrieval = match fields.labelled(2) {
            Some(methods) => {
                let methods = methods.into_array().ok_or(FieldError::Malformed("deviceRetrievalMethods"))?;
                methods.into_iter().map(Retrieval::read).collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        Ok(Self { key, retrieval, bytes: bytes.to_vec() })
    }

    /// Reads the URI of a QR code.
    ///
    /// # Errors
    /// [`EngagementError`].
    ///
    /// # Source
    /// ISO/IEC 18013-5 §8.2.2.3: `mdoc:` and base64url without padding.
    pub fn from_uri(uri: &str) -> Result<Self, EngagementError> {
        let text = uri.strip_prefix(SCHEME).filter(|_| uri.len() <= LONGEST_URI).ok_or(EngagementError::Scheme)?;
        Self::parse(&b64::decode(text)?)
    }

    /// The URI for a QR code.
    pub fn to_uri(&self) -> String {
        let mut uri = SCHEME.to_owned();
        b64::encode_onto(&self.bytes, &mut uri);
        uri
    }

    /// The device's key of this session.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The ways to reach the device.
    pub fn retrieval(&self) -> &[Retrieval] {
        &self.retrieval
    }

    /// The encoding, as it came or as it is sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Retrieval {
    fn read(value: Value) -> Result<Self, FieldError> {
        let malformed = FieldError::Malformed("DeviceRetrievalMethod");
        let parts = value.into_array().and_then(|parts| <[Value; 3]>::try_from(parts).ok()).ok_or(malformed)?;
        let [kind, version, options] = parts;
        let number = |value: Value| value.as_integer().and_then(|n| u64::try_from(n).ok()).ok_or(malformed);
        match (number(kind)?, number(version)?) {
            (BLE, 1) => Self::read_ble(options),
            (SOCKET, 1) => Self::read_socket(options),
            (kind, version) => Ok(Self::Other { kind, version, options }),
        }
    }

    /// `{0: address as text, 1: port}`
    fn read_socket(options: Value) -> Result<Self, FieldError> {
        let malformed = FieldError::Malformed("SocketOptions");
        let mut fields = Fields::of(options, "SocketOptions")?;
        let address = fields.labelled(0).and_then(Value::into_text).and_then(|text| text.parse::<IpAddr>().ok());
        let port = fields.labelled(1).and_then(|port| port.as_integer()).and_then(|port| u16::try_from(port).ok());
        let (address, port) = address.zip(port.filter(|port| *port != 0)).ok_or(malformed)?;
        Ok(Self::Socket(SocketAddr::new(address, port)))
    }

    fn read_ble(options: Value) -> Result<Self, FieldError> {
        let mut fields = Fields::of(options, "BleOptions")?;
        let malformed = FieldError::Malformed("BleOptions");
        let mut mode = |supported: i64, identifier: i64| match fields.labelled(supported) {
            Some(Value::Bool(true)) => {
                let bytes = fields.labelled(identifier).and_then(Value::into_bytes).ok_or(malformed)?;
                bytes.try_into().map(Some).map_err(|_| malformed)
            }
            Some(Value::Bool(false)) => Ok(None),
            _ => Err(malformed),
        };
        Ok(Self::Ble(Ble { peripheral: mode(0, 10)?, central: mode(1, 11)? }))
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Ble(Ble { peripheral, central }) => {
                writer.array(3).integer(2).integer(1);
                writer.map(2 + usize::from(peripheral.is_some()) + usize::from(central.is_some()));
                writer.integer(0).bool(peripheral.is_some()).integer(1).bool(central.is_some());
                for (label, identifier) in [(10, peripheral), (11, central)] {
                    if let Some(identifier) = identifier {
                        writer.integer(label).bytes(identifier);
                    }
                }
            }
            Self::Socket(address) => {
                writer.array(3).integer(i64::try_from(SOCKET).unwrap_or(i64::MAX)).integer(1).map(2);
                writer.integer(0).text(&address.ip().to_string()).integer(1).integer(i64::from(address.port()));
            }
            Self::Other { kind, version, options } => {
                let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
                writer.array(3).integer(number(*kind)).integer(number(*version)).value(options);
            }
        }
    }
}
